"""People who do not exist: the face model, the bank of portraits, and how a persona is drawn."""

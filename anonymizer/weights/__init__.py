"""Model files, their licences, and the registry that says which bytes are the right ones."""

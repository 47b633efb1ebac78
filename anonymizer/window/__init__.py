"""The window: what is sent, in what state, and every control of a live run. Needs the extra `window` (PySide6)."""

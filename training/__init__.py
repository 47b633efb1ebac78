"""Fit the face model, build personas, prepare crops, train, export: `python -m training <verb>`."""

"""Replaces faces by people who do not exist.

Importing this package loads nothing heavy: each part is imported where it is used, for example
`from anonymizer.settings import Settings` or `from anonymizer.app import run_video`.
"""

__all__ = ["__version__"]

__version__ = "0.1.0.dev0"

"""What all tests share: how hypothesis draws, and windows that need no display."""

import os

from hypothesis import settings

settings.register_profile("anonymizer", deadline=None)  # a busy machine is no failure
settings.load_profile("anonymizer")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

"""What all tests share: how hypothesis draws."""

from hypothesis import settings

settings.register_profile("anonymizer", deadline=None)  # a busy machine is no failure
settings.load_profile("anonymizer")

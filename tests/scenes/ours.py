"""What the product covers in a single frame, as a clip's first frame or as a photo: for the table of recall."""

from __future__ import annotations

from anonymizer import app
from anonymizer.faces import Mask
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.clip import ClipPlanner, ClipSettings, plan_still
from anonymizer.perceive.finder import Finder
from anonymizer.persona.face_model import load_face_model
from anonymizer.settings import Settings
from tests.scenes.rivals import Coverer


def as_photo(settings: Settings, finder: Finder) -> Coverer:
    """The way of `anonymizer image`."""
    renderer, model = app.build_anonymizer(settings), load_face_model()

    def covers(rgb: RgbImage) -> Mask:
        return renderer.hole(plan_still(Frame(rgb), finder, model), rgb.shape)

    return covers


def as_clip(settings: Settings, finder: Finder) -> Coverer:
    """The way of `anonymizer video`, for a clip of one frame."""
    renderer, model = app.build_anonymizer(settings), load_face_model()
    clip = ClipSettings(settings.detector.every_frames, settings.smoothing.window_s, 25.0)

    def covers(rgb: RgbImage) -> Mask:
        finder.reset()
        planner = ClipPlanner(finder, model, clip)
        planner.observe(Frame(rgb))
        planned = planner.plan()
        return renderer.hole(planned[0], rgb.shape)

    return covers

"""What the product covers in a single frame, without memory or hindsight: for the table of recall."""

from __future__ import annotations

from anonymizer import app
from anonymizer.faces import Mask
from anonymizer.frames import Frame, RgbImage
from anonymizer.perceive.clip import plan_still, planned_alone
from anonymizer.perceive.finder import Finder
from anonymizer.persona.face_model import load_face_model
from anonymizer.settings import Settings
from tests.scenes.rivals import Coverer


def as_first_frame(settings: Settings, finder: Finder) -> Coverer:
    """The way of `anonymizer image`, and of `anonymizer video` in the first frame of a shot: a thorough look."""
    renderer, model = app.build_anonymizer(settings), load_face_model()

    def covers(rgb: RgbImage) -> Mask:
        return renderer.hole(plan_still(Frame(rgb), finder, model), rgb.shape)

    return covers


def as_later_frame(settings: Settings, finder: Finder) -> Coverer:
    """The way of `anonymizer video` in a frame within a shot, for somebody who was not there before."""
    renderer, model = app.build_anonymizer(settings), load_face_model()

    def covers(rgb: RgbImage) -> Mask:
        finder.reset()
        return renderer.hole(planned_alone(finder.find_tracked(Frame(rgb)), model), rgb.shape)

    return covers

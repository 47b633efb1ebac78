"""Words and colours of the states, readable on dark and light."""

from __future__ import annotations

from anonymizer.live.states import LiveState

WORDS = {
    LiveState.STARTING: ("STARTING", "blank until the first checked frame"),
    LiveState.COVERED: ("COVERED", "every face has a persona"),
    LiveState.NOBODY: ("NOBODY", "no face is seen; the picture is shown as it is"),
    LiveState.FALLBACK: ("FALLBACK", "a face is hidden without a persona"),
    LiveState.SHUTTER: ("SHUTTER", "nothing of the camera is sent"),
    LiveState.FAILED: ("BLANK", "a frame failed and was blanked"),
    LiveState.UNSURE: ("BLANK", "it cannot be told where faces are"),
    LiveState.STALLED: ("BLANK", "nothing new came for too long"),
    LiveState.NO_CAMERA: ("NO CAMERA", "waiting for the camera"),
    LiveState.STOPPED: ("STOPPED", "nothing is sent"),
}
# background and text, contrast 4.5 and more
COLOURS = {
    LiveState.COVERED: ("#1b7f3b", "#ffffff"),
    LiveState.NOBODY: ("#8a5a00", "#ffffff"),
    LiveState.FALLBACK: ("#8a5a00", "#ffffff"),
    LiveState.SHUTTER: ("#b3261e", "#ffffff"),
    LiveState.STOPPED: ("#5f6368", "#ffffff"),
    LiveState.STARTING: ("#5f6368", "#ffffff"),
}
BLANKED = ("#b3261e", "#ffffff")


def words(state: LiveState) -> tuple[str, str]:
    """The big word and the sentence below it."""
    return WORDS[state]


def colours(state: LiveState) -> tuple[str, str]:
    """Background and text."""
    return COLOURS.get(state, BLANKED)

"""What a run of `live` is to do, apart from the settings it shares with the other verbs. Cheap to import."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_SIZE_PX = (1280, 720)


@dataclass(frozen=True, slots=True)
class LiveChoices:
    """camera: a name, a number, a URL or a video file. output: `virtual`, `none`, or a video file to write.

    device: the virtual camera's name, None = the only one there is. size_px: None = 1280×720 for a camera, its own
    for a file. fps_hz: sent at most. seconds: None = until stopped. loop, moving_crop: of a file as the camera.
    overwrite: of a file as output. max_age_s: an older frame is not shown, but blank.
    """

    camera: str = "0"
    output: str = "virtual"
    device: str | None = None
    size_px: tuple[int, int] | None = None
    fps_hz: float = 30.0
    seconds: float | None = None
    loop: bool = False
    moving_crop: bool = False
    overwrite: bool = False
    max_age_s: float = 0.3

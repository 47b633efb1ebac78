"""Which adapter a name on the command line means: the camera side and the output side of `live`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path

from anonymizer.clip import ClipColour, ClipInfo
from anonymizer.errors import CameraError, ConfigError
from anonymizer.live.capture import OpenSource
from anonymizer.live.choices import DEFAULT_SIZE_PX, LiveChoices
from anonymizer.live.clock import SystemClock
from anonymizer.live.file_feed import FileFeed
from anonymizer.live.sinks import NullSink, RecordingSink
from anonymizer.stages import FrameSink, FrameSource

ON_DEVICE = "virtual="  # before a device's name, in the window's list of outputs
_BT709_LIMITED = ClipColour(1, 1, 1, 1, assumed_matrix=1, assumed_range=1)


def open_camera(choices: LiveChoices) -> tuple[FrameSource, OpenSource | None]:
    """The camera, open, and how to open it again after it was lost; None for a file. CameraError, InputError."""
    name = choices.camera
    if "://" not in name and Path(name).is_file() and not name.startswith("/dev/"):
        return _file_feed(Path(name), choices), None
    if "/" in name and "://" not in name and not Path(name).exists():
        raise CameraError(f"there is no file or device {name}; `anonymizer devices` lists cameras")
    from anonymizer.adapters.camera import Camera

    def open_it() -> FrameSource:
        return Camera(name, choices.size_px or DEFAULT_SIZE_PX, choices.fps_hz)

    return open_it(), open_it


def _file_feed(path: Path, choices: LiveChoices) -> FrameSource:
    from anonymizer.adapters.video_reader import VideoReader

    return FileFeed(
        lambda: VideoReader(path, 1, exact_colour=False), choices.size_px, choices.loop, choices.moving_crop
    )


def open_output(choices: LiveChoices, size_px: tuple[int, int]) -> list[FrameSink]:
    """The sinks that `choices.output` names. SinkError, ConfigError."""
    if choices.output == "none":
        return [NullSink()]
    if choices.output == "virtual" or choices.output.startswith(ON_DEVICE):
        from anonymizer.adapters.virtual_camera import VirtualCamera

        named = choices.output.removeprefix(ON_DEVICE) if choices.output.startswith(ON_DEVICE) else choices.device
        return [VirtualCamera(named, size_px, choices.fps_hz)]
    path = Path(choices.output)
    if path.suffix.lower() not in (".mp4", ".mkv"):
        raise ConfigError(
            f"the output {choices.output!r} is not known; wanted virtual, window, both, none, or a file *.mp4 or *.mkv"
        )
    return [_recording(path, choices, size_px)]


def _recording(path: Path, choices: LiveChoices, size_px: tuple[int, int]) -> FrameSink:
    from anonymizer.adapters.safe_write import safe_target
    from anonymizer.recording import Recording

    info = ClipInfo(size_px, choices.fps_hz, Fraction(1, 1000), None, Fraction(1), False, _BT709_LIMITED, ())
    place = ExitStack()
    part = place.enter_context(safe_target(path, (Path(choices.camera),), choices.overwrite))
    try:
        writer = Recording(part, path.resolve(), info, crf=18, speed="ultrafast", threads=1)
    except BaseException as error:
        place.__exit__(type(error), error, error.__traceback__)
        raise
    return RecordingSink(writer, SystemClock(), _finisher(place))


def _finisher(place: ExitStack) -> Callable[[bool], None]:
    """Puts the file in its place, or takes it away."""

    def finish(ok: bool) -> None:
        if ok:
            place.close()
            return
        unfinished = InterruptedError("the recording was not finished")
        with suppress(InterruptedError):
            place.__exit__(type(unfinished), unfinished, None)

    return finish


__all__ = ["open_camera", "open_output"]

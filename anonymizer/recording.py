"""Records safe frames as they come into a video file without sound; what is there can be played after a kill."""

from __future__ import annotations

from pathlib import Path

from anonymizer.adapters.video_finish import Finish, check_video_name, finish_video
from anonymizer.adapters.video_writer import VideoWriter
from anonymizer.clip import ClipInfo
from anonymizer.frames import SafeFrame
from anonymizer.media.codecs import CODECS
from anonymizer.resume import WorkFolder


class Recording:
    """Grows in a folder of its own beside `target` and is written to `part` when it is closed well.

    Raises SinkError. Used by one thread at a time.
    """

    def __init__(self, part: Path, target: Path, info: ClipInfo, *, crf: int, speed: str, threads: int) -> None:
        self._part, self._info, self._codec = part, info, CODECS["h264"]
        check_video_name(target, self._codec)
        self._work = WorkFolder(target)
        try:
            self._film = self._work.new_film()
            self._writer = VideoWriter(self._film, info, self._codec, crf=crf, speed=speed, threads=threads)
        except BaseException:
            self._work.remove()
            raise
        self._has_faces = False

    def send(self, frame: SafeFrame, at_s: float | None = None) -> None:
        """Encode one frame at `at_s`, by default its captured_at_s."""
        self._has_faces |= frame.faces > 0
        self._writer.send(frame, at_s)

    def close(self, ok: bool) -> None:
        """Finish the file, or leave nothing when `ok` is False."""
        try:
            self._writer.close(ok)
            if ok:
                mark = Finish(mark=self._has_faces)
                finish_video(self._film, self._part, self._codec, self._writer.segments, self._info.time_base, [], mark)
        finally:
            self._work.remove()

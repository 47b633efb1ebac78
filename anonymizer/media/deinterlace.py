"""Makes whole pictures of interlaced ones, through FFmpeg's filter: one picture for each two fields."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

# H.273 and FFmpeg's AVFieldOrder: 0 unknown, 1 progressive, 2 to 5 interlaced
_INTERLACED_ORDERS = (2, 3, 4, 5)
# one frame out for each in; field order from the frame; frames that are not interlaced pass as they are
_BWDIF = "mode=send_frame:parity=auto:deint=interlaced"


def is_interlaced(stream: VideoStream, first: VideoFrame) -> bool:
    """By what the stream says of itself and by its first picture."""
    return bool(first.interlaced_frame) or int(stream.codec_context.field_order or 0) in _INTERLACED_ORDERS


class Deinterlacer:
    """Pictures in, pictures out, in order and with their times; the first comes out after the second went in."""

    def __init__(self, stream: VideoStream) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(template=stream)
        bwdif = self._graph.add("bwdif", _BWDIF)
        sink = self._graph.add("buffersink")
        self._graph.link_nodes(source, bwdif, sink).configure()

    def push(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """What is ready after one more picture; None = there are no more. Raises av.FFmpegError."""
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return

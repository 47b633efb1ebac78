"""Reads the text subtitles of a file. Those that are pictures are never read: nobody would look for faces in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from anonymizer.media.subtitles import TEXT_CODECS, TextTrack, plain_text

_MOST_LINES = 100_000
_FALLBACK_MS = 3000  # of a line that does not say how long it is shown


def read_text_tracks(source: Path) -> tuple[TextTrack, ...]:
    """Every text subtitle track with its lines; a damaged one as far as it can be read."""
    limits = {"protocol_whitelist": "file"}
    with av.open(str(source.resolve()), "r", options=limits, metadata_errors="replace") as container:
        streams = [s for s in container.streams.subtitles if s.codec_context and s.codec_context.name in TEXT_CODECS]
        if not streams:
            return ()
        lines: dict[int, list[tuple[int, int, str]]] = {stream.index: [] for stream in streams}
        try:
            for packet in container.demux(streams):
                mine = lines[packet.stream.index]
                if len(mine) < _MOST_LINES:
                    mine += _lines(packet)
        except av.FFmpegError:
            pass  # what was read so far is kept
        return tuple(TextTrack(stream.language, tuple(sorted(lines[stream.index]))) for stream in streams)


def _lines(packet: Packet[Any]) -> list[tuple[int, int, str]]:
    if packet.pts is None or not packet.size:
        return []
    try:
        decoded: Any = packet.decode()
        texts = [plain_text(subtitle.dialogue.decode("utf-8", "replace")) for subtitle in decoded]
    except (av.FFmpegError, ValueError, AttributeError):
        return []  # a line that cannot be read is shown by no player
    start_ms = round(packet.pts * packet.time_base * 1000)
    length_ms = round((packet.duration or 0) * packet.time_base * 1000) or _FALLBACK_MS
    return [(start_ms, start_ms + length_ms, text) for text in texts if text]

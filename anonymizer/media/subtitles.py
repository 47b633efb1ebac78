"""Subtitles as plain text with times. Styles, fonts and drawings stay behind, and so does what a header says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.container import OutputContainer
from av.packet import Packet

from anonymizer.media.tracks import SideTracks, language_for

TEXT_CODECS = ("subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text")
_MS = Fraction(1, 1000)
_OVERRIDES = re.compile(r"\{[^}]*\}")
_DRAWING = re.compile(r"\{[^}]*\\p[1-9]")
# FFmpeg's text encoders want the header of an ASS file; this one says nothing.
_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, "
    b"SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\n\n"
    b"[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


@dataclass(frozen=True, slots=True)
class TextTrack:
    """language: as the file tells it, or None. lines: (start ms, end ms, text), by start."""

    language: str | None
    lines: tuple[tuple[int, int, str], ...]


def plain_text(ass: str) -> str | None:
    """The text of one line of ASS; None for a drawing."""
    if _DRAWING.search(ass):
        return None
    text = _OVERRIDES.sub("", ass).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    return text.strip() or None


class TextTracks(SideTracks):
    """Writes text tracks: mov_text into MP4 and MOV, SubRip into Matroska."""

    def __init__(self, tracks: tuple[TextTrack, ...]) -> None:
        self._tracks = tracks
        self._waiting: list[Packet[Any]] = []

    def add_to(self, target: OutputContainer, suffix: str) -> None:
        in_mov = target.format.name in ("mp4", "mov")
        for track in self._tracks:
            stream: Any = target.add_stream("mov_text" if in_mov else "subrip")
            stream.codec_context.time_base = stream.time_base = _MS
            stream.codec_context.subtitle_header = _HEADER
            if language := language_for(target, track.language):
                stream.metadata["language"] = language
            for start_ms, end_ms, text in track.lines:
                content = text.encode()
                packet: Packet[Any] = Packet(len(content).to_bytes(2, "big") + content if in_mov else content)
                packet.stream, packet.time_base = stream, _MS
                packet.pts = packet.dts = start_ms
                packet.duration = end_ms - start_ms
                self._waiting.append(packet)
        self._waiting.sort(key=lambda packet: packet.dts or 0)

    def until(self, end_s: Fraction | None) -> Iterator[Packet[Any]]:
        while self._waiting and (end_s is None or (self._waiting[0].dts or 0) * _MS <= end_s):
            yield self._waiting.pop(0)

    def close(self) -> None:
        """Nothing is open."""

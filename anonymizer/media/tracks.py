"""What goes along with the picture: sound and text, as packets in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol

from av.container import OutputContainer
from av.packet import Packet

# FFmpeg's names for QuickTime's language numbers, where they are not those of ISO 639-2/T.
_QUICKTIME_NAMES = {"deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb", "swe": "sve"}


def language_for(target: OutputContainer, told: str | None) -> str | None:
    """The language to write, or None when the source tells none that is a code of three letters."""
    language = (told or "").lower()
    if len(language) != 3 or not (language.isascii() and language.isalpha()) or language == "und":
        return None
    return _QUICKTIME_NAMES.get(language, language) if target.format.name == "mov" else language


class SideTracks(Protocol):
    """Tracks of one kind."""

    def add_to(self, target: OutputContainer, suffix: str) -> None:
        """Make a stream for each track, before the first packet. suffix: for messages. Raises SinkError."""

    def until(self, end_s: Fraction | None) -> Iterator[Packet[Any]]:
        """The packets not given yet that start at or before `end_s`; all when it is None."""

    def close(self) -> None:
        """Let go of the source."""


def start_s(packet: Packet[Any]) -> Fraction:
    """When it is decoded."""
    return (packet.dts or 0) * packet.time_base

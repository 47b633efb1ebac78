"""Makes the final file of a film that is complete: the same packets, an index in front, sound and text beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar

import av
from av.container import OutputContainer
from av.packet import Packet

from anonymizer.marking import SOURCE_TYPE, xmp_box
from anonymizer.media.codecs import Codec
from anonymizer.media.encoder import DecodingTimes, Segment
from anonymizer.media.tracks import SideTracks, start_s
from anonymizer.refusals import refused

FORMAT_OF_SUFFIX = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_LOCAL = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2"}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Finish:
    """mark: say in the file that faces were replaced. created: when it was made, ISO 8601, or None."""

    mark: bool = False
    created: str | None = None


def check_video_name(path: Path, codec: Codec) -> None:
    """SinkError unless the name ends like a video that can be written, and can hold what the codec makes."""
    kind = FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise refused("video-suffix", suffix=path.suffix)
    if kind == "mov" and codec.name == "av1":
        raise refused("video-codec-suffix", suffix=path.suffix, codec="AV1")


def check_sides(folder: Path, target: Path, sides: Sequence[SideTracks]) -> None:
    """SinkError when the final file cannot hold a track: known before any work is done."""
    kind = FORMAT_OF_SUFFIX[target.suffix.lower()]
    trial = folder / f"trial{target.suffix}"
    try:
        with av.open(str(trial), "w", format=kind) as container:
            for side in sides:
                side.add_to(container, target.suffix)
    except av.FFmpegError as error:
        raise refused("output-unwritable", folder=folder, reason=error.strerror) from error
    finally:
        for side in sides:
            side.close()
        trial.unlink(missing_ok=True)


def segments_of(film: Path, sizes: Iterable[int]) -> Iterator[list[Packet[Any]]]:
    """The film's picture packets, in lists of these sizes, in order; fewer when it breaks off, none but whole ones."""
    with av.open(str(film), "r", options=_LOCAL) as container:
        packets = container.demux(container.streams.video[0])
        for size in sizes:
            segment: list[Packet[Any]] = []
            while len(segment) < size:
                try:
                    packet = next(packets, None)
                except av.FFmpegError:
                    return
                if packet is None or packet.is_corrupt:  # cut off in its middle
                    return
                if packet.size:
                    segment.append(packet)
            yield segment


def frames_in(film: Path) -> int:
    """How many whole frames a film holds, one that broke off too."""
    try:
        return sum(len(segment) for segment in segments_of(film, repeat(1)))
    except (av.FFmpegError, IndexError, OSError):
        return 0


def finish_video(
    film: Path,
    target: Path,
    codec: Codec,
    segments: Sequence[Segment],
    time_base: Fraction,
    sides: Sequence[SideTracks],
    finish: Finish,
) -> None:
    """Write `target`. segments: of the film, in ticks of time_base.

    Closes the sides. Raises SinkError.
    """
    kind = FORMAT_OF_SUFFIX[target.suffix.lower()]
    try:
        _guarded(target, lambda: _remux(film, target, kind, codec, segments, time_base, sides, finish))
        if finish.mark and kind != "matroska":
            with target.open("ab") as file:
                file.write(xmp_box())
    finally:
        for side in sides:
            side.close()


def _remux(
    film: Path,
    target: Path,
    kind: str,
    codec: Codec,
    segments: Sequence[Segment],
    time_base: Fraction,
    sides: Sequence[SideTracks],
    finish: Finish,
) -> None:
    options = {"fflags": "+bitexact"}  # keeps the muxer's own name and version out
    if kind in ("mp4", "mov"):
        options["movflags"] = "+faststart"
    made = av.open(str(film), "r", options=_LOCAL)
    with made, av.open(str(target), "w", format=kind, options=options) as out:
        stream = out.add_stream_from_template(made.streams.video[0], opaque=True)
        stream.time_base = time_base
        if codec.tag is not None and kind != "matroska":
            stream.codec_context.codec_tag = codec.tag
        for side in sides:
            side.add_to(out, target.suffix)
        if finish.created:
            out.metadata["creation_time"] = finish.created
        if finish.mark and kind == "matroska":
            out.metadata["DIGITAL_SOURCE_TYPE"] = SOURCE_TYPE
        times, done = DecodingTimes(codec.reorder), 0
        for packets in segments_of(film, [len(segment.ticks) for segment in segments]):
            following = segments[done + 1].ticks[0] if done + 1 < len(segments) else None
            times.stamp(packets, segments[done], following)
            done += 1
            for packet in packets:
                packet.stream, packet.time_base = stream, time_base
                _mux_sides(out, sides, start_s(packet))
                out.mux(packet)
        if done != len(segments):
            raise refused("output-unwritable", folder=target.parent, reason="the film that was made is damaged")
        _mux_sides(out, sides, None)


def _mux_sides(out: OutputContainer, sides: Sequence[SideTracks], end_s: Fraction | None) -> None:
    for side in sides:
        out.mux(list(side.until(end_s)))


def _guarded(path: Path, act: Callable[[], _T]) -> _T:
    try:
        return act()
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused("output-unwritable", folder=path.parent, reason=reason) from error

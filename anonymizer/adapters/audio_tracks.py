"""Takes the sound out of a file, packet by packet and untouched."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition

from anonymizer.media.tracks import SideTracks, language_for, start_s
from anonymizer.refusals import refused


class AudioTracks(SideTracks):
    """All audio streams of `source`. damaged: whether the sound broke off before its end.

    only_fitting: leave a track out that the target cannot hold, instead of raising SinkError.
    """

    def __init__(self, source: Path, only_fitting: bool = False) -> None:
        self.damaged = False
        self._only_fitting = only_fitting
        limits = {"protocol_whitelist": "file"}
        self._container: InputContainer = av.open(str(source.resolve()), "r", options=limits, metadata_errors="replace")
        self._inputs = [stream for stream in self._container.streams.audio if stream.codec_context is not None]
        self._outputs: dict[int, AudioStream] = {}
        self._packets: Iterator[Packet[Any]] = iter(())
        self._waiting: Packet[Any] | None = None

    @property
    def count(self) -> int:
        """How many tracks are copied."""
        return len(self._outputs)

    def add_to(self, target: OutputContainer, suffix: str) -> None:
        for stream in self._inputs:
            try:
                copy = target.add_stream_from_template(stream)
            except (av.FFmpegError, ValueError) as error:
                if self._only_fitting:
                    continue
                raise refused("video-sound", suffix=suffix, codec=stream.codec_context.name) from error
            if language := language_for(target, stream.language):
                copy.metadata["language"] = language
            copy.disposition = stream.disposition & Disposition.default
            self._outputs[stream.index] = copy
        if self._outputs:
            self._packets = self._container.demux([s for s in self._inputs if s.index in self._outputs])

    def until(self, end_s: Fraction | None) -> Iterator[Packet[Any]]:
        while (packet := self._waiting or self._next()) is not None:
            self._waiting = packet
            if end_s is not None and start_s(packet) > end_s:
                return
            self._waiting = None
            packet.stream = self._outputs[packet.stream.index]
            yield packet

    def close(self) -> None:
        self._container.close()

    def _next(self) -> Packet[Any] | None:
        try:
            for packet in self._packets:
                if packet.dts is not None:  # None: the empty packet that ends a stream
                    return packet
        except av.FFmpegError:
            self.damaged = True
        return None

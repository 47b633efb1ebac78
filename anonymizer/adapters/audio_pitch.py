"""Makes a deeper or higher voice of a file's sound. It disguises; it does not anonymize: the pitch can be put back,
and words, rhythm and accent stay."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph
from av.packet import Packet

from anonymizer.refusals import refused

PITCH = 0.8  # of every frequency: about four half-tones deeper
_BITS_PER_S = 160_000
_LIMITS = {"protocol_whitelist": "file"}
_FORMAT = "fltp"


def write_pitched(source: Path, target: Path) -> None:
    """Write all sound of `source`, deeper, as AAC into the MP4 `target`. Raises SinkError.

    What cannot be decoded is left out.
    """
    try:
        with av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
            voices: list[_Voice] = []
            with av.open(str(source.resolve()), "r", options=_LIMITS, metadata_errors="replace") as container:
                streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
                voices = [
                    _Voice(stream, out.add_stream("aac", rate=stream.codec_context.sample_rate)) for stream in streams
                ]
                by_index = {stream.index: voice for stream, voice in zip(streams, voices, strict=True)}
                for packet in _packets(container, streams):
                    out.mux(by_index[packet.stream.index].push(packet))
                for voice in voices:
                    out.mux(voice.finish())
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused("output-unwritable", folder=target.parent.parent, reason=reason) from error


def _packets(container: InputContainer, streams: list[AudioStream]) -> Iterator[Packet[Any]]:
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        if packet.size:
            yield packet


class _Voice:
    """One track through the filters and the encoder."""

    def __init__(self, source: AudioStream, target: AudioStream) -> None:
        context = source.codec_context
        self._source, self._target = source, target
        self._rate_hz, self._layout = context.sample_rate, context.layout.name
        target.codec_context.layout = self._layout
        target.codec_context.bit_rate = _BITS_PER_S
        if source.language:
            target.metadata["language"] = source.language  # of a passing file; checked when it is copied
        self._graph: Graph | None = None

    def push(self, packet: Packet[Any]) -> list[Packet[Any]]:
        try:
            frames: list[Any] = list(packet.decode())
        except av.FFmpegError:
            return []
        out: list[Packet[Any]] = []
        for frame in frames:
            if self._graph is None:
                self._graph = self._built(frame)
            self._graph.push(frame)
            out += self._encoded()
        return out

    def finish(self) -> list[Packet[Any]]:
        out: list[Packet[Any]] = []
        if self._graph is not None:
            self._graph.push(None)
            out = self._encoded()
        return out + self._target.encode(None)

    def _built(self, first: AudioFrame) -> Graph:
        graph = Graph()
        rate_hz = first.sample_rate
        nodes = [
            graph.add_abuffer(
                sample_rate=rate_hz,
                format=first.format.name,
                layout=first.layout.name,
                time_base=first.time_base or Fraction(1, rate_hz),
            ),
            graph.add("aresample", f"{rate_hz}:async=1"),  # fills gaps, so that the sound stays with the picture
            graph.add("asetrate", str(round(rate_hz * PITCH))),
            graph.add("atempo", f"{1 / PITCH:.6f}"),
            graph.add("aresample", str(self._rate_hz)),
            graph.add("aformat", f"sample_fmts={_FORMAT}:channel_layouts={self._layout}"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph

    def _encoded(self) -> list[Packet[Any]]:
        out: list[Packet[Any]] = []
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return out
            out += self._target.encode(frame)  # type: ignore[arg-type]  # a sound filter gives sound

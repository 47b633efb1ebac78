"""Plans and the renderer's memory as plain values, to be kept on disk while a video is made.

Motion codes, cover boxes, convex outlines of whole people, joints of hands before faces, skin tone steps and colour
grids of what was painted: no landmark of a face, no crop, no picture, nothing of a face that the output does not show.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from anonymizer.faces import HAND_POINTS, Box, Floats, MotionCode, PlannedFace, PlannedHand
from anonymizer.generate.steady import Light
from anonymizer.persona.tone import Tone


class CodeState(msgspec.Struct, frozen=True, array_like=True):
    """A MotionCode; the arrays as float32, little-endian, one behind the other."""

    scale_px_per_cm: float
    values: bytes


class HandState(msgspec.Struct, frozen=True, array_like=True):
    """A PlannedHand; joints and their spread as float32, little-endian, one behind the other."""

    values: bytes
    strength: float


class FaceState(msgspec.Struct, frozen=True, array_like=True):
    """A PlannedFace."""

    slot: int
    code: CodeState | None
    cover_box: tuple[float, float, float, float] | None
    cover_outline: bytes | None = None  # float64, little-endian
    hands: tuple[HandState, ...] = ()


class GridState(msgspec.Struct, frozen=True, array_like=True):
    """A float32 array."""

    shape: tuple[int, ...]
    values: bytes


class LightState(msgspec.Struct, frozen=True, array_like=True):
    """What `generate.steady` remembers of a slot."""

    slot: int
    code: CodeState
    gain: GridState
    bias: GridState
    wall: GridState | None
    painted: GridState


class ToneState(msgspec.Struct, frozen=True, array_like=True):
    """The tone that a slot has."""

    slot: int
    step: int
    tint: GridState
    seen: bool


class RenderState(msgspec.Struct, frozen=True, array_like=True):
    """All that a renderer carries from one frame to the next. edges_px: how soft the camera's edges are."""

    tones: tuple[ToneState, ...] = ()
    lights: tuple[LightState, ...] = ()
    edges_px: float | None = None


Memory = tuple[dict[int, Tone], dict[int, Light], float | None]
"""Tone of each slot; last code and grids of each slot; blur of the clip's edges in px."""


def pack_memory(memory: Memory) -> RenderState:
    tones, lights, edges_px = memory
    return RenderState(
        tuple(ToneState(slot, tone.step, _pack(tone.tint), tone.seen) for slot, tone in tones.items()),
        tuple(_pack_light(slot, light) for slot, light in lights.items()),
        edges_px,
    )


def unpack_memory(state: RenderState) -> Memory:
    tones = {tone.slot: Tone(tone.step, _unpack(tone.tint), tone.seen) for tone in state.tones}
    lights = {at.slot: _unpack_light(at) for at in state.lights}
    return tones, lights, state.edges_px


def _pack_light(slot: int, light: Light) -> LightState:
    code, gain, bias, wall, painted = light
    packed_wall = None if wall is None else _pack(wall)
    return LightState(slot, _pack_code(code), _pack(gain), _pack(bias), packed_wall, _pack(painted))


def _unpack_light(at: LightState) -> Light:
    wall = None if at.wall is None else _unpack(at.wall)
    return _unpack_code(at.code), _unpack(at.gain), _unpack(at.bias), wall, _unpack(at.painted)


def pack_faces(faces: Sequence[PlannedFace] | None) -> tuple[FaceState, ...] | None:
    if faces is None:
        return None
    return tuple(
        FaceState(
            face.slot,
            None if face.code is None else _pack_code(face.code),
            None if face.cover_box is None else _corners(face.cover_box),
            None if face.cover_outline is None else face.cover_outline.astype("<f8").tobytes(),
            tuple(_pack_hand(hand) for hand in face.hands),
        )
        for face in faces
    )


def unpack_faces(faces: Sequence[FaceState] | None) -> tuple[PlannedFace, ...] | None:
    if faces is None:
        return None
    return tuple(
        PlannedFace(
            face.slot,
            None if face.code is None else _unpack_code(face.code),
            None if face.cover_box is None else Box(*face.cover_box),
            None if face.cover_outline is None else _outline(face.cover_outline),
            tuple(_unpack_hand(hand) for hand in face.hands),
        )
        for face in faces
    )


def _pack_hand(hand: PlannedHand) -> HandState:
    values = np.concatenate([hand.points_px.ravel(), hand.spread_px])
    return HandState(values.astype("<f4").tobytes(), hand.strength)


def _unpack_hand(state: HandState) -> PlannedHand:
    values = np.frombuffer(state.values, "<f4").astype(np.float32)
    return PlannedHand(values[: 2 * HAND_POINTS].reshape(HAND_POINTS, 2), values[2 * HAND_POINTS :], state.strength)


def _outline(values: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(values, "<f8").astype(np.float64).reshape(-1, 2)


def _corners(box: Box) -> tuple[float, float, float, float]:
    return float(box.x0), float(box.y0), float(box.x1), float(box.y1)


def _pack_code(code: MotionCode) -> CodeState:
    values = np.concatenate([code.center_px, code.rotation, code.expression, code.gaze.ravel()])
    return CodeState(float(code.scale_px_per_cm), values.astype("<f4").tobytes())


def _unpack_code(state: CodeState) -> MotionCode:
    values = np.frombuffer(state.values, "<f4").astype(np.float32)
    return MotionCode(
        center_px=values[:2],
        scale_px_per_cm=state.scale_px_per_cm,
        rotation=values[2:5],
        expression=values[5:-4],
        gaze=values[-4:].reshape(2, 2),
    )


def _pack(grid: Floats) -> GridState:
    if grid.dtype != np.float32:
        raise TypeError(f"expected float32, got {grid.dtype}")
    return GridState(grid.shape, grid.astype("<f4").tobytes())


def _unpack(state: GridState) -> Floats:
    return np.frombuffer(state.values, "<f4").astype(np.float32).reshape(state.shape)

"""The way of a frame, from what is planned to what may leave. The only place that makes a SafeFrame.

hole     from the motion code alone
erase    the hole, before anything else reads the frame
guide    the slot's persona, drawn in the code's pose
generate light, seams, inner mouth and what the guide lacks
compose  at the frame's own resolution
hands    that are surely before the face, laid over it again
verdict  what was done; a frame that fails on the way leaves blank
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from anonymizer.faces import FaceCrop, Floats, Mask, MotionCode, PlannedFace, PlannedHand, SyntheticFace
from anonymizer.frames import Frame, SafeFrame, Verdict, _PipelineToken
from anonymizer.generate.badge import add_badge
from anonymizer.generate.compose import compose
from anonymizer.generate.conditioning import RING_SHARE
from anonymizer.generate.crop import CROP_CM
from anonymizer.generate.detail import detail_around
from anonymizer.generate.guide import PosedPersona, draw, face_crop, pose, texture_mips
from anonymizer.generate.softness import Softness
from anonymizer.generate.steady import SteadyLight
from anonymizer.geometry import rotation_from_vector
from anonymizer.guard.coverage import Coverage, box_outline, fill_hole, hull, oval_outline
from anonymizer.guard.erase import blend_outside, bounds, erase
from anonymizer.guard.fallback import Fallback, cover
from anonymizer.guard.hands import in_front, put_in_front, sure_mask
from anonymizer.persona.face_model import FaceModel
from anonymizer.persona.persona import Persona, tinted
from anonymizer.persona.tone import Tone, plain, propose_tone, retinted
from anonymizer.plan_state import Memory
from anonymizer.stages import FaceGenerator

BLANK_RGB = 24
MIN_FACE_PX = 22.0  # width of a face below which a persona is mush and the fallback is calmer
LEAST_FACING = float(np.cos(np.deg2rad(72)))  # turned further from the camera, landmarks are guesses
FACE_WIDTH_CM = 15.5
SPARE_PERSONAS = 2  # textures kept beyond those of the frame, 3 MB each; a long film has hundreds of slots
_TOKEN = _PipelineToken()

DrawPersona = Callable[[int, int], Persona]
"""slot, tone step (0 dark to 5 light) -> the persona."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One face on its part of the frame: where it lies, its own hole there, and its outlines in the frame."""

    face: PlannedFace
    where: tuple[slice, slice]
    hole: Mask
    code: MotionCode | None


@dataclass(slots=True)
class Anonymizer:
    """Renders planned frames. tone: a fixed step, or None to propose one from each slot's first sight.

    Not thread-safe; give it the frames of one clip in order, or one photo, then `reset`.
    """

    generator: FaceGenerator
    draw_persona: DrawPersona
    model: FaceModel
    tones_rgb: npt.NDArray[np.float32]
    tone_weights: npt.NDArray[np.float32] | None = None  # of the persona bank: a face's colour from what is around it
    coverage: Coverage = "face"
    fallback: Fallback = "blur"
    tone: int | None = None
    badge: bool = False  # a visible mark in the corner of frames with faces
    max_personas: int = 8  # faces of one frame that get a persona; the smaller ones beyond get the fallback
    _tones: dict[int, Tone] = field(default_factory=dict)
    _personas: dict[int, tuple[Tone, Persona, tuple[npt.NDArray[np.uint8], ...]]] = field(default_factory=dict)
    _light: SteadyLight = field(default_factory=SteadyLight)
    _softness: Softness = field(default_factory=Softness)
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "generator"))

    def apart(self) -> Anonymizer:
        """Another one of the same networks, personas and choices, with a memory of its own."""
        shared = (self.generator, self.draw_persona, self.model, self.tones_rgb, self.tone_weights)
        return Anonymizer(*shared, self.coverage, self.fallback, self.tone, self.badge, self.max_personas)

    def reset(self) -> None:
        """Forget tones, light and softness; slots mean new people from here on."""
        self._tones.clear()
        self._personas.clear()
        self._light = SteadyLight()
        self._softness = Softness()

    def memory(self) -> Memory:
        """All that one frame leaves to the next; `remember` in a fresh renderer of the same secret goes on from it."""
        return dict(self._tones), self._light.memory(), self._softness.edges_px

    def remember(self, memory: Memory) -> None:
        """Go on where another renderer was."""
        self.reset()
        tones, lights, edges_px = memory
        self._tones.update(tones)
        self._light = SteadyLight(dict(lights))
        self._softness = Softness(edges_px)

    def render(self, frame: Frame, faces: tuple[PlannedFace, ...]) -> SafeFrame:
        """The frame with every planned face replaced or covered. Never raises for a bad face: the frame is blanked."""
        hole = np.zeros(frame.rgb.shape[:2], np.uint8)
        try:
            rgb, verdict = self._replace(frame, faces, hole)
            if self.badge and faces:
                add_badge(rgb)
            depth = frame.depth.with_changes(frame.rgb, rgb, hole) if frame.depth is not None else None
        except Exception:  # noqa: BLE001  fail closed, whatever it was; the frame's pixels stay here
            return self.blank(frame)
        return SafeFrame(rgb, frame.index, frame.captured_at_s, verdict, len(faces), _TOKEN, depth)

    def blank(self, frame: Frame) -> SafeFrame:
        """A frame of the same size that shows nothing."""
        rgb = np.full(frame.rgb.shape, BLANK_RGB, np.uint8)
        return SafeFrame(rgb, frame.index, frame.captured_at_s, Verdict.BLANKED, 0, _TOKEN)

    def hole(self, faces: tuple[PlannedFace, ...], shape: tuple[int, ...]) -> Mask:
        """(H, W): what `render` erases of a frame of that shape for these faces."""
        hole = np.zeros(shape[:2], np.uint8)
        parts = self._limited([part for face in faces if (part := self._cut_hole(face, hole)) is not None])
        hole[sure_mask(_hands(parts), _covered(parts, hole.shape)) > 0] = 0
        return hole

    def _replace(
        self, frame: Frame, faces: tuple[PlannedFace, ...], hole: Mask
    ) -> tuple[npt.NDArray[np.uint8], Verdict]:
        """The picture that may leave; all that was erased is added to `hole`."""
        if not faces:
            return frame.rgb.copy(), Verdict.NO_FACE
        parts = self._limited([part for face in faces if (part := self._cut_hole(face, hole)) is not None])
        out, index = erase(frame.rgb, hole), frame.index
        hands = in_front(frame.rgb, hole, _covered(parts, hole.shape), _hands(parts))
        del frame  # from here on the raw pixels are out of reach
        verdict = Verdict.REPLACED
        posed = [
            (part, part.code, self._posed(part.face.slot, part.code, out, hole))
            for part in parts
            if part.code is not None
        ]
        if posed:
            self._softness.look(out, hole, _largest(posed).where, index)
        while len(self._personas) > len(posed) + SPARE_PERSONAS:
            unseen_for_longest = next(iter(self._personas))  # drawn again, the same, if it comes back
            self._personas.pop(unseen_for_longest)
        blur_px, size_px = self._softness.guide_px, self.generator.size_px
        crops = [face_crop(out, hole, code, persona, size_px, blur_px) for _, code, persona in posed]
        asked = self._beside.submit(self.generator.generate, crops) if crops else None
        # while the network thinks:
        drawn = [draw(persona, code, *part.where, blur_px) for part, code, persona in posed]
        blends = [blend_outside(part.hole, ring_px(code)) for part, code, _ in posed]
        answers = asked.result() if asked is not None else ()
        covered = [part for part in parts if part.code is None]
        if covered:
            verdict = Verdict.OBSCURED
            self._cover(out, covered, hole)
        erased = out.copy() if len(posed) > 1 else out
        for (part, code, _), guide, blend, crop, answer in zip(posed, drawn, blends, crops, answers, strict=True):
            face = self._light(part.face.slot, code, answer)
            detail = detail_around(erased, hole, part.where, blend, crop, face)
            self._paste(out, part, guide, (blend, detail), crop, face)
        if hands is not None:
            put_in_front(out, hands)
            hole[hands.sure > 0] = 0
        return out, verdict

    def _cut_hole(self, face: PlannedFace, hole: Mask) -> _Part | None:
        """Add the face's hole to the frame's; None when it lies wholly outside."""
        code = face.code if face.code is not None and fit_for_persona(face.code) else None
        outlines = []
        if face.code is not None:
            wanted = self.coverage if code is not None or self.coverage == "box" else "head"
            outlines.append(hull(face.code, wanted, self.model))
        if face.cover_box is not None:
            outlines.append((box_outline if self.coverage == "box" else oval_outline)(face.cover_box))
        if face.cover_outline is not None:
            outlines.append(face.cover_outline)
        margin = ring_px(code) + 2 if code is not None else 0.25 * float(np.ptp(outlines[0], axis=0).max())
        where = bounds(outlines, margin, hole.shape)
        if where is None:
            return None
        own = np.zeros((where[0].stop - where[0].start, where[1].stop - where[1].start), np.uint8)
        for outline in outlines:
            fill_hole(own, outline - [where[1].start, where[0].start])
        hole[where] |= own
        return _Part(face, where, own, code)

    def _limited(self, parts: list[_Part]) -> list[_Part]:
        """Only the max_personas largest faces get a persona; the others the fallback."""
        sizes = sorted((p.code.scale_px_per_cm for p in parts if p.code is not None), reverse=True)
        if len(sizes) <= self.max_personas:
            return parts
        least = sizes[self.max_personas - 1]
        return [replace(p, code=None) if p.code is not None and p.code.scale_px_per_cm < least else p for p in parts]

    def _cover(self, out: npt.NDArray[np.uint8], parts: list[_Part], hole: Mask) -> None:
        """The largest first; what it has covered is known to those that lie in it, or black would come into them."""
        import cv2

        unknown = hole.copy()
        for part in sorted(parts, key=lambda each: -each.hole.size):
            bare = np.asarray(cv2.bitwise_and(part.hole, unknown[part.where]), np.uint8)
            if bare.any():
                cover(out[part.where], bare, unknown[part.where], self.fallback)
                unknown[part.where][bare > 0] = 0

    def _posed(self, slot: int, code: MotionCode, erased: npt.NDArray[np.uint8], hole: Mask) -> PosedPersona:
        tone = self._tone(slot, code, erased, hole)
        if slot not in self._personas or self._personas[slot][0] is not tone:
            persona = self.draw_persona(slot, tone.step)
            self._personas[slot] = tone, persona, texture_mips(tinted(persona.texture_rgb, tone.tint))
        known = self._personas[slot] = self._personas.pop(slot)  # the latest
        return pose(code, known[1], known[2], self.model)

    def _tone(self, slot: int, code: MotionCode, erased: npt.NDArray[np.uint8], hole: Mask) -> Tone:
        """The slot's tone: fixed, or that of its first sight; until skin is in sight it is looked for again."""
        known = self._tones.get(slot)
        if known is None and self.tone is not None:
            known = plain(self.tone)
        if known is None or not known.seen:
            outline = hull(code, "face", self.model)
            proposed = propose_tone(erased, hole, outline, self.tones_rgb, self.tone_weights)
            if known is None:
                known = proposed
            elif proposed.seen:
                known = retinted(known, proposed, self.tones_rgb)
        self._tones[slot] = known
        return known

    def _paste(
        self,
        out: npt.NDArray[np.uint8],
        part: _Part,
        drawn: tuple[npt.NDArray[np.uint8], Mask],
        rim: tuple[Floats, npt.NDArray[np.int16]],
        crop: FaceCrop,
        face: SyntheticFace,
    ) -> None:
        rows, columns = part.where
        (guide, coverage), (blend, detail) = drawn, rim
        crop_from_part = crop.crop_from_frame.copy()
        crop_from_part[:, 2] += crop.crop_from_frame[:, :2] @ np.array([columns.start, rows.start])
        compose(out[part.where], blend, guide, coverage, face, crop_from_part, detail)


def _largest(posed: list[tuple[_Part, MotionCode, PosedPersona]]) -> _Part:
    return max(posed, key=lambda each: each[1].scale_px_per_cm)[0]


def _hands(parts: list[_Part]) -> tuple[PlannedHand, ...]:
    return tuple(hand for part in parts if part.code is not None for hand in part.face.hands)


def _covered(parts: list[_Part], shape: tuple[int, ...]) -> Mask:
    """(H, W): where a cover lies; nothing stays in front of it."""
    mask = np.zeros(shape[:2], np.uint8)
    for part in parts:
        if part.code is None or part.face.cover_outline is not None:
            mask[part.where] |= part.hole
    return mask


def ring_px(code: MotionCode) -> float:
    """Width of the blended ring around a persona's hole, as training has it."""
    return RING_SHARE * CROP_CM * code.scale_px_per_cm


def fit_for_persona(code: MotionCode) -> bool:
    """Large enough, and not turned too far away, to wear a persona; else the face gets the fallback cover."""
    facing = float(rotation_from_vector(code.rotation)[2, 2])  # cosine of the angle between gaze line and view
    return FACE_WIDTH_CM * code.scale_px_per_cm >= MIN_FACE_PX and facing >= LEAST_FACING


__all__ = ["Anonymizer", "DrawPersona", "fit_for_persona", "ring_px"]

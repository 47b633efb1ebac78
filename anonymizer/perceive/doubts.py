"""Where landmarks are doubted, and how much room a box gets then: what is erased beside the hole of the motion code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.faces import Box, Face
from anonymizer.geometry import in_outline, rotation_from_vector
from anonymizer.guard.coverage import hull
from anonymizer.perceive.boxes import around
from anonymizer.perceive.motion import Motion, photo_baseline, reduce_motion
from anonymizer.persona.face_model import FaceModel

FACE_WIDTH_CM = 15.5
# Of a detector's box, which ends at brows and temples, to the box of the oval that covers the face; and how far a small
# box may be off: CenterFace tells places in steps of four px.
COVER_SCALE, COVER_PX = 1.6, 1.5
# A detector's box, less its corners, lies in the hole of a plain face; where it does not, or landmarks are guesses
# (turned far, or few px), the box is erased too.
BOX_CORE = 0.8
GUESSED_TURN_COS = float(np.cos(np.deg2rad(42)))
GUESSED_WIDTH_CM_PX = 30.0
OVAL_SCALE = 1.3
# Landmarks that slid off a face behind a hand had a presence of .92 to .98 and .56 cm; on plain faces they have .99 and
# more and .2 to .4 cm.
SURE_PRESENCE = 0.985
SURE_RESIDUAL_CM = 0.45  # a head on its crown that was taken for an upright one had .48
GUESSED_SCALE = 1.6
# Turned less than a profile, or odd but where the detector is: landmarks' and detector's box hold all but an edge.
PROFILE_COS, AGREED_IOU, AGREED_SCALE = float(np.cos(np.deg2rad(60))), 0.65, 1.45
LYING_RAD, LYING_SCALE = 0.8, 2.0  # the detector's box of a lying head of 57 px had 38
# Landmarks whose size is not that of the frames about them have slid: a head that lay had .55 of its size for a frame.
SLID_FRAMES, SLID_GROWTH = 3, 0.22  # to each side; in log size
# A head that came back from 81 degrees had sure landmarks, 45 degrees off, in five frames between doubted ones.
DOUBT_FRAMES, MANY_DOUBTS = 6, 3  # to each side


def cover_of(box: Box) -> Box:
    """The box of the oval that covers the face in a detector's box."""
    grown = box.scaled(COVER_SCALE)
    return Box(grown.x0 - COVER_PX, grown.y0 - COVER_PX, grown.x1 + COVER_PX, grown.y1 + COVER_PX)


def doubted_box(face: Face, motion: Motion, model: FaceModel) -> Box | None:
    """A box to erase as well, where the hole made from the landmarks may not hold all of the face."""
    code = reduce_motion(motion.pose, motion.expression, motion.gaze, photo_baseline(motion.expression, model), model)
    facing = float(rotation_from_vector(code.rotation)[2, 2])
    guessed = facing < PROFILE_COS or FACE_WIDTH_CM * code.scale_px_per_cm < GUESSED_WIDTH_CM_PX
    odd = face.confidence < SURE_PRESENCE or motion.residual_px > SURE_RESIDUAL_CM * np.exp(motion.pose[2])
    if guessed or odd or facing < GUESSED_TURN_COS:
        agreed = face.detected_box is not None and face.box_px.iou(face.detected_box) >= AGREED_IOU
        scale = GUESSED_SCALE if guessed or (odd and not agreed) else AGREED_SCALE
        scale = scale if abs(face.roll_rad) < LYING_RAD else LYING_SCALE
        return around(face.box_px, face.detected_box or face.box_px).scaled(scale)
    if face.detected_box is None:
        return None
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    core = face.detected_box.scaled(BOX_CORE)
    (x, y), half = core.center, (core.width / 2, core.height / 2)
    points = np.stack([x + half[0] * np.cos(angle), y + half[1] * np.sin(angle)], 1)
    held = in_outline(points, hull(code, "face", model))
    return None if held.all() else face.detected_box.scaled(OVAL_SCALE)


def has_slid(motions: Sequence[Motion | None], step: int) -> bool:
    """Is the face of a step much larger or smaller than in the frames about it?"""
    here, about = motions[step], [m for m in motions[window(step)] if m is not None]
    if here is None or len(about) < 2:
        return False
    return abs(float(here.pose[2] - np.median([m.pose[2] for m in about]))) > SLID_GROWTH


def among_doubts(faces: Sequence[Face | None], step: int) -> bool:
    """Were many landmarks just before or just after doubted? A profile's seem sure again before they are right."""
    sides = faces[max(0, step - DOUBT_FRAMES) : step], faces[step + 1 : step + 1 + DOUBT_FRAMES]
    return any(sum(_is_doubted(face) for face in side) >= MANY_DOUBTS for side in sides)


def _is_doubted(face: Face | None) -> bool:
    return face is not None and face.landmarks_px is not None and face.detected_box is not None


def window(step: int) -> slice:
    return slice(max(0, step - SLID_FRAMES), step + SLID_FRAMES + 1)

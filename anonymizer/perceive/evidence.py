"""Is a track somebody's face? A detector that is believed from .2 on sees faces in pots and shadows too.

A large face is plain to see: CenterFace says .5 of it in one look of ten, or the landmarks stay on it. What does
neither is no face, however often it is suspected. Small ones are believed as they are, unless they come and go.
At the frame's edge less is asked: half a face is never sure, and comes and goes. But what a second look denies in
every single frame is none (`second_look`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from anonymizer.faces import Face
from anonymizer.perceive.tracks import Track, edges

LARGE_PX = 40.0  # box width, median of a track
SURE_SCORE = 0.5  # CenterFace's; a plant pot of 100 px had .2 to .5 over 111 frames, the woman beside it .7 and more
SURE_SHARE = 0.1  # of a track's sightings
SEEN_SHARE = 0.3  # of the frames from a track's first sighting to its last; faces of 12 px are seen in .75 and more
FAINT_SCORE = 0.35  # half a face leaning in had up to .5 over 9 frames of 50, a chair at the edge .23 over 3
SURE_PRESENCE = 0.8
DENIED_SIGHTINGS = 8  # at least, each of them looked at again in vain
_UNASKED: Mapping[int, bool] = {}
LANDMARK_SHARE = 0.25  # of a track's sightings; on the pot the landmarks were sure in 7 of a hundred


def has_landmarks(track: Track) -> bool:
    """Did landmarks stay on it? Only then it gets a persona."""
    seen = [face for face in track.faces if face is not None]
    sure = sum(face.landmarks_px is not None and face.confidence >= SURE_PRESENCE for face in seen)
    return bool(seen) and sure >= LANDMARK_SHARE * len(seen)


def is_mistake(track: Track, size_px: tuple[int, int], backed: Mapping[int, bool] = _UNASKED) -> bool:
    """Hardly ever sure, and either seen now and then only, or large without landmarks that stay on it; at the edge of
    a frame of size_px: seen now and then only, and always faintly, or large and always denied by a second look. With
    landmarks that are sure: only if denied, and seen briefly, or now and then. backed: by id of a face, the second
    look's answer.
    """
    at = [index for index, face in enumerate(track.faces) if face is not None]
    seen = [face for face in track.faces if face is not None]
    sure = sum(face.landmarks_px is None and face.confidence >= SURE_SCORE for face in seen)
    if not seen or sure >= SURE_SHARE * len(seen):
        return False
    rare = len(seen) < SEEN_SHARE * (at[-1] - at[0] + 1)
    answers = [backed[id(face)] for face in seen if id(face) in backed]
    denied = bool(answers) and not any(answers)
    if any(face.landmarks_px is not None and face.confidence >= SURE_PRESENCE for face in seen):
        if denied and len(seen) < DENIED_SIGHTINGS:
            return True
        rare = rare and denied
    if any(edges(face.box_px, size_px) for face in seen):
        unasked = any(edges(face.box_px, size_px) and id(face) not in backed for face in seen)
        often_denied = denied and not unasked and len(answers) >= DENIED_SIGHTINGS
        return (rare and max(face.confidence for face in seen) < FAINT_SCORE) or (often_denied and _is_large(seen))
    return rare or (not has_landmarks(track) and _is_large(seen))


def _is_large(seen: Sequence[Face]) -> bool:
    return float(np.median([face.box_px.width for face in seen])) >= LARGE_PX

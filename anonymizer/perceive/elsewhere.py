"""Where a track need not be covered in a frame that it was not seen in: its face is plainly seen in another track.

Boxes of half faces jump in size and place, and who comes out from behind a post comes out elsewhere; so one face may
make several tracks, and each would be covered, growing, for many frames in which the other is in plain sight.
Only frames without a sighting are given up, by time and place alone, to a sighting that is sure; or, by boxes that were
never sure and always held another's, to any frame of that track, if it is sure most of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from anonymizer.faces import Box, Face
from anonymizer.perceive.detections import same_face
from anonymizer.perceive.tracks import LOW_SCORE, Track

SURE_PRESENCE = 0.8
SOON = 12  # frames from the last sighting of one track to the first of another that goes on with it
ESTABLISHED = 10  # sure sightings, and half of all
HELD = 0.7  # of a sure face's box, that an unsure one holds which is taken for the same


def is_sure(face: Face) -> bool:
    """Is a sighting beyond doubt?"""
    return face.confidence >= (LOW_SCORE if face.landmarks_px is None else SURE_PRESENCE)


def seen_elsewhere(track: Track, tracks: Sequence[Track]) -> set[int]:
    """Frames without a sighting of `track` in which another of `tracks`, all of one clip, surely shows its face."""
    seen = [track.first_index + step for step, face in enumerate(track.faces) if face is not None]
    never_sure = not any(face is not None and is_sure(face) for face in track.faces)
    given_up: set[int] = set()
    for other in tracks:
        if other is track or other.end_index <= track.first_index or track.end_index <= other.first_index:
            continue
        held = never_sure and all(_is_held(track, other, at) for at in seen)
        doubled = held and _is_established(other)
        for start, end, about in _unseen(track, seen):
            goes_on = len(about) == 1 and _goes_on(track, other, about[0], after=start > about[0])
            if doubled or goes_on or (never_sure and all(_is_held(track, other, at) for at in about)):
                span = range(max(start, other.first_index), min(end, other.end_index))
                given_up |= {index for index in span if doubled or _is_surely_seen(other, index)}
    return given_up


def _unseen(track: Track, seen: Sequence[int]) -> list[tuple[int, int, tuple[int, ...]]]:
    """Stretches [start, end) without a sighting, and the sightings next to each."""
    edges = [(track.first_index, seen[0], (seen[0],)), (seen[-1] + 1, track.end_index, (seen[-1],))]
    gaps = [(a + 1, b, (a, b)) for a, b in pairwise(seen)]
    return [each for each in (*edges, *gaps) if each[0] < each[1]]


def _is_held(track: Track, other: Track, at: int) -> bool:
    """At a sighting of `track`: is it a box too large about the other face, or all that was seen of it?"""
    there = other.at(at)
    if there is None:
        return False
    face, box = there
    own, within = _box(track, at), box if face is None else face.box_px
    holds = own.intersection(within) >= HELD * within.width * within.height
    return holds or (face is None and same_face(own, box))


def _goes_on(track: Track, other: Track, at: int, after: bool) -> bool:
    """Does the other track begin where and soon after this one ended (after), or end so before it began?"""
    there = other.at(at)
    shown = [other.first_index + step for step, face in enumerate(other.faces) if face is not None]
    nearest = shown[0] if after else shown[-1]
    pause = nearest - at if after else at - nearest
    if there is None or not 0 < pause <= SOON:
        return False
    back = track.at(nearest)
    return back is not None and same_face(_box(track, at), there[1]) and same_face(_box(other, nearest), back[1])


def _is_established(track: Track) -> bool:
    seen = [face for face in track.faces if face is not None]
    sure = sum(map(is_sure, seen))
    return sure >= max(ESTABLISHED, len(seen) / 2)


def _box(track: Track, at: int) -> Box:
    return track.boxes[at - track.first_index]


def _is_surely_seen(track: Track, index: int) -> bool:
    face = track.faces[index - track.first_index]
    return face is not None and is_sure(face)

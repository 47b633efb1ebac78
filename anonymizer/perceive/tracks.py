"""Links a whole clip's faces into tracks, by place and time alone: no feature of a face is ever compared.

Covering comes first: a track is kept over gaps, and reaches beyond its first and last sighting, its box growing with
the doubt. A glimpse, of low score and never with landmarks that are sure, reaches less far: it may be a mistake.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

from anonymizer.faces import Box, Face
from anonymizer.perceive.boxes import around, between, box_distance, corners, is_outside, moved

MAX_GAP = 45  # frames a face may be out of sight and still be the same track
REACH = 16  # frames a track is covered before its first and after its last sighting
FIRST_GROWTH = 0.1  # of the box, where it is not seen
GROWTH = 0.04  # and further for each frame away from the nearest sighting
MAX_GROWTH = 0.6
EDGE_NEAR = 0.12  # of its side: so near to the frame's edge a box counts as cut by it
EDGE_REACH = 50  # frames; as long somebody may stay half outside, showing less than any detector finds
EDGE_SIGHTINGS = 12  # of the first or last, that tell how fast it comes in or goes out
JUMPY_GAP = 6  # frames between two sightings, one of them unsure, over which both boxes are held
EDGE_JUMPS = 2  # frames to each side, the boxes of which are held as well
EDGE_SHARED = 0.7  # of the narrower one, that two slivers of one face share along the edge
PART_SEEN = 0.75  # of the height in the frames about it: a bare box so much lower is of what is not hidden yet
SLOWED = 0.7  # of its speed, that it may go on with at least
WALKING = 0.03  # of its side a frame: as fast a face that is at the edge goes on over it
MIN_STEP = 0.6  # how far, in box sides, a face may lie from where it was expected in the very next frame
STEP_GROWTH = 0.08  # and by how much more for each further frame
MAX_STEP = 1.5
STEADY = 0.5  # share of a newly seen speed that is taken over
COAST = 5  # frames a speed is believed in
SHORT = 2  # sightings; a track of so few, none of them sure, reaches only as far beyond them
LOW_SCORE = 0.5
HEAD, PART = 1.6, 0.8  # of a plain face's box, of a bare one that lies in it: grey hair beside an ear had .52 once
LOW_PRESENCE = 0.97  # landmarks that were laid once over a braid and a poster had .94


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face through one shot. faces[i], boxes[i] belong to frame first_index + i.

    slot: number in order of first appearance. faces: None where it was not seen. boxes: where it is or may be, in
    every frame of the track, inside or partly outside the picture.
    """

    slot: int
    first_index: int
    faces: tuple[Face | None, ...]
    boxes: tuple[Box, ...]

    def __post_init__(self) -> None:
        if len(self.faces) != len(self.boxes) or not self.boxes:
            raise ValueError(f"a track needs a box for each face, got {len(self.boxes)} and {len(self.faces)}")

    @property
    def end_index(self) -> int:
        """The first frame after the track."""
        return self.first_index + len(self.boxes)

    def at(self, index: int) -> tuple[Face | None, Box] | None:
        """What is known at frame `index`, None outside the track."""
        if not self.first_index <= index < self.end_index:
            return None
        return self.faces[index - self.first_index], self.boxes[index - self.first_index]


@dataclass(slots=True)
class Path:
    """A track being built: sightings by frame number, and the speed of its centre in px a frame."""

    seen: dict[int, Face] = field(default_factory=dict)
    last_index: int = -1
    speed: tuple[float, float] = (0.0, 0.0)

    @property
    def last_box(self) -> Box:
        return self.seen[self.last_index].box_px

    def distance(self, index: int, box: Box) -> float:
        """From where it is expected: going on as it did, or, after a while, where it may have stopped."""
        steps = index - self.last_index
        counts = (steps,) if steps <= COAST else (0, COAST, steps)
        return min(box_distance(moved(self.last_box, self.speed[0] * n, self.speed[1] * n), box) for n in counts)

    def add(self, index: int, face: Face) -> None:
        if self.seen and (face.landmarks_px is None) == (self.seen[self.last_index].landmarks_px is None):
            steps = index - self.last_index  # from landmarks to a detector's box is no movement
            (x0, y0), (x1, y1) = self.last_box.center, face.box_px.center
            old_x, old_y = self.speed
            self.speed = old_x + STEADY * ((x1 - x0) / steps - old_x), old_y + STEADY * ((y1 - y0) / steps - old_y)
        self.seen[index] = face
        self.last_index = index


def link_clip(
    observations: Sequence[tuple[Face, ...]], size_px: tuple[int, int], cuts: frozenset[int] = frozenset()
) -> tuple[Track, ...]:
    """Tracks of a clip. observations: the faces of each frame. cuts: frames at which a new shot begins."""
    paths = list(_paths(observations, cuts, size_px))
    paths.sort(key=lambda path: (min(path.seen), path.seen[min(path.seen)].box_px.x0))
    ordered_cuts = sorted(cuts)
    return tuple(_track(slot, path, observations, size_px, ordered_cuts) for slot, path in enumerate(paths))


def _paths(observations: Sequence[tuple[Face, ...]], cuts: frozenset[int], size_px: tuple[int, int]) -> list[Path]:
    done: list[Path] = []
    live: list[Path] = []
    for index, faces in enumerate(observations):
        ended = [path for path in live if index in cuts or index - path.last_index > MAX_GAP]
        done += ended
        live = [path for path in live if path not in ended]
        taken = assign(live, faces, index)
        for at, face in enumerate(faces):
            path = taken.get(at)
            if path is None:
                path = _cut_by_edge([other for other in live if other not in taken.values()], face, index, size_px)
            if path is None:
                path = Path()
                live.append(path)
            taken[at] = path
            path.add(index, face)
    return done + live


def assign(paths: Sequence[Path], faces: Sequence[Face], index: int) -> dict[int, Path]:
    """Which path each face (by its place in `faces`) goes on with: nearest pairs first."""
    pairs = []
    for path in paths:
        for at, face in enumerate(faces):
            distance = path.distance(index, face.box_px)
            if distance <= min(MAX_STEP, MIN_STEP + STEP_GROWTH * (index - path.last_index - 1)):
                pairs.append((distance, index - path.last_index, at, path))
    taken: dict[int, Path] = {}
    used: set[int] = set()
    for _, _, at, path in sorted(pairs, key=lambda pair: pair[:3]):
        if at not in taken and id(path) not in used:
            taken[at] = path
            used.add(id(path))
    return taken


def _cut_by_edge(paths: Sequence[Path], face: Face, index: int, size_px: tuple[int, int]) -> Path | None:
    """The path that was just at the same edge of the frame, at the same height: a sliver's size says nothing."""
    for path in paths:
        bare = face.landmarks_px is None or path.seen[path.last_index].landmarks_px is None
        sides = {side[:2] for side in edges(face.box_px, size_px)} & {
            side[:2] for side in edges(path.last_box, size_px)
        }
        if bare and index - path.last_index <= COAST and any(_along(face.box_px, path.last_box, a) for a, _ in sides):
            return path
    return None


def _along(one: Box, other: Box, axis: int) -> bool:
    """Do boxes at an edge across `axis` lie beside each other along it?"""
    low, high = 1 - axis, 3 - axis
    a, b = corners(one), corners(other)
    shared = min(a[high], b[high]) - max(a[low], b[low])
    return shared >= EDGE_SHARED * min(a[high] - a[low], b[high] - b[low])


def _is_glimpse(path: Path, observations: Sequence[tuple[Face, ...]]) -> bool:
    """Seen once or twice, never surely, and not again in a dozen close looks before and after?"""
    sure = any(_is_sure(face) and not _is_part(face, observations[index]) for index, face in path.seen.items())
    return len(path.seen) <= SHORT and not sure


def _is_sure(face: Face) -> bool:
    return face.confidence >= (LOW_SCORE if face.landmarks_px is None else LOW_PRESENCE)


def _is_part(face: Face, others: Sequence[Face]) -> bool:
    """A bare box that lies nearly all on the head of a face with sure landmarks: hair, or half of the face."""
    if face.landmarks_px is not None:
        return False
    box, area = face.box_px, face.box_px.width * face.box_px.height
    plain = (other.box_px.scaled(HEAD) for other in others if other.landmarks_px is not None and _is_sure(other))
    return any(box.intersection(whole) >= PART * area for whole in plain)


def _track(
    slot: int, path: Path, observations: Sequence[tuple[Face, ...]], size_px: tuple[int, int], cuts: Sequence[int]
) -> Track:
    first, last, length = min(path.seen), path.last_index, len(observations)
    reach, most = (len(path.seen), REACH) if _is_glimpse(path, observations) else (REACH, EDGE_REACH)
    shot_start = cuts[bisect_right(cuts, first) - 1] if bisect_right(cuts, first) else 0
    after = bisect_left(cuts, last + 1)
    shot_end = cuts[after] if after < len(cuts) else length
    known = sorted(path.seen)
    at_first = _reach_at(path.seen[first], _inner_speed(path, known, True, size_px), -1, size_px)
    at_last = _reach_at(path.seen[last], _inner_speed(path, known, False, size_px), 1, size_px)
    before, beyond = (max(reach, min(most, edge)) for edge in (at_first, at_last))
    start, end = max(first - before, shot_start, 0), min(last + 1 + beyond, shot_end, length)
    boxes = [_to_edge(_box_at(path, known, index, size_px), size_px) for index in range(start, end)]
    while len(boxes) > 1 and end > last + 1 and is_outside(boxes[-1], size_px):
        boxes.pop()
        end -= 1
    while len(boxes) > 1 and start < first and is_outside(boxes[0], size_px):
        boxes.pop(0)
        start += 1
    return Track(slot, start, tuple(path.seen.get(index) for index in range(start, end)), tuple(boxes))


def _reach_at(face: Face, speed: tuple[float, float], direction: int, size_px: tuple[int, int]) -> int:
    """`edge_reach`; 0 for sure landmarks that lie within the frame, since they would reach over the edge if it cut the
    face, and less of it would have been seen in the frames between."""
    box = face.box_px
    within = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= size_px[0] and box.y1 <= size_px[1]
    if within and face.landmarks_px is not None and _is_sure(face):
        return 0
    return edge_reach(box, speed, direction, size_px)


def edge_reach(box: Box, speed: tuple[float, float], direction: int, size_px: tuple[int, int]) -> int:
    """For how many frames a face at the frame's edge may still show a part too narrow for any detector, beyond its last
    (direction 1) or before its first (-1) sighting: until it went out at half its speed, or EDGE_REACH; 0 elsewhere.
    """
    sides = edges(box, size_px)
    if not sides:
        return 0
    side = max(box.width, box.height)
    frames = []
    for axis, sign, inside_px in sides:
        outward = speed[axis] * sign * direction
        frames.append((inside_px + EDGE_NEAR * side) / max(outward / 2, 1e-6))
    return math.ceil(min(EDGE_REACH, *frames)) if frames else 0


def _walks_out(box: Box, speed: tuple[float, float], direction: int, size_px: tuple[int, int]) -> bool:
    """Is a face at the frame's edge, and on its way over it? direction -1: backwards in time."""
    side = max(box.width, box.height)
    return any(speed[axis] * sign * direction > WALKING * side for axis, sign, _ in edges(box, size_px))


def edges(box: Box, size_px: tuple[int, int]) -> list[tuple[int, int, float]]:
    """The edges that a box is at: axis, the way out along it, and how far (px) the box reaches into the frame."""
    near = EDGE_NEAR * max(box.width, box.height)
    width, height = size_px
    found = []
    for axis, low, high, end in ((0, box.x0, box.x1, width), (1, box.y0, box.y1, height)):
        if low < near:
            found.append((axis, -1, max(0.0, high)))
        if high > end - near:
            found.append((axis, 1, max(0.0, end - low)))
    return found


def _to_edge(box: Box, size_px: tuple[int, int]) -> Box:
    """A box that nearly touches the frame's edge reaches over it: detectors end at it, faces do not."""
    near = EDGE_NEAR * max(box.width, box.height)
    x0, y0 = (low - near if low < near else low for low in (box.x0, box.y0))
    x1, y1 = (high + near if high > end - near else high for high, end in zip((box.x1, box.y1), size_px, strict=True))
    return Box(x0, y0, x1, y1)


def _box_at(path: Path, known: Sequence[int], index: int, size_px: tuple[int, int]) -> Box:
    """The box of a frame: as seen, drawn between two sightings, or carried on beyond the first or last one."""
    place = bisect_left(known, index)
    if place < len(known) and known[place] == index:
        return _seen_box(path, index, size_px)
    if 0 < place < len(known):
        before, after = known[place - 1], known[place]
        share = (index - before) / (after - before)
        a, b = _seen_box(path, before, size_px), _seen_box(path, after, size_px)
        jumps = after - before <= JUMPY_GAP and not (_is_plain(path.seen[before]) and _is_plain(path.seen[after]))
        box = around(a, b) if jumps else between(a, b, share)
        return box.scaled(_grown(min(index - before, after - index)))
    nearest = known[0] if place == 0 else known[-1]
    steps = index - nearest
    dx, dy = _speed_near(path, known, at_start=place == 0)
    still = path.seen[nearest].box_px
    out_x, out_y = _inner_speed(path, known, place == 0, size_px)
    if _walks_out(still, (out_x, out_y), 1 if steps > 0 else -1, size_px):  # it will not stop within sight
        sure = _latest_plain(path, known if place == 0 else known[::-1])
        start, since = path.seen[sure].box_px, index - sure  # boxes of slivers jump
        slow = moved(start, SLOWED * out_x * since, SLOWED * out_y * since)
        quick = moved(start, out_x * since, out_y * since)
        return around(slow, quick).scaled(_grown(0)) if not is_outside(slow, size_px) else slow
    coast = max(-COAST, min(COAST, steps))
    gone_on = moved(still, dx * coast, dy * coast)  # it may have gone on or stayed: cover both
    return around(still, gone_on).scaled(_grown(abs(steps)))


def _latest_plain(path: Path, known: Sequence[int]) -> int:
    """The first of `known` if it is plain, or else of those COAST frames from it; itself without any."""
    near = (index for index in known if abs(index - known[0]) <= COAST and _is_plain(path.seen[index]))
    return next(near, known[0])


def _seen_box(path: Path, index: int, size_px: tuple[int, int]) -> Box:
    """The box of a sighting; of a part of a face, at the frame's edge or beside a post, boxes jump, so those about it
    are held as well."""
    face = path.seen[index]
    box = face.box_px
    about = [path.seen[near].box_px for near in range(index - EDGE_JUMPS, index + EDGE_JUMPS + 1) if near in path.seen]
    part = face.landmarks_px is None and (edges(box, size_px) or box.height < PART_SEEN * max(b.height for b in about))
    if part or not _is_plain(face):
        for near in about:
            box = around(box, near)
    return box


def _is_plain(face: Face) -> bool:
    return face.landmarks_px is not None or face.confidence >= LOW_SCORE


def _grown(steps: int) -> float:
    return 1 + FIRST_GROWTH + min(MAX_GROWTH, GROWTH * steps)


def _speed_near(path: Path, known: Sequence[int], at_start: bool) -> tuple[float, float]:
    """Centre speed in px a frame over the first or last few sightings."""
    some = known[: COAST + 1] if at_start else known[-COAST - 1 :]
    if len(some) < 2:
        return 0.0, 0.0
    (x0, y0), (x1, y1) = path.seen[some[0]].box_px.center, path.seen[some[-1]].box_px.center
    steps = some[-1] - some[0]
    return (x1 - x0) / steps, (y1 - y0) / steps


def _inner_speed(path: Path, known: Sequence[int], at_start: bool, size_px: tuple[int, int]) -> tuple[float, float]:
    """The same for a face cut by the frame's edge: of the side that lies in the frame, since the centre of what is left
    of it moves at half the pace. The median of all pairs of sightings: boxes of slivers jump."""
    some = known[:EDGE_SIGHTINGS] if at_start else known[-EDGE_SIGHTINGS:]
    speed = list(_speed_near(path, known, at_start))
    if len(some) < 2:
        return speed[0], speed[1]
    for axis, sign, _ in edges(path.seen[known[0] if at_start else known[-1]].box_px, size_px):
        side = axis + 2 if sign < 0 else axis  # of x0, y0, x1, y1
        at = [(index, corners(path.seen[index].box_px)[side]) for index in some]
        speed[axis] = median((y - x) / (j - i) for (i, x), (j, y) in combinations(at, 2))
    return speed[0], speed[1]

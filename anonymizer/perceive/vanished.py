"""Keeps covering somebody whose face goes out of sight for good: the whole person, for as long as another network sees
that person, who is followed from frame to frame. Every detector may have gone blind; who turned away stays covered.

Only outlines are kept of the frames that are shown to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Box, Face, PlannedFace
from anonymizer.frames import Frame
from anonymizer.geometry import convex_outline
from anonymizer.guard.coverage import box_outline, oval_outline
from anonymizer.perceive.elsewhere import is_sure
from anonymizer.perceive.person import MOST_PERSON, PersonRegion
from anonymizer.perceive.tracks import COAST, REACH, SHORT, Path, Track, assign
from anonymizer.stages import PersonMasker

PERSON_S = 10.0  # as live: by then the detectors have looked some three hundred times and seen no face
MISSED = 5  # frames in a row in which a person who was never seen yet by the other network may be missed
HIDDEN = 45  # frames in a row in which the person may be hidden
SETTLED = 12  # frames after coming out, until when all around stays covered: of a sliver the network hears only parts
COMING_OUT = 4.0  # sides of the face: of the square around the last of the person in which anybody may come out
WAY, MOST_WAY = 0.05, 3.0  # sides a frame by which it grows, and at most
LIKE = (0.6, 1.8)  # of a person's area before, as large it may be and still be that person
SHRINKING = 0.99  # a frame, of the area to compare with: who walks away grows small
FORGOTTEN = 4  # frames to each side, the outlines of which are held as well
PLAIN, AWAY = 8, 1.5  # frames in a row; of the box
LOOKED_SCALE = 1.55  # of a face's box: where the person is looked for first

_Outlines = dict[int, npt.NDArray[np.float64] | None]


@dataclass(slots=True, eq=False)
class _Place:
    """A face, and the person it was lost on. outlines: by frame since, None = blank it. whole: the last region, perhaps
    a part of the person. area_px: of the whole person. last, last_plain: bounds of the last region and of the last
    that was the whole person, and when. together: everybody was lost in one frame, so the detectors failed."""

    path: Path
    outlines: _Outlines = field(default_factory=dict)
    whole: npt.NDArray[np.bool_] | None = None
    area_px: float = 0.0
    last: tuple[Box, int] | None = None
    last_plain: tuple[Box, int] | None = None
    together: bool = False
    alone: bool = False
    missed: int = 0
    unsettled: int = 0


class Vanished:
    """Fed every frame with its faces, in order; then tells what to cover beyond the end of a track."""

    def __init__(self, fps_hz: float, masker: PersonMasker) -> None:
        self._most = round(PERSON_S * fps_hz)
        self._masker = masker
        self._places: list[_Place] = []
        self._kept: dict[int, _Outlines] = {}  # by id of the face seen last, which the planner keeps alive

    def observe(self, index: int, frame: Frame, faces: Sequence[Face], cut: bool) -> None:
        """faces: those of the frame, the very objects that tracks are linked from."""
        if cut:
            self._places.clear()
        there = [place for place in self._places if place.path.last_index == index - 1 and _is_sure(place.path)]
        for place in there:
            place.together = not faces and len(there) > 1
            place.alone = not faces and _was_plain_in_view(place.path, frame)
        by_path = {id(place.path): place for place in self._places}
        taken = assign([place.path for place in self._places], faces, index)
        for at, face in enumerate(faces):
            place = by_path[id(taken[at])] if at in taken else _Place(Path())
            if at not in taken:
                self._places.append(place)
            place.outlines = {}  # new ones: the old cover the gap
            place.whole, place.missed, place.area_px = None, 0, 0.0
            place.path.add(index, face)
        self._look(index, frame, [face for face in faces if is_sure(face)])

    def beyond(self, track: Track) -> list[tuple[int, PlannedFace | None]]:
        """Frames after the track's last sighting, and the person to cover in each; None = the frame is blanked."""
        last = track.first_index + max(step for step, face in enumerate(track.faces) if face is not None)
        outlines = self._kept.get(id(track.faces[last - track.first_index]), {})
        if track.end_index <= min(last + REACH, max(outlines, default=0)):  # it walked out of the frame
            return []
        return [
            (index, None if outline is None else PlannedFace(track.slot, None, track.boxes[-1], _held(outlines, index)))
            for index, outline in outlines.items()
            if index > last + COAST
        ]

    def _look(self, index: int, frame: Frame, seen: Sequence[Face]) -> None:
        """A person on whom a face is seen did not vanish: what was lost there was another's, or none."""
        region: PersonRegion | None = None
        for place in [place for place in self._places if place.path.last_index < index]:
            if not _is_sure(place.path) or index - place.path.last_index > self._most:
                self._places.remove(place)
                continue
            if region is None:
                region = PersonRegion(self._masker.mask(frame))
            if not _follow(place, region, index) or region.holds(place.whole, [face.box_px.center for face in seen]):
                self._places.remove(place)
                continue
            self._kept[id(place.path.seen[place.path.last_index])] = place.outlines


def _follow(place: _Place, region: PersonRegion, index: int) -> bool:
    """Note where the person is in frame `index`; False when nobody was there for too long."""
    if region.share > MOST_PERSON:
        place.outlines[index] = None
        return True
    box = place.path.last_box.scaled(LOOKED_SCALE)
    before = place.whole
    whole = region.at(box) if before is None else region.after(before)
    place.unsettled = max(0, place.unsettled - 1) if _is_plain(place, whole) else SETTLED
    outlines: list[npt.NDArray[np.float64]] = []
    if before is not None and place.unsettled:
        squares = [_coming_out(place, *seen, index) for seen in (place.last, place.last_plain) if seen is not None]
        outlines = [*map(box_outline, squares), *([] if whole is None else [region.outline(whole)])]
        whole = region.near(squares[0]) if squares else whole
    place.missed = place.missed + 1 if whole is None else 0
    failed = place.together or (place.alone and before is None and whole is None)
    if place.missed > (MISSED if before is None else HIDDEN) and not failed:
        return False
    if whole is not None:
        outlines.append(region.outline(whole))
        _remember(place, region, whole, index)
    grown = 1 + min(MOST_WAY, WAY * (index - place.path.last_index)) / LOOKED_SCALE if failed else 1
    corners = np.concatenate(outlines or [oval_outline(box.scaled(grown))])
    place.outlines[index] = np.round(convex_outline(corners) * 16) / 16  # px; as fine as holes are drawn
    return True


def _held(outlines: _Outlines, index: int) -> npt.NDArray[np.float64]:
    """Around the outlines of the frames about this one as well: the network forgets people for a frame or two."""
    near = (outlines.get(at) for at in range(index - FORGOTTEN, index + FORGOTTEN + 1))
    return np.round(convex_outline(np.concatenate([each for each in near if each is not None])) * 16) / 16


def _is_plain(place: _Place, whole: npt.NDArray[np.bool_] | None) -> bool:
    """Is it as much of a person as before: neither a part that the network still hears of, nor others with it?"""
    if whole is None or place.whole is None:
        return whole is not None
    return bool(LIKE[0] * place.area_px <= whole.sum() <= LIKE[1] * place.area_px)


def _remember(place: _Place, region: PersonRegion, whole: npt.NDArray[np.bool_], index: int) -> None:
    """Go on from this region, unless others are in it."""
    plain, area_px = _is_plain(place, whole), float(whole.sum())
    if not plain and area_px > place.area_px:
        return
    place.whole, place.last = whole, (region.bounds(whole), index)
    if plain:
        place.last_plain, place.area_px = place.last, max(area_px, SHRINKING * place.area_px)


def _coming_out(place: _Place, person: Box, seen_at: int, index: int) -> Box:
    """About where the person was seen last; it grows, as people walk."""
    (x, y), face = person.center, place.path.last_box
    sides = COMING_OUT + min(MOST_WAY, WAY * (index - seen_at))
    half = sides / 2 * max(face.width, face.height)
    return Box(x - half, y - half, x + half, y + half)


def _was_plain_in_view(path: Path, frame: Frame) -> bool:
    """Seen surely in each of the last frames, and nowhere near the frame's edge: nobody is gone from there at once."""
    last = [path.seen.get(index) for index in range(path.last_index - PLAIN + 1, path.last_index + 1)]
    box, (height, width) = path.last_box.scaled(AWAY), frame.rgb.shape[:2]
    within = box.x0 > 0 and box.y0 > 0 and box.x1 < width and box.y1 < height
    return within and all(face is not None and is_sure(face) for face in last)


def _is_sure(path: Path) -> bool:
    """Seen more than in passing, and at least once for sure."""
    return len(path.seen) > SHORT and any(map(is_sure, path.seen.values()))

"""A file in a camera's place: its pace, its loop, its moving view."""

from __future__ import annotations

import itertools

import numpy as np

from anonymizer.frames import Frame
from anonymizer.live.file_feed import FileFeed
from tests.clips import gradient


class ManualClock:
    """Time that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def now_s(self) -> float:
        return self.at_s

    def sleep_until_s(self, deadline_s: float) -> None:
        self.at_s = max(self.at_s, deadline_s)


class Film:
    """Five frames at 25 a second; frame n is n brighter."""

    size_px, fps_hz = (160, 90), 25.0

    def __init__(self) -> None:
        self.index, self.closed = 0, False

    def read(self) -> Frame | None:
        if self.index == 5:
            return None
        self.index += 1
        rgb = (gradient(self.size_px) // 2 + self.index).astype(np.uint8)
        return Frame(rgb, self.index - 1, (self.index - 1) / 25)

    def close(self) -> None:
        self.closed = True


def test_frames_come_at_the_files_own_pace_and_loop_without_a_gap() -> None:
    """Every 40 ms, over the seam too, numbered on."""
    clock = ManualClock()
    feed = FileFeed(Film, loop=True, clock=clock)
    frames = [feed.read() for _ in range(12)]
    times = [frame.captured_at_s for frame in frames if frame]
    assert np.allclose(np.diff(times), 0.04)
    assert [frame.index for frame in frames if frame] == list(range(12))


def test_without_a_loop_it_ends() -> None:
    """After its last frame there is none, for good."""
    feed = FileFeed(Film, clock=ManualClock())
    assert [feed.read() is None for _ in range(7)] == [False] * 5 + [True] * 2


def test_after_a_hold_up_it_does_not_catch_up() -> None:
    """As with a camera, the frames of the hold-up are not delivered in a burst."""
    clock = ManualClock()
    feed = FileFeed(Film, loop=True, clock=clock)
    feed.read()
    clock.at_s += 1.0
    after = [feed.read() for _ in range(4)]
    assert np.allclose(np.diff([frame.captured_at_s for frame in after if frame]), 0.04)


def test_the_view_has_the_size_asked_for_and_wanders() -> None:
    """Larger and smaller than the file, of another shape; with a moving crop no two views are alike."""
    for size_px in ((160, 90), (64, 64), (320, 100)):
        feed = FileFeed(Film, size_px, loop=True, moving_crop=True, clock=ManualClock())
        views = [frame.rgb for frame in (feed.read() for _ in range(40)) if frame][::5]
        assert {view.shape for view in views} == {(size_px[1], size_px[0], 3)}
        assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(views))
    still = FileFeed(Film, clock=ManualClock()).read()
    first = Film().read()
    assert still is not None
    assert first is not None
    assert np.array_equal(still.rgb, first.rgb)

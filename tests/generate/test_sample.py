"""A textured mesh: borders between its parts are smooth, all else is as the texture has it."""

from __future__ import annotations

import numpy as np

from anonymizer.generate.sample import draw_textured

SIDE = 20
# Two triangles side by side with vertices of their own: dark left of a slanting border, light right of it.
VERTICES = np.array([[0, 0, 0], [8, 0, 0], [0, 40, 0], [8, 0, 0], [40, 0, 0], [0, 40, 0]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
DRAWN = np.array([[0.1, 0.5, 1]] * 3 + [[0.9, 0.5, 1]] * 3, np.float32)
TEXTURE = np.repeat(np.array([[[40] * 3, [40] * 3, [200] * 3, [200] * 3]], np.uint8), 4, 0)


def _drawn(parts: tuple[int, ...]) -> np.ndarray:
    colours, coverage = draw_textured(VERTICES, TRIANGLES, DRAWN, TEXTURE, (SIDE, SIDE), parts)
    assert coverage.min() == 255
    return colours[..., 0].astype(int)


def test_without_parts_every_px_is_of_the_texture() -> None:
    """Steps from 40 to 200 at once."""
    assert set(np.unique(_drawn(()))) == {40, 200}


def test_borders_of_parts_are_smooth() -> None:
    """No two neighbours in a row differ by more than half of the step; two px from the border nothing has changed."""
    plain, smooth = _drawn(()), _drawn((3,))
    rows = slice(1, SIDE - 1)  # the outermost px stay
    assert np.abs(np.diff(smooth[rows], axis=1)).max() <= 100
    assert np.abs(np.diff(plain[rows], axis=1)).max() == 160
    border = np.abs(np.diff(plain, axis=1, append=plain[:, -1:])) > 0
    near = np.array([np.convolve(row, np.ones(5), "same") > 0 for row in border])
    assert (smooth[~near] == plain[~near]).all()

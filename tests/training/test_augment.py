"""Jitter keeps photo, mesh and hole together; holes and their rings are what compositing relies on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.augment import Jitter, cut_batch, diff_augment, draw_jitter
from training.data import Shard, load_shard
from training.guides import cross_guide, self_guide

SIZE_PX = 32


@pytest.fixture(scope="module")
def shard(tiny_shard: Path) -> Shard:
    return load_shard(tiny_shard, SIZE_PX)


def _still(count: int, flip: float) -> Jitter:
    still = draw_jitter(count, still=True)
    to_crop = still.crop_from_out.clone()
    to_crop[:, :, 0] *= flip
    return Jitter(to_crop, still.scale, still.tilt, torch.full((count,), flip))


def test_a_flip_mirrors_photo_mesh_hole_and_normals(shard: Shard) -> None:
    """Everything is mirrored in x; uv too, so that left stays left in the atlas; normals point the other way."""
    rows, personas, kinds = torch.arange(3), torch.zeros(3, dtype=torch.long), torch.arange(3)
    plain = cut_batch(shard, rows, personas, kinds, _still(3, 1.0), SIZE_PX)
    flipped = cut_batch(shard, rows, personas, kinds, _still(3, -1.0), SIZE_PX)
    torch.testing.assert_close(flipped.photo.flip(3), plain.photo, atol=1e-4, rtol=0)
    torch.testing.assert_close(flipped.hole.flip(3), plain.hole, atol=1e-3, rtol=0)
    torch.testing.assert_close(flipped.own.coverage.flip(3), plain.own.coverage, atol=1e-4, rtol=0)
    inside = plain.own.coverage[:, 0] > 0.99
    torch.testing.assert_close(1 - flipped.own.uv.flip(3)[:, 0][inside], plain.own.uv[:, 0][inside], atol=2e-3, rtol=0)
    normals = flipped.own.normals.flip(3)
    torch.testing.assert_close(-normals[:, 0][inside], plain.own.normals[:, 0][inside], atol=2e-3, rtol=0)
    torch.testing.assert_close(normals[:, 2][inside], plain.own.normals[:, 2][inside], atol=2e-3, rtol=0)


def test_blend_is_full_on_the_hole_and_ends_outside_it(shard: Shard) -> None:
    """blend is 1 wherever anything was erased, falls outside the hole, and reaches 0 within the ring."""
    torch.manual_seed(0)
    rows = shard.train[:8]
    batch = cut_batch(shard, rows, rows % 4, rows % 3, draw_jitter(8), SIZE_PX)
    assert bool((batch.blend[batch.hole > 0.999] > 0.999).all())
    assert bool((batch.blend >= batch.hole).all())
    assert 0 < float(((batch.blend > 0) & (batch.hole == 0)).float().mean()) < 0.2


def test_no_photo_pixel_of_the_hole_reaches_the_conditioning(shard: Shard) -> None:
    """Repainting the photo under the hole changes nothing of CROSS's context."""
    torch.manual_seed(0)
    rows = shard.train[:4]
    batch = cut_batch(shard, rows, rows % 4, rows % 3, draw_jitter(4, still=True), SIZE_PX)
    context = cross_guide(batch).conditioning[:, :3]
    assert float(context[(batch.hole == 1).expand_as(context)].abs().max()) == 0
    torch.testing.assert_close(
        context[(batch.hole == 0).expand_as(context)], (batch.photo * 2 - 1)[(batch.hole == 0).expand_as(context)]
    )


def test_guides_are_empty_outside_their_coverage(shard: Shard) -> None:
    """Both branches give colours in [0, 1], and none where the mesh is not."""
    torch.manual_seed(0)
    rows = shard.train[:6]
    batch = cut_batch(shard, rows, rows % 4, rows % 3, draw_jitter(6), SIZE_PX)
    for guided in (self_guide(batch), cross_guide(batch)):
        assert float(guided.guide.min()) >= 0
        assert float(guided.guide.max()) <= 1
        assert float((guided.guide * (guided.coverage == 0)).abs().max()) == 0
        assert bool((guided.inner <= (guided.coverage > 0.5)).all())
        assert guided.conditioning.shape == (6, 11, SIZE_PX, SIZE_PX)


def test_diff_augment_lets_gradients_through_and_keeps_shapes() -> None:
    """The critic's augmentation is differentiable and gives back the sizes it got."""
    torch.manual_seed(0)
    composite = torch.rand(2, 3, 32, 32, requires_grad=True)
    hole, context = torch.ones(2, 1, 32, 32), torch.zeros(2, 3, 32, 32)
    outs = diff_augment(composite, hole, context, 1.0)
    assert [o.shape for o in outs] == [composite.shape, hole.shape, context.shape]
    (gradient,) = torch.autograd.grad(outs[0].sum(), composite)
    assert float(gradient.abs().sum()) > 0

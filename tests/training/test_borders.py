"""A persona's border around the photo's own face."""

from __future__ import annotations

import torch

from training.borders import ODDS, with_border


def test_a_border_is_the_personas_and_the_face_the_own_one() -> None:
    """Some rows end like the persona, in the face's tone, and keep the face inside; the others stay."""
    torch.manual_seed(1)
    count, size = 64, 64
    coverage, wider = torch.zeros(2, count, 1, size, size)
    coverage[..., 16:48, 16:48] = 1
    wider[..., 12:52, 16:48] = 1
    normals = torch.zeros(count, 3, size, size)
    normals[:, 2] = -1
    face = (0.6 + 0.05 * torch.rand(count, 3, size, size)) * coverage
    persona = torch.full_like(face, 0.2) * wider
    (guide, covered, turned), inner = with_border(
        (face, coverage, normals * coverage), (persona, wider, normals * wider)
    )
    bordered = (covered == wider).all((1, 2, 3))
    assert abs(float(bordered.float().mean()) - ODDS) < 0.15
    torch.testing.assert_close(guide[..., 30:34, 30:34], face[..., 30:34, 30:34])
    torch.testing.assert_close(guide[~bordered], face[~bordered])
    rim = guide[bordered][..., 13, 20:44]
    assert 0.4 < float(rim.min()) <= float(rim.max()) < 0.9
    assert float((guide * (covered == 0)).abs().max()) == 0
    assert float(inner[bordered][..., 16, :].max()) < 0.2 < 0.9 < float(inner[..., 32, 32].min())
    torch.testing.assert_close(turned, normals * covered, atol=1e-3, rtol=0)

"""Tables of the photo report."""

from __future__ import annotations

from anonymizer.audit.metrics import Figure
from anonymizer.audit.photo_report import link_sections
from anonymizer.audit.reidentify import LINK, LINK_FLOOR, Row


def row(method: str, recogniser: str, threshold: str) -> Row:
    half = Figure(0.5, 0.4, 0.6)
    return Row(method, recogniser, half, half, half, {threshold: 0.25}, half, [0.1], [0.2])


def test_recognisers_with_other_thresholds_get_tables_of_their_own() -> None:
    """Links by two recognisers, whose thresholds have different names."""
    links = [row(m, *r) for r in (("one", "distance .6"), ("two", "FAR 1 %")) for m in (LINK_FLOOR, LINK)]
    (first, table), (second, other) = link_sections(links)
    assert first.endswith("one")
    assert second.endswith("two")
    assert "accepted, distance .6" in table
    assert "accepted, FAR 1 %" in other
    assert "distance" not in other
    assert link_sections([]) == []

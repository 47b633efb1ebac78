"""A report stands by itself: no script, nothing fetched, nothing unescaped."""

from __future__ import annotations

import re

import numpy as np

from anonymizer.audit import page, plots
from anonymizer.audit.metrics import Figure
from anonymizer.audit.plots import Series


def whole_page() -> str:
    drawn = plots.ranges([("<b>", [Figure(0.6, 0.5, 0.7)])], ["a & b"], (0, 1), 0.5)
    drawn += plots.histogram([Series("one", [0.1, 0.2]), Series("none", [])])
    drawn += plots.over_time([Series("s", [0.1, float("nan"), 0.3])], [0, 1, 2], [1.0], (0, 1))
    thumbnail = page.faces([(np.zeros((40, 30, 3), np.uint8), "<i>7")])
    return page.page("T", "<script>", "bad", [("H", drawn + thumbnail + page.table(["x"], [["<td> [1 to 2]"]]))])


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """No script element, no address but data, and a policy that forbids both."""
    html = whole_page()
    assert "<script" not in html
    assert not re.search(r"https?:|src=\"(?!data:)|@import|url\(", html)
    assert "default-src 'none'" in html


def test_text_is_escaped() -> None:
    """Names of files and labels cannot become markup."""
    html = whole_page()
    assert "&lt;b&gt;" in html
    assert "&lt;i&gt;7" in html
    assert "a &amp; b" in html


def test_lines_break_where_nothing_was_seen() -> None:
    """A gap in a series is a gap in its line."""
    drawn = plots.over_time([Series("s", [0.1, 0.2, float("nan"), 0.3])], [0, 1, 2, 3], [], (0, 1))
    assert drawn.count("<polyline") == 2

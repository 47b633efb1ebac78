"""The frame of a report: one HTML file with everything in it, no script, nothing fetched.

Pictures in it are of AFTER, of personas or drawn; a picture of BEFORE never gets here.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

from anonymizer.frames import RgbImage

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d8dde3; --paper: #fff; --card: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaee; --soft: #9aa5b1; --line: #363d45; --paper: #14181c; --card: #1d2329; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 64rem; padding: 1.5rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; } p { max-width: 46rem; }
.answer { font-size: 1.1rem; background: var(--card); border-left: 6px solid var(--tone); padding: .8rem 1rem; }
.bad { --tone: #d55e00; } .open { --tone: #e69f00; } .good { --tone: #009e73; }
.soft, figcaption { color: var(--soft); font-size: .88rem; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; } tr.own { background: var(--card); font-weight: 600; }
svg { width: 100%; max-width: 46rem; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif;
  fill: var(--ink); } .label { text-anchor: end; } .tick { text-anchor: middle; } svg text.tick { fill: var(--soft); }
.grid { stroke: var(--line); } .mark { stroke: var(--soft); stroke-dasharray: 4 3; }
.alarm { stroke: #d55e00; stroke-width: 1.5; }
.legend { font-size: .85rem; } .legend span { margin-right: 1.2rem; white-space: nowrap; }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; }
.faces { display: flex; flex-wrap: wrap; gap: .6rem; } figure { margin: 0; width: 9.6rem; }
figcaption { overflow-wrap: anywhere; line-height: 1.3; }
small { display: block; color: var(--soft); white-space: nowrap; }
figure img { display: block; width: 100%; border-radius: 4px; } code { font-size: .85rem; overflow-wrap: anywhere; }
"""


def page(title: str, answer: str, tone: str, sections: Sequence[tuple[str, str]]) -> str:
    """tone: bad, open or good. sections: heading, and HTML below it."""
    body = "".join(f"<h2>{escape(heading)}</h2>{html}" for heading, html in sections)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head += f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>{escape(title)}</title><style>{STYLE}</style></head>'
        f'<body><h1>{escape(title)}</h1><p class="answer {tone}">{escape(answer)}</p>{body}</body></html>\n'
    )


def paragraph(text: str, soft: bool = False) -> str:
    return f"<p{' class=soft' if soft else ''}>{escape(text)}</p>"


def bullets(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], own: Sequence[bool] = ()) -> str:
    """own: rows that stand out."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = []
    for at, row in enumerate(rows):
        mark = ' class="own"' if at < len(own) and own[at] else ""
        lines.append(f"<tr{mark}>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>")
    return f'<div class="wide"><table><tr>{cells}</tr>{"".join(lines)}</table></div>'


def _cell(text: str) -> str:
    """An interval stands below its value."""
    value, bracket, interval = text.partition(" [")
    return escape(value) + (f"<small>{escape(interval.rstrip(']'))}</small>" if bracket else "")


def facts(values: Mapping[str, str]) -> str:
    return table(("", ""), list(values.items()))


def faces(pictures: Sequence[tuple[RgbImage, str]]) -> str:
    """Thumbnails of AFTER with what is said of each."""
    cells = (
        f'<figure><img alt="" src="{data_uri(rgb)}"><figcaption>{escape(text)}</figcaption></figure>'
        for rgb, text in pictures
    )
    return f'<div class="faces">{"".join(cells)}</div>'


def data_uri(rgb: RgbImage, width_px: int = 168) -> str:
    from PIL import Image

    height = max(1, round(rgb.shape[0] * width_px / rgb.shape[1]))
    out = io.BytesIO()
    Image.fromarray(rgb).resize((width_px, height), Image.Resampling.LANCZOS).save(out, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()

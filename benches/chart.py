"""Draws docs/times.svg from docs/measured.tsv: a bar for each time, on a logarithmic scale.

    python3 benches/chart.py            writes docs/times.svg
    python3 benches/chart.py --check    fails where docs/times.svg is not what it would write

Only the standard library is used. The picture has a background of its own, light or dark as the
reader's system asks, and says in words what it shows to those who do not see it.
"""

import csv
import math
import pathlib
import sys
from xml.sax.saxutils import escape

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
TABLE, CHART = DOCS / "measured.tsv", DOCS / "times.svg"

WIDTH, LEFT, RIGHT = 760, 236, 90
ROW, BAR, TITLE = 26, 16, 34
LEAST, MOST = 0.1, 1_000_000.0
TICKS = [(0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"),
         (36_000, "10 h"), (360_000, "100 h")]

STYLE = """
  .back { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .small { font-size: 11px; fill: #59636e } .head { font-weight: 600 } .grid { stroke: #d1d9e0 }
  .vkd { fill: #0969da } .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #f0f6fc } .small { fill: #9198a1 }
    .grid { stroke: #3d444d } .vkd { fill: #4493f8 } .other { fill: #6e7681 }
  }
"""


def read_rows():
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t"))


def in_words(seconds):
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.2g} min"
    return f"{seconds / 3600:.2g} h"


def place(seconds):
    """The horizontal place of a time."""
    share = math.log(seconds / LEAST) / math.log(MOST / LEAST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def text(x, y, words, kind="", anchor="start"):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind} text-anchor="{anchor}">{escape(words)}</text>'


def describe(rows):
    parts = [f"{row['corpus']}: {row['name']}, {in_words(float(row['seconds']))}" for row in rows]
    return "Times for all sequences of full length. " + "; ".join(parts) + "."


def chart(rows):
    corpora = list(dict.fromkeys(row["corpus"] for row in rows))
    bottom = 12 + TITLE * len(corpora) + ROW * len(rows)
    height = bottom + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
           ' role="img" aria-labelledby="title desc">',
           '<title id="title">Time to order a corpus from every start</title>',
           f'<desc id="desc">{escape(describe(rows))}</desc>',
           f"<style>{STYLE}</style>",
           f'<rect class="back" width="{WIDTH}" height="{height}" rx="6"/>']
    for seconds, words in TICKS:
        x = place(seconds)
        out.append(f'<path class="grid" d="M{x:.1f} 16V{bottom}"/>')
        out.append(text(x, bottom + 16, words, "small", "middle"))
    y = 12
    for corpus in corpora:
        out.append(text(12, y + 23, corpus, "head"))
        y += TITLE
        for row in (row for row in rows if row["corpus"] == corpus):
            seconds = float(row["seconds"])
            end = place(seconds)
            out.append(text(LEFT - 8, y + 13, row["name"], anchor="end"))
            out.append(f'<rect class="{row["kind"]}" x="{LEFT}" y="{y}"'
                       f' width="{end - LEFT:.1f}" height="{BAR}" rx="2"/>')
            scaled = "*" if row["how"] == "scaled" else ""
            out.append(text(end + 6, y + 13, in_words(seconds) + scaled))
            y += ROW
    note = "Logarithmic scale. * measured on a sample of the starts and scaled to all of them"
    out.append(text(LEFT, bottom + 37, note, "small"))
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    drawn = chart(read_rows())
    if "--check" in sys.argv[1:]:
        if CHART.read_text() != drawn:
            sys.exit("docs/times.svg is not of docs/measured.tsv: run python3 benches/chart.py")
    else:
        CHART.write_text(drawn)


main()

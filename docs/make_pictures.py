"""Draws docs/report.svg and docs/report.zh.svg: the head of the second report of a demo night, in colour.

    .venv/bin/python docs/make_pictures.py

It runs two nights of the demo over a mongod of its own in a temporary folder, which takes about a minute. The
pictures name no font that has to be fetched, and every run of Chinese text has its own place, so that columns
stand in line whatever fonts the reader has.
"""

from __future__ import annotations

import asyncio
import html
import io
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from subcmc_crawler.model import Manifest
from subcmc_crawler.province.registry import Province, parse
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.report.text import to_text
from subcmc_crawler.run import Crawl
from subcmc_crawler.simulator.faults import DEMO_FAULTS
from subcmc_crawler.simulator.nights import standard_centres
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.store import local_mongod, open_store
from subcmc_crawler.store.runs import earlier_manifests, manifests_of

DOCS = Path(__file__).parent
LINES = 84
SCALE = 0.055  # that of `subcmc demo`
DEFAULTS = """
requests_per_second = 0
max_in_flight = 4
max_attempts = 3
cool_down_seconds = 0.5
request_timeout_seconds = 10
"""

FONTS = (
    "'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', 'Source Han Mono SC', 'Microsoft YaHei', "
    "'PingFang SC', 'Noto Sans CJK SC', monospace"
)
CHARACTER = 12.2  # the width that rich draws a character with
FRAME = f"""\
<svg class="{{unique_id}}" viewBox="0 0 {{width}} {{height}}" xmlns="http://www.w3.org/2000/svg">
<style>
.{{unique_id}}-matrix {{{{ font-family: {FONTS}; font-size: {{char_height}}px; white-space: pre; }}}}
{{styles}}
</style>
<defs>
<clipPath id="{{unique_id}}-clip-terminal"><rect x="0" y="0" width="{{terminal_width}}"
 height="{{terminal_height}}"/></clipPath>
{{lines}}
</defs>
<rect fill="#1e1e1e" x="0" y="0" width="{{width}}" height="{{height}}" rx="8"/>
<g transform="translate({{terminal_x}}, 20)" clip-path="url(#{{unique_id}}-clip-terminal)">
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</g>
</svg>
"""
_TEXT = re.compile(r'<text class="([^"]*)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
_LINE_CLIP = re.compile(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', re.DOTALL)


class Nobody:
    """An observer that looks away."""

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """Nothing."""

    def cell(self, manifest: Manifest) -> None:
        """Nothing."""


async def second_night(uri: str) -> Report:
    """The report of the second of two nights."""
    centres = standard_centres(scale=SCALE, faults=DEMO_FAULTS)
    async with Simulator(centres) as simulator, open_store(uri, database="pictures") as db:
        registry = parse(simulator.registry(defaults=DEFAULTS))
        order = [province.cmc_id for province in registry.provinces]
        for night in (1, 2):
            simulator.night = night
            crawl = Crawl(
                registry,
                db,
                Nobody(),
                folder=DOCS,
                now=lambda: datetime.now(registry.timezone),
                ignore_windows=True,
            )
            run = await crawl.run()
        manifests = await manifests_of(db, run.number)
        return build(run, manifests, previous=await earlier_manifests(db, run.number), order=order)


def picture(report: Report, lang: str) -> str:
    """The first lines of the text report as SVG, cut at a blank line."""
    lines = to_text(report, lang=lang, color=True).splitlines()
    last = max(number for number in range(LINES) if not lines[number].strip())
    console = Console(
        record=True, width=101, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in lines[:last]:
        console.print(Text.from_ansi(line), soft_wrap=True)
    drawn = console.export_svg(title="", code_format=FRAME, unique_id=f"subcmc-{lang}")
    return re.sub(r"\n\s*\n+", "\n", _LINE_CLIP.sub("", _TEXT.sub(_placed, drawn)))


def _placed(match: re.Match[str]) -> str:
    """Each word and each run of wide characters at a place of its own, with the length that its cells have."""
    style, x, y, text = match[1], float(match[2]), match[3], html.unescape(match[4]).replace("\xa0", " ")
    return "".join(
        f'<text class="{style}" x="{x + at * CHARACTER:.1f}" y="{y}" textLength="{cells * CHARACTER:.1f}">'
        f"{html.escape(run, quote=False)}</text>\n"
        for run, at, cells in _runs(text.rstrip())
    )


def _runs(text: str) -> Iterator[tuple[str, int, int]]:
    """Runs of characters of one width, without the blanks between columns: (run, first cell, cells)."""
    at = 0
    for run in re.findall(r" {2,}|[^\u2e80-\uffef]+?(?= {2,}|[\u2e80-\uffef]|$)|[\u2e80-\uffef]+", text):
        word = run.strip()
        if word:  # a blank at an end would be dropped, and the rest stretched
            yield word, at + len(run) - len(run.lstrip()), cell_len(word)
        at += cell_len(run)


def main() -> None:
    """Writes both pictures."""
    with tempfile.TemporaryDirectory() as folder, local_mongod(Path(folder)) as uri:
        report = asyncio.run(second_night(uri))
    for lang, name in (("en", "report.svg"), ("zh", "report.zh.svg")):
        (DOCS / name).write_text(picture(report, lang), encoding="utf-8")


if __name__ == "__main__":
    main()

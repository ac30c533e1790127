"""A night as one HTML file, and what any other page of this project is made of.

`to_html()` makes the file: no script, nothing fetched, readable without a style sheet. Other pages reuse its parts:

1. `environment(words, links, FOLDER)` gives a jinja2 environment that finds templates in FOLDER first and
   here afterwards. `links` says where pages lead (`links.Links`): anchors here, URLs on a server.
2. A page begins with `{% extends "base.html" %}` and fills the blocks `title`, `header`, `main`, and, where
   it needs them, `head`, `footer` and `policy` (the meta element of the content security policy).
3. Macros are imported from `marks.html` (`badge(cell)`, `verdict(name, kind)`, `rows(counts)`, `link(to, text)`),
   `matrix.html` (`matrix(report, provinces)`), `province.html` (`summary(page)`, `rows(page)`) and `cell.html`
   (`cell(page)`, `letter(page)`). They need no context. A page of one cell puts it into `<div class="shown">`, since
   a file shows clean cells only when they are asked for.
4. What the macros take is made here: `ProvincePage(province, details, words)` and `CellPage(detail, words)` from what
   `gathering` gives; `matrix` takes a `Report`. `draw.sparkline(manifests, label)` and `draw.timeline(pages, label)`
   are SVG; a shape and a word go with every colour.
5. A wide table stands in `<div class="wide" role="group" tabindex="0" aria-label="...">`, which scrolls by itself,
   so that the page never does. A link inside a sentence is underlined.

`tight()` takes the white space of the templates out of a finished page.
"""

from __future__ import annotations

import re
from typing import Final

from subcmc_crawler.report.detail import Night
from subcmc_crawler.report.html.cells import CellPage
from subcmc_crawler.report.html.environment import environment, kind, percent
from subcmc_crawler.report.html.links import Anchors, Links
from subcmc_crawler.report.html.nights import NightPage
from subcmc_crawler.report.html.provinces import ProvincePage
from subcmc_crawler.report.labels import DEFAULT_LANG, labels

__all__ = [
    "Anchors",
    "CellPage",
    "Links",
    "NightPage",
    "ProvincePage",
    "environment",
    "kind",
    "percent",
    "tight",
    "to_html",
]

_SPACE: Final = re.compile(r"(<pre.*?</pre>)|[ \t]*\n\s*", re.DOTALL)


def to_html(night: Night, *, lang: str = DEFAULT_LANG, only_problems: bool = False) -> bytes:
    """The file, in UTF-8. `only_problems` begins with what is not clean; the rest is one click away."""
    words = labels(lang)
    page = NightPage(night, words, only_problems=only_problems)
    template = environment(words, Anchors(night.report.run.number)).get_template("night.html")
    return tight(template.render(night=page)).encode()


def tight(page: str) -> str:
    """The page without empty lines and indents; what stands in `pre` stays as it is."""
    return _SPACE.sub(lambda found: found[1] or "\n", page)

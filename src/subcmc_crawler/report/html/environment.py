"""The jinja2 environment of every page: words, filters and links, everything escaped by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from subcmc_crawler.model import CLEAN, Manifest, Verdict
from subcmc_crawler.report.html import drawing
from subcmc_crawler.report.html.links import Links
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell
from subcmc_crawler.report.sentences import clock, duration, size, verdict_name
from subcmc_crawler.spec.datasets import DATASETS

_NOTED: Final = frozenset({Verdict.DUPLICATED, Verdict.REPAIRED})
_MINUS: Final = "\u2212"


def environment(words: Labels, links: Links, *folders: Path) -> Environment:
    """Templates of this package, and before them those in `folders`; an undefined name is an error.

    Controls and marks of direction are written out, whatever a template prints. Every template knows `words`,
    `links`, `style`, `shapes` (the sprite), `datasets` and `draw`, and these filters:

        number      1,234, a dash for None            percent    +1.2% with a true minus; a dash for None
        clock       date and time at Beijing          duration   two largest units of seconds
        size        bytes                             shown      a province's own words, masked, on one line
        escaped     the same for names, not masked    kind       good, note, bad, dim or wait: class of a cell
        verdict     name of a manifest's verdict      title      name of a dataset by its code
    """
    loaders = [*map(FileSystemLoader, folders), PackageLoader("subcmc_crawler.report.html")]
    made = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "words": words,
        "links": links,
        "style": Markup(files(__package__).joinpath("style.css").read_text("utf-8")),  # noqa: S704 - ours
        "shapes": drawing.sprite(),
        "datasets": DATASETS,
        "draw": drawing,
    }
    made.filters |= _filters(words)
    return made


def _harmless(value: object) -> object:
    """Whatever a template forgot: no control and no mark of direction comes into a page, lines stay lines."""
    if type(value) is not str or value.isprintable():
        return value
    return "\n".join(map(escaped, value.split("\n")))


def kind(cell: Cell) -> str:
    """How a cell is coloured: good, note, bad, dim, or wait while there is no verdict."""
    if cell.manifest.verdict is None:
        return "wait"
    if cell.accepted or cell.tolerated:
        return "note"
    return verdict_kind(cell.manifest.verdict) if cell.clean else "bad"


def verdict_kind(verdict: Verdict) -> str:
    """How a verdict is coloured."""
    if verdict is Verdict.UNREGISTERED:
        return "dim"
    if verdict in _NOTED:
        return "note"
    return "good" if verdict in CLEAN else "bad"


def percent(share: float | None) -> str:
    """A change as `+1.2%`, with two digits below one percent; a dash for None."""
    if share is None:
        return "-"
    if not share:
        return "0%"
    digits = 2 if abs(share) < 1 else 1 if abs(share) < 100 else 0
    return f"{share:+,.{digits}f}%".replace("-", _MINUS)


def dataset_title(code: str, words: Labels) -> str:
    """The name of a dataset, its code when the specification has none such."""
    found = DATASETS.get(code)
    if found is None:
        return escaped(code)
    return found.title if words.lang == "zh" else found.title_en


def _filters(words: Labels) -> Mapping[str, Any]:
    def number(value: float | None) -> str:
        return words["text.unknown"] if value is None else f"{value:,.0f}"

    def at(moment: datetime | None) -> str:
        return clock(moment, words)

    def lasting(seconds: float | None) -> str:
        return duration(seconds, words)

    def verdict(manifest: Manifest) -> str:
        return verdict_name(manifest, words)

    return {
        "number": number,
        "percent": percent,
        "clock": at,
        "duration": lasting,
        "size": size,
        "shown": shown,
        "escaped": escaped,
        "kind": kind,
        "verdict": verdict,
        "title": lambda code: dataset_title(code, words),
    }

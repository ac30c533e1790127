"""A scorecard as one HTML file, to be sent to the province: no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from subcmc_crawler.conformance.checks import Scorecard
from subcmc_crawler.conformance.results import Outcome
from subcmc_crawler.report import scorecard
from subcmc_crawler.report.html import tight
from subcmc_crawler.report.html.environment import environment
from subcmc_crawler.report.html.links import Anchors
from subcmc_crawler.report.labels import DEFAULT_LANG, labels
from subcmc_crawler.report.scorecard import Item

_SHAPES: Final[Mapping[str, str]] = {
    Outcome.PASS: "proven",
    Outcome.WARN: "store-mismatch",
    Outcome.FAIL: "refused",
    Outcome.UNCHECKED: "unregistered",
}
"""Outcome -> its shape among those of the verdicts: a tick, a triangle, a barred circle, a dash."""

_KINDS: Final[Mapping[str, str]] = {
    Outcome.PASS: "good",
    Outcome.WARN: "note",
    Outcome.FAIL: "bad",
    Outcome.UNCHECKED: "dim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPage:
    """What the template prints, all of it fit to be shown."""

    heading: str
    score: str
    verdict: str
    failed: bool
    facts: Sequence[tuple[str, str]]
    mending: Sequence[tuple[str, Sequence[Item]]]
    groups: Mapping[str, Sequence[Item]]
    shapes: Mapping[str, str]
    kinds: Mapping[str, str]


def to_check_html(card: Scorecard, *, lang: str = DEFAULT_LANG) -> bytes:
    """The file, in UTF-8."""
    words = labels(lang)
    every = scorecard.items(card, words)
    page = CheckPage(
        heading=scorecard.heading(card, words),
        score=scorecard.score(card, words),
        verdict=scorecard.verdict(card, words),
        failed=card.failed,
        facts=scorecard.facts(card, words),
        mending=[
            (key, found)
            for key, outcome in (("check.must", Outcome.FAIL), ("check.should", Outcome.WARN))
            if (found := scorecard.to_mend(every, outcome))
        ],
        groups=scorecard.grouped(every),
        shapes=_SHAPES,
        kinds=_KINDS,
    )
    template = environment(words, Anchors(0)).get_template("check.html")
    return tight(template.render(page=page)).encode()

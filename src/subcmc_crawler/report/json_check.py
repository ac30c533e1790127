"""A scorecard as JSON: the contract `subcmc.check/1`, for programs; its texts in both languages.

Fields are only ever added within schema 1. Times carry +08:00; texts of a province are masked and escaped.
"""

from __future__ import annotations

from typing import Final

import orjson

from subcmc_crawler.conformance.checks import Scorecard
from subcmc_crawler.report import scorecard
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.scorecard import FoundLine, Item, Shown
from subcmc_crawler.report.sentences import local

SCHEMA: Final = "subcmc.check/1"

_LANGS: Final = tuple(CATALOGUES)


def to_check_json(card: Scorecard) -> bytes:
    """The scorecard as UTF-8 JSON, indented, with a newline at its end."""
    told = [scorecard.items(card, words) for words in map(labels, _LANGS)]
    document = {
        "schema": SCHEMA,
        "cmcId": escaped(card.province.cmc_id),
        "province": escaped(card.province.name),
        "at": local(card.at).isoformat(timespec="milliseconds"),
        "seconds": round(card.seconds, 3),
        "requests": {"asked": len(card.seen), "most": card.most},
        "score": {str(outcome): count for outcome, count in card.score.items()},
        "checks": [_item(each) for each in zip(*told, strict=True)],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _item(told: tuple[Item, ...]) -> dict[str, object]:
    first = told[0]
    return {
        "id": first.id,
        "group": first.group,
        "section": first.section,
        "outcome": str(first.outcome),
        **{name: _texts(told, name) for name in ("title", "rule", "reason", "mend")},
        "found": [_found(each) for each in zip(*(item.found for item in told), strict=True)],
        "leftOut": first.left_out,
        "evidence": [_evidence(each) for each in zip(*(item.evidence for item in told), strict=True)],
    }


def _texts(told: tuple[Item, ...], name: str) -> dict[str, str]:
    return {lang: getattr(item, name) for lang, item in zip(_LANGS, told, strict=True)}


def _found(told: tuple[FoundLine, ...]) -> dict[str, object]:
    first = told[0]
    return {
        "outcome": str(first.outcome),
        "where": escaped(first.source.where),
        "section": first.section,
        "what": first.source.what.rpartition(".")[2],
        "sentence": {lang: line.sentence for lang, line in zip(_LANGS, told, strict=True)},
    }


def _evidence(told: tuple[Shown, ...]) -> dict[str, object]:
    first, seen = told[0], told[0].source
    return {
        "request": seen.question.url,
        "command": " ".join(first.command),
        "status": seen.status,
        "milliseconds": round(seen.milliseconds, 1),
        "bytes": seen.bytes,
        "fault": seen.fault or None,
        "seen": {lang: each.seen for lang, each in zip(_LANGS, told, strict=True)},
    }

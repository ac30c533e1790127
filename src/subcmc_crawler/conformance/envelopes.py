"""Checks of bodies and envelopes (1.3.1 and the sections named .4 of chapter 2). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import (
    Found,
    Outcome,
    Result,
    judged,
    noted,
    passed,
    unchecked,
    warn,
)
from subcmc_crawler.conformance.transport import LAG_PERCENT, apart, faulty, place

_NOT_JSON: Final = frozenset({"empty-body", "not-json", "no-envelope", "number", "depth", "amplification"})
_FEW_ROWS: Final = 5
"""Totals may be apart by so many rows, too, before they are called different."""


def body_json(findings: Findings) -> Result:
    """Every body is one JSON object."""
    return _by_fault(findings, _NOT_JSON)


def body_utf8(findings: Findings) -> Result:
    """Every body is UTF-8."""
    return _by_fault(findings, {"not-utf8"})


def body_bom(findings: Findings) -> Result:
    """No byte order mark in front."""
    return _by_deviation(findings, {"bom": Outcome.WARN})


def envelope_code(findings: Findings) -> Result:
    """A page has the code 0, as a number."""
    wrong = _by_fault(findings, {"code", "no-code"})
    return wrong if wrong.found else _by_deviation(findings, {"code-string": Outcome.WARN})


def envelope_keys(findings: Findings) -> Result:
    """`code`, `message`, `total` and `data` are spelled like this, and there is one of each.

    The samples of the specification print a space behind message, so that one is no more than a warning.
    """

    def outcome(deviation: str) -> Outcome | None:
        kind, _, name = deviation.partition(":")
        if kind not in ("key-spaces", "key-typo", "key-twice"):
            return None
        forgiven = kind != "key-twice" and name in ("message", "massage")
        return Outcome.WARN if forgiven else Outcome.FAIL

    return _by_deviation(findings, outcome)


def envelope_message(findings: Findings) -> Result:
    """There is a message."""
    silent = {place(findings, each): each for each in findings.good if each.page and not each.page.message}
    found = [warn(where, "check.found.no_message", seen) for where, seen in silent.items()]
    return judged(found, _good(findings))


def envelope_data(findings: Findings) -> Result:
    """`data` is a list."""
    wrong = _by_fault(findings, {"no-data", "too-many-rows"})
    if wrong.found:
        return wrong
    return _by_deviation(findings, {"data-null": Outcome.WARN, "data-absent": Outcome.WARN})


def total_present(findings: Findings) -> Result:
    """There is a total, and it can be one."""
    words = ("total-absent", "total-negative", "total-absurd")
    return _by_deviation(findings, dict.fromkeys(words, Outcome.FAIL))


def total_integer(findings: Findings) -> Result:
    """The total is a number, not a text of digits."""
    return _by_deviation(findings, dict.fromkeys(("total-string", "total-type"), Outcome.FAIL))


def total_steady(findings: Findings) -> Result:
    """The total is that of the dataset: the same on every page, at every size, the second time.

    ==  ==================================================  ========
    1   the same everywhere                                 pass
    2   always the number of rows of its own page           fail
    3   apart by at most 1 % or 5 rows: the data may move   warn
    4   all else                                            fail
    ==  ==================================================  ========
    """
    found = []
    compared = 0
    for code in findings.codes:
        declared = list(findings.declared(code))
        totals = {total for _, total, _ in declared}
        compared += len(declared) > 1
        if len(totals) < 2:  # 1
            continue
        low, high = min(totals), max(totals)
        paged = findings.paged(code)
        near = apart(low, high) <= LAG_PERCENT or high - low <= _FEW_ROWS
        other = next(seen for seen, total, _ in declared if total != declared[0][1])
        outcome = Outcome.WARN if near and not paged else Outcome.FAIL  # 3
        what = "check.found.total_paged" if paged else "check.found.total_moves"  # 2
        found.append(noted(outcome, code, what, other, low=low, high=high))
    if not compared:
        return unchecked("check.open.no_page")
    return judged(found, passed("check.good.datasets", findings.of(Aim.AGAIN), count=compared))


def _by_fault(findings: Findings, kinds: frozenset[str] | set[str]) -> Result:
    asked = [each for each in findings.regular if not each.silent]
    found = list(faulty(findings, asked, kinds))
    return judged(found, _good(findings))


def _by_deviation(
    findings: Findings, outcomes: Mapping[str, Outcome] | Callable[[str], Outcome | None]
) -> Result:
    """What a lenient reader forgave on any good page, once a place and deviation."""
    judge = outcomes if callable(outcomes) else outcomes.get
    found: dict[tuple[str, str], Found] = {}
    for each in findings.good:
        for deviation in each.page.deviations if each.page else ():
            outcome = judge(deviation)
            if outcome is not None:
                where = place(findings, each)
                found.setdefault(
                    (where, deviation),
                    noted(outcome, where, "check.found.deviation", each, deviation=deviation),
                )
    return judged(list(found.values()), _good(findings))


def _good(findings: Findings) -> Result:
    pages = list(findings.good)
    if not pages:
        return unchecked("check.open.no_page")
    first = {each.question.dataset: each for each in reversed(pages)}
    return passed("check.good.pages", reversed(first.values()), count=len(pages))

"""What a check comes to: an outcome, what was found where, and the answers that show it. Pure.

Texts are keys of the report's catalogue with their values, so that a result can be told in any language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from subcmc_crawler.conformance.seeing import Seen

MOST_EVIDENCE: Final = 4
"""Answers that a result keeps as evidence; what was found tells of all."""

MOST_FOUND: Final = 40

Value = int | float | str


class Outcome(StrEnum):
    """How a check ended, the worst last."""

    UNCHECKED = "not-checked"
    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


_RANK: Final = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One deviation: `where` is a dataset or an address, `what` the key of its text."""

    outcome: Outcome
    where: str
    what: str
    values: Mapping[str, Value] = field(default_factory=dict)
    seen: Seen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one check; `reason` is the key of its sentence, and empty where `found` says it all."""

    outcome: Outcome
    reason: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    found: tuple[Found, ...] = ()
    left_out: int = 0  # deviations beyond those in `found`
    evidence: tuple[Seen, ...] = ()


def noted(outcome: Outcome, where: str, what: str, seen: Seen | None = None, **values: Value) -> Found:
    """Something found, with the answer that shows it."""
    return Found(outcome=outcome, where=where, what=what, values=values, seen=seen)


def fail(where: str, what: str, seen: Seen | None = None, **values: Value) -> Found:
    """Something that the specification does not allow."""
    return noted(Outcome.FAIL, where, what, seen, **values)


def warn(where: str, what: str, seen: Seen | None = None, **values: Value) -> Found:
    """Something that is bearable, or that the specification leaves open."""
    return noted(Outcome.WARN, where, what, seen, **values)


def unchecked(reason: str, **values: Value) -> Result:
    """Nothing can be said, and why."""
    return Result(outcome=Outcome.UNCHECKED, reason=reason, values=values)


def passed(reason: str, evidence: Iterable[Seen | None] = (), **values: Value) -> Result:
    """All is well; the evidence is an example of it."""
    return Result(outcome=Outcome.PASS, reason=reason, values=values, evidence=_shown(evidence))


def judged(found: Sequence[Found], good: Result) -> Result:
    """The worst of what was found, most serious first; `good` where nothing was."""
    if not found:
        return good
    ranked = sorted(found, key=lambda each: -_RANK[each.outcome])
    return Result(
        outcome=ranked[0].outcome,
        found=tuple(ranked[:MOST_FOUND]),
        left_out=max(0, len(ranked) - MOST_FOUND),
        evidence=_shown(each.seen for each in ranked),
    )


def _shown(seen: Iterable[Seen | None]) -> tuple[Seen, ...]:
    kept: list[Seen] = []
    for each in seen:
        if each is not None and each not in kept:
            kept.append(each)
        if len(kept) == MOST_EVIDENCE:
            break
    return tuple(kept)

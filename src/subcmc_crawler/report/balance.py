"""The equation of a walk: every row that was declared or received, accounted for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from subcmc_crawler.model import Counts, Verdict

_CUT_SHORT: Final = frozenset({Verdict.INCOMPLETE, Verdict.UNREACHABLE, Verdict.REFUSED, None})


@dataclass(frozen=True, slots=True)
class Term:
    """A named number of rows; the name is the part after `term.` of a label."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Balance:
    """An equation: the rows of `left` add up to the rows of `right`."""

    left: tuple[Term, ...]
    right: tuple[Term, ...]

    @property
    def holds(self) -> bool:
        """Both sides are equal."""
        return _total(self.left) == _total(self.right)

    @property
    def empty(self) -> bool:
        """Nothing was declared and nothing came."""
        return self.left == (Term("received", 0),) and self.right == (Term("distinct", 0),)


def balance(counts: Counts, verdict: Verdict | None) -> Balance:
    """The parts of `declared = distinct + ...`, true for any counts and any verdict.

    What was declared and never came is `missing`, or `unfetched` when the walk was cut short, because then
    the province was not heard to the end. A surplus stands on the left. Without a declared count the left
    is `received`. Counts that do not add up by themselves get a term `unexplained`, so that nothing hides.
    """
    parts = (
        Term("distinct", counts.distinct),
        Term("repeated", counts.repeated),
        Term("conflicting", counts.conflicting),
        Term("quarantined", counts.quarantined),
    )
    right = [parts[0], *(term for term in parts[1:] if term.rows)]
    unexplained = counts.received - _total(parts)
    left = [
        Term("received", counts.received) if counts.declared is None else Term("declared", counts.declared)
    ]
    _place(unexplained, left, right, more="unexplained", less="unexplained")
    absent = "unfetched" if verdict in _CUT_SHORT else "missing"
    _place(counts.missing or 0, left, right, more=absent, less="surplus")
    return Balance(tuple(left), tuple(right))


def store_balance(counts: Counts) -> Balance | None:
    """The parts of `distinct = stored`, None when nothing was counted in the store."""
    if counts.stored is None:
        return None
    left, right = [Term("distinct", counts.distinct)], [Term("stored", counts.stored)]
    _place(counts.distinct - counts.stored, left, right, more="unstored", less="overstored")
    return Balance(tuple(left), tuple(right))


def _place(rows: int, left: list[Term], right: list[Term], *, more: str, less: str) -> None:
    """Add what the right side lacks to it, or what it has too much to the left side."""
    if rows > 0:
        right.append(Term(more, rows))
    elif rows < 0:
        left.append(Term(less, -rows))


def _total(terms: Iterable[Term]) -> int:
    return sum(term.rows for term in terms)

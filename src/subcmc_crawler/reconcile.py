"""From the evidence of a walk to its verdict (design section 6). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .errors import Fault, Unreachable
from .model import Counts, Ending, State, Verdict
from .province.settings import Guard

_PUBLISHED: Final = frozenset({Verdict.DUPLICATED, Verdict.REPAIRED, Verdict.PROVEN})
_HELD: Final = frozenset({Verdict.SHORT, Verdict.SURPLUS, Verdict.DRIFTING, Verdict.SHRUNK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a verdict rests on."""

    counts: Counts = field(default_factory=Counts)
    registered: bool = True
    ending: Ending = Ending.CLEAN  # of the pass that is stored
    fault: Fault | None = None  # of a failed pass
    agreed: bool = False  # two passes saw the very same rows
    passes: int = 1
    served_digest: str | None = None
    stored_digest: str | None = None
    base: int | None = None  # rows of the last published snapshot
    tolerance: int = 0
    guard: Guard = field(default_factory=Guard)


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict and the sentence that gives its grounds."""

    verdict: Verdict
    reason: str = ""

    @property
    def state(self) -> State:
        """What becomes of the snapshot."""
        if self.verdict in _PUBLISHED:
            return State.PUBLISHED
        if self.verdict in _HELD:
            return State.HELD
        return State.NONE if self.verdict is Verdict.UNREGISTERED else State.ROLLED_BACK


def verdict(evidence: Evidence) -> Finding:  # noqa: PLR0911 - a row a return
    """What the evidence says. First match wins.

    ==  ==================================================================================  ==============
    1   no pull address is registered, or the dataset is switched off                       unregistered
    2   the window closed, or the run was stopped, before the walk ended                    incomplete
    3   no address answered                                                                 unreachable
    4   the province answered an error, or no valid envelope                                refused
    5   stored is not distinct, the stored digest differs, or the counts do not balance     store-mismatch
    6   more rows are missing than tolerated, or no total was declared                      short
    7   more rows came than declared and tolerated                                          surplus
    8   no pass was clean: totals or page 1 moved, or keys repeated in another way each time  drifting
    9   shrank by more than the guard since the last published snapshot                     shrunk
    10  the province's own duplicate keys, the same in two passes, nothing missing          duplicated
    11  clean after more than one pass                                                      repaired
    12  clean in the first pass                                                             proven
    ==  ==================================================================================  ==============
    """
    counts = evidence.counts
    if not evidence.registered:  # 1
        return Finding(Verdict.UNREGISTERED)
    if evidence.ending is Ending.STOPPED:  # 2
        return Finding(Verdict.INCOMPLETE, "stopped before the walk ended")
    if isinstance(evidence.fault, Unreachable):  # 3
        return Finding(Verdict.UNREACHABLE, str(evidence.fault))
    if evidence.ending is Ending.FAILED:  # 4
        return Finding(Verdict.REFUSED, str(evidence.fault))
    if counts.imbalances() or counts.stored is None or evidence.stored_digest != evidence.served_digest:  # 5
        return Finding(Verdict.STORE_MISMATCH, _mismatch(counts))
    if counts.missing is None:  # 6
        return Finding(Verdict.SHORT, "no usable total was declared: nothing to prove against")
    if counts.missing > evidence.tolerance:  # 6
        return Finding(Verdict.SHORT, _short(counts.missing, evidence.ending))
    if counts.missing < -evidence.tolerance:  # 7
        return Finding(Verdict.SURPLUS, f"{-counts.missing} rows more than declared")
    if _drifting(evidence):  # 8
        return Finding(Verdict.DRIFTING, _moved(evidence))
    shrinkage = _shrinkage(evidence)
    if shrinkage:  # 9
        return Finding(Verdict.SHRUNK, shrinkage)
    if evidence.ending is Ending.REPEATING:  # 10
        repeats = counts.repeated + counts.conflicting
        return Finding(Verdict.DUPLICATED, f"{repeats} rows repeat a key, the same in two passes")
    tolerated = f"{abs(counts.missing)} rows off, tolerated" if counts.missing else ""
    if evidence.passes > 1:  # 11
        return Finding(Verdict.REPAIRED, tolerated or f"clean in pass {evidence.passes}")
    return Finding(Verdict.PROVEN, tolerated)  # 12


def _drifting(evidence: Evidence) -> bool:
    return evidence.ending is not Ending.CLEAN and not evidence.agreed


def _mismatch(counts: Counts) -> str:
    if counts.stored != counts.distinct:
        return f"{counts.stored} records stored where {counts.distinct} were served"
    unbalanced = counts.imbalances()
    return f"the counts do not balance: {unbalanced[0]}" if unbalanced else "stored is not what was served"


def _short(missing: int, ending: Ending) -> str:
    if ending is Ending.LOOPING:
        return f"{missing} rows missing: another page number gave the same page again"
    return f"{missing} rows missing"


def _moved(evidence: Evidence) -> str:
    passes = f"no clean pass in {evidence.passes}"
    counts = evidence.counts
    if counts.declared_first != counts.declared:
        return f"{passes}: the total moved from {counts.declared_first} to {counts.declared}"
    if evidence.ending is Ending.REPEATING:
        return f"{passes}: {counts.repeated + counts.conflicting} rows came twice, another set each time"
    return f"{passes}: page 1 changed while the rest was walked"


def _shrinkage(evidence: Evidence) -> str:
    """Why the snapshot counts as shrunk; empty when it does not. Growth always passes."""
    base, now, guard = evidence.base, evidence.counts.distinct, evidence.guard
    if not base or now >= base:
        return ""
    lost = base - now
    if now == 0:
        return f"all {base} records are gone"
    if base >= guard.minimum and lost > guard.rows and lost * 100 > base * guard.percent:
        return f"{lost} of {base} records are gone ({lost * 100 / base:.1f} %)"
    return ""

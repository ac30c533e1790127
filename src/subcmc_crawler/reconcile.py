"""From the evidence of a walk to its verdict (design section 6). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from subcmc_crawler.errors import Fault, Unreachable
from subcmc_crawler.model import Counts, Ending, State, Verdict
from subcmc_crawler.province.settings import Guard

_PUBLISHED: Final = frozenset({Verdict.DUPLICATED, Verdict.REPAIRED, Verdict.PROVEN})
_HELD: Final = frozenset({Verdict.SHORT, Verdict.SURPLUS, Verdict.DRIFTING, Verdict.SHRUNK})


class Why(StrEnum):
    """The grounds of a verdict as a word that stays the same; the report has a sentence for each."""

    NO_ADDRESS = "no-address"
    SWITCHED_OFF = "switched-off"
    STOPPED = "stopped"
    REMOVED = "removed"
    FAULT = "fault"
    MISMATCH = "mismatch"
    UNCOUNTED = "uncounted"
    UNBALANCED = "unbalanced"
    OTHER_DIGEST = "other-digest"
    UNDECLARED = "undeclared"
    MISSING = "missing"
    MISSING_LOOPING = "missing-looping"
    SURPLUS = "surplus"
    LATE_TOTAL = "late-total"
    MOVED_TOTAL = "moved-total"
    WAVERED_TOTAL = "wavered-total"
    REPEATS_MOVED = "repeats-moved"
    MOVED_FIRST_PAGE = "moved-first-page"
    GONE = "gone"
    SHRUNK = "shrunk"
    REPEATS_STEADY = "repeats-steady"
    REPAIRED = "repaired"
    MOVED_UNREAD = "moved-unread"
    TOLERATED = "tolerated"


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
    moved: int = 0  # by how much the total moved while the pass went on
    guard: Guard = field(default_factory=Guard)


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict and its grounds: as a sentence, and as a code (`Why`) with the values that its words tell."""

    verdict: Verdict
    reason: str = ""
    reason_code: str = ""
    reason_values: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """What becomes of the snapshot."""
        if self.verdict in _PUBLISHED:
            return State.PUBLISHED
        if self.verdict in _HELD:
            return State.HELD
        return State.NONE if self.verdict is Verdict.UNREGISTERED else State.ROLLED_BACK


def verdict(evidence: Evidence) -> Finding:  # noqa: PLR0911, PLR0912 - a row a return
    """What the evidence says. First match wins.

    ==  ==================================================================================  ==============
    1   no pull address is registered, or the dataset is switched off                       unregistered
    2   the window closed, or the run was stopped, before the walk ended                    incomplete
    3   no address answered                                                                 unreachable
    4   the province answered an error, or no valid envelope                                refused
    5   stored is not distinct, the stored digest differs, or the counts do not balance     store-mismatch
    6   more rows are missing than tolerated and than a moving total explains, or no total  short
        was declared
    7   more rows came than declared, tolerated, and than a moving total explains           surplus
    8   no pass was clean: totals or page 1 moved, or keys repeated in another way each time  drifting
    9   shrank by more than the guard since the last published snapshot                     shrunk
    10  the province's own duplicate keys, the same in two passes, nothing missing          duplicated
    11  clean after more than one pass, or the total moved behind the pages that were read  repaired
    12  clean in the first pass                                                             proven
    ==  ==================================================================================  ==============
    """
    counts = evidence.counts
    if not evidence.registered:  # 1
        return Finding(Verdict.UNREGISTERED)
    if evidence.ending is Ending.STOPPED:  # 2
        return Finding(Verdict.INCOMPLETE, "stopped before the walk ended", Why.STOPPED)
    if isinstance(evidence.fault, Unreachable):  # 3
        return _faulty(Verdict.UNREACHABLE, evidence.fault)
    if evidence.ending is Ending.FAILED:  # 4
        return _faulty(Verdict.REFUSED, evidence.fault)
    if counts.imbalances() or counts.stored is None or evidence.stored_digest != evidence.served_digest:  # 5
        return _mismatch(counts)
    if counts.missing is None:  # 6
        reason = "no usable total was declared: nothing to prove against"
        return Finding(Verdict.SHORT, reason, Why.UNDECLARED)
    if counts.missing > evidence.tolerance + evidence.moved:  # 6
        return _short(counts.missing, evidence.ending)
    if counts.missing < -evidence.tolerance - evidence.moved:  # 7
        surplus = -counts.missing
        reason = f"{_rows(surplus)} more than declared"
        return Finding(Verdict.SURPLUS, reason, Why.SURPLUS, {"rows": surplus})
    if _drifting(evidence):  # 8
        return _moved(evidence)
    shrunk = _shrunk(evidence)
    if shrunk:  # 9
        return shrunk
    if evidence.ending is Ending.REPEATING:  # 10
        repeats = counts.repeated + counts.conflicting
        reason = f"{_counted(repeats, 'row repeats', 'rows repeat')} a key, the same in two passes"
        return Finding(Verdict.DUPLICATED, reason, Why.REPEATS_STEADY, {"rows": repeats})
    clean = Verdict.REPAIRED if evidence.passes > 1 or evidence.moved else Verdict.PROVEN
    if counts.missing:  # 11, 12
        off = abs(counts.missing)
        return Finding(clean, f"{_rows(off)} off, tolerated", Why.TOLERATED, {"rows": off})
    if evidence.passes == 1 and evidence.moved:  # 11
        reason = (
            f"the total moved by {evidence.moved} behind the pages that were read; those are as they were"
        )
        return Finding(clean, reason, Why.MOVED_UNREAD, {"rows": evidence.moved})
    if clean is Verdict.REPAIRED:  # 11
        passes = evidence.passes
        return Finding(clean, f"clean in pass {passes}", Why.REPAIRED, {"passes": passes})
    return Finding(clean)  # 12


def _drifting(evidence: Evidence) -> bool:
    return evidence.ending is not Ending.CLEAN and not evidence.agreed


def _faulty(verdict: Verdict, fault: Fault | None) -> Finding:
    if fault is None:
        return Finding(verdict, str(fault))
    return Finding(verdict, str(fault), Why.FAULT, {"kind": fault.kind, "detail": fault.detail})


def _mismatch(counts: Counts) -> Finding:
    if counts.stored != counts.distinct:
        stored = _counted(counts.stored, "record", "records")
        reason = f"{stored} stored where {_counted(counts.distinct, 'was', 'were')} served"
        if counts.stored is None:
            return Finding(Verdict.STORE_MISMATCH, reason, Why.UNCOUNTED, {"served": counts.distinct})
        values = {"stored": counts.stored, "served": counts.distinct}
        return Finding(Verdict.STORE_MISMATCH, reason, Why.MISMATCH, values)
    unbalanced = counts.imbalances()
    if unbalanced:
        reason = f"the counts do not balance: {unbalanced[0]}"
        return Finding(Verdict.STORE_MISMATCH, reason, Why.UNBALANCED, {"equation": unbalanced[0]})
    return Finding(Verdict.STORE_MISMATCH, "stored is not what was served", Why.OTHER_DIGEST)


def _short(missing: int, ending: Ending) -> Finding:
    reason, values = f"{_rows(missing)} missing", {"rows": missing}
    if ending is Ending.LOOPING:
        reason = f"{reason}: another page number gave the same page again"
        return Finding(Verdict.SHORT, reason, Why.MISSING_LOOPING, values)
    return Finding(Verdict.SHORT, reason, Why.MISSING, values)


def _moved(evidence: Evidence) -> Finding:
    def drifting(reason: str, why: Why, **values: int) -> Finding:
        passes = evidence.passes
        return Finding(
            Verdict.DRIFTING, f"no clean pass in {passes}: {reason}", why, {"passes": passes, **values}
        )

    counts = evidence.counts
    first, last = counts.declared_first, counts.declared or 0
    if first != counts.declared:
        reason = f"the total moved from {first} to {last}"
        if first is None:
            return drifting(reason, Why.LATE_TOTAL, last=last)
        return drifting(reason, Why.MOVED_TOTAL, first=first, last=last)
    if evidence.ending is Ending.REPEATING:
        repeats = counts.repeated + counts.conflicting
        reason = f"{_rows(repeats)} came twice, another set each time"
        return drifting(reason, Why.REPEATS_MOVED, rows=repeats)
    if evidence.moved:
        rows = evidence.moved
        return drifting(f"the total moved by {rows} and came back", Why.WAVERED_TOTAL, rows=rows)
    return drifting("page 1 changed while the rest was walked", Why.MOVED_FIRST_PAGE)


def _shrunk(evidence: Evidence) -> Finding | None:
    """The finding of a snapshot that counts as shrunk; None when it does not. Growth always passes."""
    base, now, guard = evidence.base, evidence.counts.distinct, evidence.guard
    if not base or now >= base:
        return None
    lost = base - now
    if now == 0:
        reason = f"all {_counted(base, 'record is', 'records are')} gone"
        return Finding(Verdict.SHRUNK, reason, Why.GONE, {"base": base})
    if base >= guard.minimum and lost > guard.rows and lost * 100 > base * guard.percent:
        percent = f"{lost * 100 / base:.1f}"
        reason = f"{lost} of {base} records {'is' if lost == 1 else 'are'} gone ({percent} %)"
        return Finding(Verdict.SHRUNK, reason, Why.SHRUNK, {"lost": lost, "base": base, "percent": percent})
    return None


def _rows(count: int) -> str:
    return _counted(count, "row", "rows")


def _counted(count: int | None, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"

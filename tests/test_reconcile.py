"""The decision table of `reconcile.verdict()`, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.model import CLEAN, Counts, Ending, State, Verdict
from subcmc_crawler.province.settings import Guard
from subcmc_crawler.reconcile import Evidence, Finding, verdict

REFUSED = Refused("http-500", "Internal Server Error", status=500)
UNREACHABLE = Unreachable("timeout", "no complete answer in time")


def counts(distinct: int = 1000, **changes: Any) -> Counts:
    """Counts that balance: everything declared came, once, and nothing is new."""
    usual: dict[str, Any] = {
        "declared": distinct,
        "declared_first": distinct,
        "received": distinct,
        "distinct": distinct,
        "stored": distinct,
        "unchanged": distinct,
    }
    return Counts(**{**usual, **changes})


def evidence(**changes: Any) -> Evidence:
    """A walk that was clean in its first pass."""
    usual: dict[str, Any] = {"counts": counts(), "served_digest": "d", "stored_digest": "d", "base": 1000}
    return Evidence(**{**usual, **changes})


def said(**changes: Any) -> Verdict:
    return verdict(evidence(**changes)).verdict


MISMATCH = counts(stored=999)
SHORT = counts(declared=1003, declared_first=1003)
SURPLUS = counts(declared=997, declared_first=997)
REPEATED = counts(received=1005, declared=1005, declared_first=1005, repeated=3, conflicting=2)
SHRUNK = {"counts": counts(700)}


def test_row_1_what_is_not_registered_is_unregistered() -> None:
    finding = verdict(Evidence(registered=False))
    assert finding == Finding(Verdict.UNREGISTERED)
    assert finding.state is State.NONE


def test_row_1_comes_before_row_2() -> None:
    assert said(registered=False, ending=Ending.STOPPED) is Verdict.UNREGISTERED


def test_row_2_a_walk_that_was_stopped_is_incomplete() -> None:
    finding = verdict(evidence(ending=Ending.STOPPED))
    assert finding.verdict is Verdict.INCOMPLETE
    assert finding.state is State.ROLLED_BACK


def test_row_2_comes_before_row_3() -> None:
    assert said(ending=Ending.STOPPED, fault=UNREACHABLE) is Verdict.INCOMPLETE


def test_row_3_no_address_answered() -> None:
    finding = verdict(evidence(ending=Ending.FAILED, fault=UNREACHABLE))
    assert finding.verdict is Verdict.UNREACHABLE
    assert finding.state is State.ROLLED_BACK
    assert finding.reason == "timeout: no complete answer in time"


def test_row_3_comes_before_row_4() -> None:
    assert said(ending=Ending.FAILED, fault=UNREACHABLE) is Verdict.UNREACHABLE
    assert said(ending=Ending.FAILED, fault=REFUSED) is Verdict.REFUSED


@pytest.mark.parametrize("fault", [REFUSED, Malformed("not-json", "cut"), TooLarge("too-large", "10 MB")])
def test_row_4_an_error_for_an_answer_is_refused(fault: Fault) -> None:
    finding = verdict(evidence(ending=Ending.FAILED, fault=fault))
    assert finding.verdict is Verdict.REFUSED
    assert finding.state is State.ROLLED_BACK
    assert finding.reason == str(fault)


def test_row_4_a_refusal_past_the_end_is_no_failure() -> None:
    assert said(ending=Ending.CLEAN, fault=REFUSED) is Verdict.PROVEN


def test_row_4_comes_before_row_5() -> None:
    assert said(ending=Ending.FAILED, fault=REFUSED, counts=MISMATCH) is Verdict.REFUSED
    assert said(ending=Ending.FAILED, fault=REFUSED, counts=counts(stored=None)) is Verdict.REFUSED


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": MISMATCH},
        {"counts": counts(stored=1001)},
        {"counts": counts(stored=None)},
        {"stored_digest": "other"},
        {"stored_digest": None},
        {"counts": counts(received=1001, declared=1001)},
        {"counts": counts(unchanged=999)},
    ],
    ids=["fewer", "more", "none", "digest", "no-digest", "received", "changes"],
)
def test_row_5_stored_is_not_what_was_served(changes: dict[str, Any]) -> None:
    finding = verdict(evidence(**changes))
    assert finding.verdict is Verdict.STORE_MISMATCH
    assert finding.state is State.ROLLED_BACK
    assert finding.reason


def test_row_5_comes_before_row_6() -> None:
    assert said(counts=replace(SHORT, stored=999)) is Verdict.STORE_MISMATCH
    assert said(counts=replace(SHORT, declared=None), stored_digest="other") is Verdict.STORE_MISMATCH


def test_row_5_comes_before_row_7() -> None:
    assert said(counts=replace(SURPLUS, stored=999)) is Verdict.STORE_MISMATCH


def test_row_6_more_rows_missing_than_tolerated_is_short() -> None:
    finding = verdict(evidence(counts=SHORT, ending=Ending.MISCOUNTED))
    assert finding.verdict is Verdict.SHORT
    assert finding.state is State.HELD
    assert finding.reason == "3 rows missing"


@pytest.mark.parametrize(
    ("tolerance", "expected"), [(0, Verdict.SHORT), (2, Verdict.SHORT), (3, Verdict.PROVEN)]
)
def test_row_6_the_tolerance(tolerance: int, expected: Verdict) -> None:
    assert said(counts=SHORT, tolerance=tolerance) is expected


def test_row_6_without_a_declared_total_nothing_is_proven() -> None:
    finding = verdict(evidence(counts=counts(declared=None), ending=Ending.UNDECLARED, tolerance=10**6))
    assert finding.verdict is Verdict.SHORT
    assert finding.state is State.HELD
    assert "total" in finding.reason


@pytest.mark.parametrize(
    ("moved", "expected"), [(0, Verdict.SHORT), (1, Verdict.SHORT), (2, Verdict.DRIFTING)]
)
def test_row_6_what_a_moving_total_explains_is_not_missing(moved: int, expected: Verdict) -> None:
    assert said(counts=SHORT, ending=Ending.MOVED, tolerance=1, moved=moved) is expected


def test_row_6_says_when_page_numbers_are_ignored() -> None:
    assert "same page again" in verdict(evidence(counts=SHORT, ending=Ending.LOOPING)).reason


@pytest.mark.parametrize("ending", [Ending.MOVED, Ending.REPEATING, Ending.MISCOUNTED])
def test_row_6_comes_before_row_8(ending: Ending) -> None:
    assert said(counts=SHORT, ending=ending) is Verdict.SHORT


def test_row_6_comes_before_row_9() -> None:
    assert said(counts=counts(700, declared=701)) is Verdict.SHORT


def test_row_6_comes_before_row_10() -> None:
    short = replace(REPEATED, declared=1006)
    assert said(counts=short, ending=Ending.REPEATING, agreed=True) is Verdict.SHORT


def test_row_7_more_rows_than_declared_is_surplus() -> None:
    finding = verdict(evidence(counts=SURPLUS, ending=Ending.MISCOUNTED))
    assert finding.verdict is Verdict.SURPLUS
    assert finding.state is State.HELD
    assert finding.reason == "3 rows more than declared"


@pytest.mark.parametrize(
    ("tolerance", "expected"), [(0, Verdict.SURPLUS), (2, Verdict.SURPLUS), (3, Verdict.PROVEN)]
)
def test_row_7_the_tolerance(tolerance: int, expected: Verdict) -> None:
    assert said(counts=SURPLUS, tolerance=tolerance) is expected


@pytest.mark.parametrize(
    ("moved", "expected"), [(0, Verdict.SURPLUS), (1, Verdict.SURPLUS), (2, Verdict.DRIFTING)]
)
def test_row_7_what_a_moving_total_explains_is_no_surplus(moved: int, expected: Verdict) -> None:
    assert said(counts=SURPLUS, ending=Ending.MOVED, tolerance=1, moved=moved) is expected


def test_row_7_comes_before_row_8() -> None:
    assert said(counts=SURPLUS, ending=Ending.MOVED) is Verdict.SURPLUS


def test_row_7_comes_before_row_9() -> None:
    assert said(counts=counts(700, declared=699)) is Verdict.SURPLUS


UNCLEAN = [Ending.MOVED, Ending.REPEATING, Ending.LOOPING, Ending.MISCOUNTED]


@pytest.mark.parametrize("ending", UNCLEAN)
def test_row_8_no_pass_was_clean(ending: Ending) -> None:
    finding = verdict(evidence(ending=ending, passes=3))
    assert finding.verdict is Verdict.DRIFTING
    assert finding.state is State.HELD
    assert finding.reason.startswith("no clean pass in 3")


def test_row_8_says_how_the_total_moved() -> None:
    moved = verdict(evidence(ending=Ending.MOVED, counts=counts(declared_first=990)))
    assert moved.reason.endswith("the total moved from 990 to 1000")
    assert verdict(evidence(ending=Ending.MOVED)).reason.endswith("page 1 changed while the rest was walked")
    wavered = verdict(evidence(ending=Ending.MOVED, moved=4))
    assert wavered.reason.endswith("the total moved by 4 and came back")
    late = verdict(evidence(ending=Ending.MOVED, counts=counts(declared_first=None)))
    assert late.reason.endswith("the total moved from None to 1000")
    repeating = verdict(evidence(ending=Ending.REPEATING, counts=REPEATED))
    assert "5 rows came twice" in repeating.reason


def test_row_8_comes_before_row_9() -> None:
    assert said(ending=Ending.MOVED, **SHRUNK) is Verdict.DRIFTING


def test_row_8_comes_before_rows_10_and_11() -> None:
    assert said(ending=Ending.REPEATING, counts=REPEATED, passes=3) is Verdict.DRIFTING


def test_row_9_a_snapshot_that_shrank_beyond_the_guard_is_held() -> None:
    finding = verdict(evidence(**SHRUNK))
    assert finding.verdict is Verdict.SHRUNK
    assert finding.state is State.HELD
    assert finding.reason == "300 of 1000 records are gone (30.0 %)"


@pytest.mark.parametrize(
    ("base", "now", "guard", "shrunk"),
    [
        (1000, 700, Guard(rows=100, percent=20, minimum=500), True),
        (1000, 700, Guard(rows=300, percent=20, minimum=500), False),
        (1000, 700, Guard(rows=299, percent=20, minimum=500), True),
        (1000, 700, Guard(rows=100, percent=30, minimum=500), False),
        (1000, 700, Guard(rows=100, percent=29.9, minimum=500), True),
        (1000, 700, Guard(rows=100, percent=20, minimum=1001), False),
        (1000, 700, Guard(rows=100, percent=20, minimum=1000), True),
        (1000, 1, Guard(rows=1000, percent=0, minimum=0), False),
        (1000, 1, Guard(rows=0, percent=100, minimum=0), False),
        (1000, 999, Guard(rows=0, percent=0, minimum=0), True),
    ],
    ids=[
        "all-three", "rows-equal", "rows-over", "percent-equal", "percent-over", "under-minimum",
        "at-minimum", "rows-alone", "percent-alone", "one-row",
    ],
)  # fmt: skip
def test_row_9_rows_and_percent_and_minimum_must_all_be_passed(
    base: int, now: int, guard: Guard, shrunk: bool
) -> None:
    expected = Verdict.SHRUNK if shrunk else Verdict.PROVEN
    assert said(base=base, counts=counts(now), guard=guard) is expected


@pytest.mark.parametrize("base", [1, 499, 1000])
def test_row_9_to_zero_is_special_even_under_the_minimum(base: int) -> None:
    lenient = Guard(rows=10**6, percent=100, minimum=10**6)
    finding = verdict(evidence(base=base, counts=counts(0), guard=lenient))
    assert finding.verdict is Verdict.SHRUNK
    assert finding.reason == ("all 1 record is gone" if base == 1 else f"all {base} records are gone")


@pytest.mark.parametrize("base", [None, 0])
def test_row_9_nothing_can_shrink_from_nothing(base: int | None) -> None:
    strict = Guard(rows=0, percent=0, minimum=0)
    assert said(base=base, counts=counts(0), guard=strict) is Verdict.PROVEN


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 100))
def test_row_9_growth_always_passes(base: int, more: int, rows: int, percent: float) -> None:
    guard = Guard(rows=rows, percent=percent, minimum=0)
    assert said(base=base, counts=counts(base + more), guard=guard) is Verdict.PROVEN


def test_row_9_counts_distinct_records_and_not_rows() -> None:
    padded = counts(700, received=1000, declared=1000, declared_first=1000, repeated=300)
    assert said(counts=padded, ending=Ending.REPEATING, agreed=True) is Verdict.SHRUNK


def test_row_9_comes_before_rows_10_to_12() -> None:
    repeated = counts(700, received=701, declared=701, declared_first=701, repeated=1)
    assert said(counts=repeated, ending=Ending.REPEATING, agreed=True) is Verdict.SHRUNK
    assert said(passes=2, **SHRUNK) is Verdict.SHRUNK
    assert said(passes=1, **SHRUNK) is Verdict.SHRUNK


def test_row_10_own_duplicates_the_same_in_two_passes_are_published() -> None:
    finding = verdict(evidence(counts=REPEATED, ending=Ending.REPEATING, agreed=True, passes=2))
    assert finding.verdict is Verdict.DUPLICATED
    assert finding.state is State.PUBLISHED
    assert finding.reason == "5 rows repeat a key, the same in two passes"


def test_row_10_comes_before_row_11() -> None:
    assert said(counts=REPEATED, ending=Ending.REPEATING, agreed=True, passes=2) is Verdict.DUPLICATED


def test_row_11_clean_after_more_than_one_pass_is_repaired() -> None:
    finding = verdict(evidence(passes=3))
    assert finding.verdict is Verdict.REPAIRED
    assert finding.state is State.PUBLISHED
    assert finding.reason == "clean in pass 3"


def test_row_11_a_total_that_moved_behind_what_was_read_is_repaired() -> None:
    finding = verdict(evidence(moved=2))
    assert finding.verdict is Verdict.REPAIRED
    assert finding.state is State.PUBLISHED
    assert finding.reason == "the total moved by 2 behind the pages that were read; those are as they were"
    assert verdict(evidence(moved=2, passes=2)).reason == "clean in pass 2"


def test_row_11_comes_before_row_12() -> None:
    assert said(passes=2) is Verdict.REPAIRED
    assert said(passes=1) is Verdict.PROVEN


def test_row_12_clean_in_the_first_pass_is_proven() -> None:
    finding = verdict(evidence())
    assert finding == Finding(Verdict.PROVEN, "")
    assert finding.state is State.PUBLISHED


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("off", [SHORT, SURPLUS])
def test_rows_11_and_12_say_what_was_tolerated(passes: int, off: Counts) -> None:
    finding = verdict(evidence(counts=off, tolerance=3, passes=passes))
    assert finding.state is State.PUBLISHED
    assert finding.reason == "3 rows off, tolerated"


STATES = {
    Verdict.UNREGISTERED: State.NONE,
    Verdict.INCOMPLETE: State.ROLLED_BACK,
    Verdict.UNREACHABLE: State.ROLLED_BACK,
    Verdict.REFUSED: State.ROLLED_BACK,
    Verdict.STORE_MISMATCH: State.ROLLED_BACK,
    Verdict.SHORT: State.HELD,
    Verdict.SURPLUS: State.HELD,
    Verdict.DRIFTING: State.HELD,
    Verdict.SHRUNK: State.HELD,
    Verdict.DUPLICATED: State.PUBLISHED,
    Verdict.REPAIRED: State.PUBLISHED,
    Verdict.PROVEN: State.PUBLISHED,
}


@pytest.mark.parametrize("each", Verdict)
def test_every_verdict_has_its_state(each: Verdict) -> None:
    assert Finding(each).state is STATES[each]
    assert (each in CLEAN) == (Finding(each).state in (State.PUBLISHED, State.NONE))


@st.composite
def any_counts(draw: st.DrawFn) -> Counts:
    small = st.integers(0, 20)
    added, changed, unchanged = draw(small), draw(small), draw(small)
    repeated, conflicting, quarantined = draw(small), draw(small), draw(small)
    distinct = added + changed + unchanged
    received = distinct + repeated + conflicting + quarantined
    return Counts(
        declared=draw(st.none() | st.integers(0, 120)),
        received=received + draw(st.sampled_from([0, 0, 0, 1])),
        distinct=distinct,
        repeated=repeated,
        conflicting=conflicting,
        quarantined=quarantined,
        stored=draw(st.sampled_from([distinct, distinct, distinct, None, distinct + 1])),
        added=added,
        changed=changed,
        unchanged=unchanged,
    )


@settings(deadline=None)
@given(
    st.builds(
        Evidence,
        counts=any_counts(),
        registered=st.booleans(),
        ending=st.sampled_from(Ending),
        fault=st.sampled_from([None, REFUSED, UNREACHABLE]),
        agreed=st.booleans(),
        passes=st.integers(1, 4),
        served_digest=st.sampled_from(["d", None]),
        stored_digest=st.sampled_from(["d", None]),
        base=st.none() | st.integers(0, 100),
        tolerance=st.integers(0, 5),
        moved=st.integers(0, 5),
        guard=st.builds(
            Guard, rows=st.integers(0, 20), percent=st.integers(0, 100), minimum=st.integers(0, 50)
        ),
    )
)
def test_nothing_is_published_that_is_not_accounted_for(any_evidence: Evidence) -> None:
    if any_evidence.moved:  # then `judge()` ends no pass in another way
        any_evidence = replace(any_evidence, ending=Ending.MOVED, agreed=False)
    finding = verdict(any_evidence)
    assert bool(finding.reason) == bool(finding.reason_code) or any_evidence.fault is None
    if finding.state is not State.PUBLISHED:
        return
    found = any_evidence.counts
    assert not found.imbalances()
    assert found.stored == found.distinct
    assert found.missing is not None
    assert abs(found.missing) <= any_evidence.tolerance
    assert any_evidence.ending is Ending.CLEAN or any_evidence.agreed
    assert any_evidence.ending not in (Ending.STOPPED, Ending.FAILED)
    assert not any_evidence.base or found.distinct > 0


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (evidence(counts=counts(1, stored=0)), "0 records stored where 1 was served"),
        (evidence(counts=counts(2, stored=1)), "1 record stored where 2 were served"),
        (evidence(counts=counts(2, declared=3)), "1 row missing"),
        (evidence(counts=counts(2, declared=1)), "1 row more than declared"),
        (evidence(base=2, counts=counts(2, declared=1), tolerance=1), "1 row off, tolerated"),
        (
            evidence(
                counts=counts(2, received=3, declared=3, declared_first=3, repeated=1),
                ending=Ending.REPEATING,
            ),
            "no clean pass in 1: 1 row came twice, another set each time",
        ),
        (
            evidence(
                base=2,
                counts=counts(2, received=3, declared=3, declared_first=3, repeated=1),
                ending=Ending.REPEATING,
                agreed=True,
            ),
            "1 row repeats a key, the same in two passes",
        ),
        (
            evidence(base=3, counts=counts(2), guard=Guard(rows=0, percent=0, minimum=0)),
            "1 of 3 records is gone (33.3 %)",
        ),
    ],
)
def test_one_of_anything_is_singular(told: Evidence, reason: str) -> None:
    assert verdict(told).reason == reason

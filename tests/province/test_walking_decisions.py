"""The decision tables of `province.walking`, row by row, and what each method of `Pass` does to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from subcmc_crawler.model import Ending
from subcmc_crawler.province.walking import (
    MAX_PAGES,
    MAX_RECEIVED,
    MOST_SEAMS,
    Ask,
    End,
    PageFacts,
    PageProbe,
    Pass,
    PassFacts,
    Probe,
    Seam,
    Step,
    Take,
    advance,
    agrees,
    another_pass,
    judge,
    next_page_size,
    next_realign,
)

SIZE = 10


def facts(
    rows: int = SIZE, *, total: int | None = 30, keys: bytes = b"one", content: bytes = b""
) -> PageFacts:
    return PageFacts(rows=rows, total=total, keys=keys, content=content or keys)


def looked(*, total: int | None = 30, keys: bytes = b"one") -> PageProbe:
    return PageProbe(total=total, keys=keys)


def passing(**changes: Any) -> Pass:
    """A pass of 30 declared rows in pages of 10 that took page 1, with nothing on its way."""
    usual: dict[str, Any] = {
        "asked_size": SIZE,
        "max_in_flight": 2,
        "first_size": SIZE,
        "next_page": 2,
        "taken": 1,
        "received": SIZE,
        "first": facts(),
        "last": facts(),
        "totals": (30,),
    }
    return Pass(**{**usual, **changes})


def ended(**changes: Any) -> Pass:
    """A pass that took all three pages and looked at page 1 again."""
    usual: dict[str, Any] = {"next_page": 4, "taken": 3, "received": 30, "probe": looked()}
    return passing(**{**usual, **changes})


# ── advance() ───────────────────────────────────────────────────────────────────────────────────────────


def test_row_1_a_stopped_run_ends_the_pass() -> None:
    assert advance(passing(stopped=True)) == End(Ending.STOPPED)


def test_row_1_comes_before_row_2() -> None:
    assert advance(passing(stopped=True, failed=True)) == End(Ending.STOPPED)


def test_row_1_comes_before_row_3() -> None:
    assert advance(Pass(asked_size=SIZE, stopped=True)) == End(Ending.STOPPED)


def test_row_2_a_page_that_could_not_be_had_ends_the_pass() -> None:
    assert advance(passing(failed=True)) == End(Ending.FAILED)


def test_row_2_comes_before_row_3() -> None:
    assert advance(Pass(asked_size=SIZE, failed=True)) == End(Ending.FAILED)


def test_row_2_comes_before_row_4() -> None:
    assert advance(passing(first=None, failed=True)) == End(Ending.FAILED)


def test_row_3_a_fresh_pass_asks_for_page_1() -> None:
    assert advance(Pass(asked_size=SIZE)) == Ask(1, SIZE)


def test_row_3_comes_before_row_4() -> None:
    walk = Pass(asked_size=SIZE, max_in_flight=2)
    assert walk.first is None
    assert advance(walk) == Ask(1, SIZE)


def test_row_3_again_when_page_1_was_halved() -> None:
    walk = Pass(asked_size=SIZE).asked().halved()
    assert walk is not None
    assert advance(walk) == Ask(1, 5)


def test_row_4_nothing_else_is_asked_while_page_1_is_on_its_way() -> None:
    assert advance(Pass(asked_size=SIZE, max_in_flight=64).asked()) == Take()


@pytest.mark.parametrize("changes", [{"past_end": True}, {"next_page": MAX_PAGES + 1}, {"totals": ()}])
def test_row_4_comes_before_rows_5_to_9(changes: dict[str, Any]) -> None:
    assert advance(passing(first=None, last=None, **changes)) == Take()


@pytest.mark.parametrize("sign", ["echoed", "past_end"])
def test_row_5_an_echo_or_no_more_leads_to_the_probe(sign: str) -> None:
    assert advance(passing(**{sign: True})) == Probe(1, SIZE)


@pytest.mark.parametrize("sign", ["echoed", "past_end"])
def test_row_5_after_the_probe_it_is_the_end(sign: str) -> None:
    assert advance(ended(**{sign: True})) == End(Ending.CLEAN)


def test_row_5_comes_before_row_6() -> None:
    assert advance(passing(echoed=True, next_page=MAX_PAGES + 1)) == Probe(1, SIZE)


def test_row_5_comes_before_row_7() -> None:
    assert advance(passing()) == Ask(2, SIZE)
    assert advance(passing(echoed=True)) == Probe(1, SIZE)


def test_row_5_comes_before_row_8() -> None:
    assert advance(passing(echoed=True, in_flight=1)) == Probe(1, SIZE)


def test_row_6_more_pages_than_any_province_has_fail_the_pass() -> None:
    assert advance(passing(next_page=MAX_PAGES + 1, totals=(None,))) == End(Ending.FAILED)


def test_row_6_the_last_allowed_page_is_still_asked_for() -> None:
    assert advance(passing(next_page=MAX_PAGES, totals=(None,))) == Ask(MAX_PAGES, SIZE)


def test_row_6_more_rows_than_any_province_has_fail_the_pass() -> None:
    declared = (2 * MAX_RECEIVED,)
    assert advance(passing(received=MAX_RECEIVED, totals=declared)) == Ask(2, SIZE)
    assert advance(passing(received=MAX_RECEIVED + 1, totals=declared)) == End(Ending.FAILED)


def test_row_6_comes_before_row_7() -> None:
    declared = 2 * MAX_PAGES * SIZE
    assert advance(passing(next_page=MAX_PAGES + 1, totals=(declared,))) == End(Ending.FAILED)


def test_row_6_comes_before_row_8() -> None:
    assert advance(passing(next_page=MAX_PAGES + 1, in_flight=2)) == End(Ending.FAILED)


def test_row_7_a_declared_page_is_asked_for_while_there_is_room() -> None:
    assert advance(passing(in_flight=1, next_page=3)) == Ask(3, SIZE)


def test_row_7_without_room_the_oldest_is_awaited() -> None:
    assert advance(passing(in_flight=2, next_page=3, totals=(1000,))) == Take()


def test_row_7_comes_before_row_8() -> None:
    assert advance(passing(in_flight=1, next_page=2)) == Ask(2, SIZE)


@pytest.mark.parametrize(("total", "step"), [(20, Take()), (21, Ask(3, SIZE))])
def test_row_7_ends_where_the_declared_rows_end(total: int, step: Step) -> None:
    assert advance(passing(in_flight=1, next_page=3, totals=(total,))) == step


def test_row_7_the_total_declared_last_counts() -> None:
    assert advance(passing(in_flight=1, next_page=4, totals=(30, 31))) == Ask(4, SIZE)


@pytest.mark.parametrize(("barren", "step"), [(2, Ask(2, SIZE)), (3, Probe(1, SIZE))])
def test_row_7_three_barren_pages_end_the_asking(barren: int, step: Step) -> None:
    assert advance(passing(barren=barren)) == step


def test_row_8_pages_on_their_way_are_awaited() -> None:
    assert advance(passing(in_flight=1, next_page=4)) == Take()


def test_row_8_comes_before_row_9() -> None:
    uncertain = passing(next_page=4, taken=2, received=20)
    assert advance(uncertain) == Ask(4, SIZE)
    assert advance(replace(uncertain, in_flight=1)) == Take()


def test_row_9_a_full_last_page_is_followed_by_one_more() -> None:
    assert advance(passing(next_page=4, taken=3, received=30)) == Ask(4, SIZE)


def test_row_9_missing_rows_are_looked_for() -> None:
    walk = passing(next_page=4, taken=3, received=29, last=facts(9))
    assert advance(walk) == Ask(4, SIZE)


def test_row_9_without_a_total_the_end_is_looked_for() -> None:
    assert advance(passing(totals=(None,), last=facts(3, total=None))) == Ask(2, SIZE)


def test_row_9_not_after_an_empty_page() -> None:
    assert advance(passing(next_page=4, received=20, last=facts(0))) == Probe(1, SIZE)


def test_row_9_not_after_a_page_without_a_new_key() -> None:
    assert advance(passing(next_page=4, received=20, barren=1)) == Probe(1, SIZE)


@pytest.mark.parametrize(("next_page", "step"), [(16, Ask(16, SIZE)), (17, Probe(1, SIZE))])
def test_row_9_not_far_past_the_declared_end(next_page: int, step: Step) -> None:
    assert advance(passing(next_page=next_page, received=200)) == step


def test_row_9_comes_before_row_10() -> None:
    """A page that is full and complete fits row 10 as well; the end is not certain."""
    walk = passing(next_page=2, received=10, totals=(10,), first=facts(total=10), last=facts(total=10))
    assert advance(walk) == Ask(2, SIZE)


def test_row_10_the_closing_probe() -> None:
    assert advance(passing(next_page=4, taken=3, received=25, totals=(25,), last=facts(5))) == Probe(1, SIZE)


def test_row_10_the_probe_asks_as_page_1_was_asked() -> None:
    walk = passing(next_page=11, taken=8, received=29, totals=(29,), page_size=4, last=facts(1))
    assert advance(walk) == Probe(1, SIZE)


def test_row_10_a_dataset_that_fits_one_page_needs_no_probe() -> None:
    walk = Pass(asked_size=SIZE).asked().took(facts(7, total=7), fresh=7, repeats=False)
    assert advance(walk) == End(Ending.CLEAN)


def test_row_10_one_full_page_needs_a_probe() -> None:
    walk = Pass(asked_size=SIZE).asked().took(facts(10, total=10), fresh=10, repeats=False)
    walk = walk.asked().took(facts(0, total=10, keys=b"none"), fresh=0, repeats=False)
    assert advance(walk) == Probe(1, SIZE)


def test_row_10_there_is_one_probe() -> None:
    assert advance(ended(last=facts(0))) == End(Ending.CLEAN)


SEAMS = (Seam(2, SIZE, b"two"),)


def moved(**changes: Any) -> Pass:
    """A pass that took four pages; behind the second one a row came."""
    usual: dict[str, Any] = {
        "next_page": 5,
        "taken": 4,
        "received": 31,
        "last": facts(1),
        "totals": (30, 31),
        "seams": SEAMS,
        "probe": looked(total=31),
    }
    return ended(**{**usual, **changes})


def test_row_10_where_the_total_moved_the_page_before_it_is_asked_for_again() -> None:
    assert advance(moved()) == Probe(2, SIZE)
    assert advance(moved(probe=None)) == Probe(1, SIZE), "page 1 comes first"


def test_row_10_each_seam_is_looked_at_once() -> None:
    two = moved(totals=(30, 32, 31), seams=(*SEAMS, Seam(3, SIZE, b"three")))
    one = two.probed(looked(total=31, keys=b"two"))
    assert advance(one) == Probe(3, SIZE)
    assert advance(one.probed(looked(total=31, keys=b"three"))) == End(Ending.CLEAN)


@pytest.mark.parametrize(
    "look", [looked(total=31, keys=b"other"), looked(total=32, keys=b"two"), looked(total=None, keys=b"two")]
)
def test_row_5_a_page_at_a_seam_that_is_not_as_it_was_ends_the_pass(look: PageProbe) -> None:
    two = moved(totals=(30, 32, 31), seams=(*SEAMS, Seam(3, SIZE, b"three")))
    assert advance(two.probed(look)) == End(Ending.MOVED)


@pytest.mark.parametrize(
    "changes",
    [
        {"probe": looked(total=31, keys=b"other")},
        {"repeats": True},
        {"received": 30, "barren": 1},
        {"totals": (30, None, 31), "seams": SEAMS * 2},
        {
            "totals": tuple(range(MOST_SEAMS + 2)),
            "seams": SEAMS * (MOST_SEAMS + 1),
            "received": MOST_SEAMS + 1,
        },
    ],
    ids=["page-1-moved", "a-key-twice", "missing", "no-total-once", "too-many"],
)
def test_row_10_no_seam_is_looked_at_where_that_could_not_make_the_pass_clean(
    changes: dict[str, Any],
) -> None:
    assert isinstance(advance(moved(**changes)), End)


# ── judge() ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("totals", [(), (None,)])
def test_judge_row_1_no_page_declared_a_usable_total(totals: tuple[None, ...]) -> None:
    assert judge(ended(totals=totals)) is Ending.UNDECLARED


def test_judge_row_1_comes_before_row_2() -> None:
    assert judge(ended(totals=(None,), probe=looked(keys=b"other"))) is Ending.UNDECLARED


@pytest.mark.parametrize("totals", [(30, 31), (30, 31, 30), (None, 30), (30, None)])
def test_judge_row_2_the_total_moved(totals: tuple[int | None, ...]) -> None:
    assert judge(ended(totals=totals)) is Ending.MOVED


def test_judge_row_2_a_total_that_moved_behind_what_was_read_is_no_move() -> None:
    assert judge(moved(looked=1)) is Ending.CLEAN
    assert judge(moved(looked=1, shifted=True)) is Ending.MOVED
    assert judge(moved(looked=1, probe=looked(total=31, keys=b"other"))) is Ending.MOVED


@pytest.mark.parametrize("totals", [(None, 31), (31, None, 31)])
def test_judge_row_2_a_total_that_was_absent_once_is_a_move(totals: tuple[int | None, ...]) -> None:
    assert judge(moved(totals=totals, seams=SEAMS * 2, looked=2)) is Ending.MOVED


def test_judge_row_2_page_1_has_other_keys_now() -> None:
    assert judge(ended(probe=looked(keys=b"other"))) is Ending.MOVED


def test_judge_row_2_comes_before_row_3() -> None:
    assert judge(ended(echoed=True, received=20, totals=(30, 31))) is Ending.MOVED


def test_judge_row_2_comes_before_rows_4_and_5() -> None:
    assert judge(ended(received=20, repeats=True, probe=looked(keys=b"other"))) is Ending.MOVED


def test_judge_row_3_page_numbers_are_ignored_before_all_rows_were_seen() -> None:
    assert judge(ended(echoed=True, received=20)) is Ending.LOOPING


def test_judge_row_3_an_echo_past_the_end_is_no_loop() -> None:
    assert judge(ended(echoed=True)) is Ending.CLEAN


def test_judge_row_3_comes_before_row_4() -> None:
    assert judge(ended(received=20)) is Ending.MISCOUNTED
    assert judge(ended(received=20, echoed=True)) is Ending.LOOPING


def test_judge_row_3_holds_within_the_tolerance_too() -> None:
    assert judge(ended(received=29, echoed=True, tolerance=1)) is Ending.LOOPING


@pytest.mark.parametrize("received", [28, 32])
def test_judge_row_4_the_rows_do_not_add_up(received: int) -> None:
    assert judge(ended(received=received, tolerance=1)) is Ending.MISCOUNTED


@pytest.mark.parametrize("received", [29, 30, 31])
def test_judge_row_4_within_the_tolerance_they_do(received: int) -> None:
    assert judge(ended(received=received, tolerance=1)) is Ending.CLEAN


def test_judge_row_4_comes_before_row_5() -> None:
    assert judge(ended(received=31, repeats=True)) is Ending.MISCOUNTED


def test_judge_row_5_a_key_came_twice() -> None:
    assert judge(ended(repeats=True)) is Ending.REPEATING


def test_judge_row_6_all_else_is_clean() -> None:
    assert judge(ended()) is Ending.CLEAN


def test_judge_row_6_an_empty_dataset_is_clean() -> None:
    walk = Pass(asked_size=SIZE).asked().took(facts(0, total=0), fresh=0, repeats=False)
    assert advance(walk) == End(Ending.CLEAN)


# ── another_pass(), agrees(), next_realign() ────────────────────────────────────────────────────────────


def over(ending: Ending, **changes: Any) -> PassFacts:
    usual: dict[str, Any] = {"totals": (30,), "received": 30, "content": b"c", "clamped": False}
    return PassFacts(ending=ending, **{**usual, **changes})


UNSETTLED = (Ending.REPEATING, Ending.MISCOUNTED, Ending.LOOPING, Ending.UNDECLARED)


@pytest.mark.parametrize("ending", [Ending.CLEAN, Ending.STOPPED, Ending.FAILED])
def test_another_pass_row_1_a_settled_pass_is_the_last(ending: Ending) -> None:
    assert not another_pass((over(ending),), max_passes=3)


def test_another_pass_row_1_looks_at_the_last_pass_alone() -> None:
    assert not another_pass((over(Ending.MOVED), over(Ending.CLEAN)), max_passes=3)
    assert another_pass((over(Ending.CLEAN), over(Ending.MOVED)), max_passes=3)


@pytest.mark.parametrize(("max_passes", "expected"), [(1, False), (2, False), (3, True)])
def test_another_pass_row_2_the_limit(max_passes: int, expected: bool) -> None:
    two = (over(Ending.MOVED), over(Ending.REPEATING))
    assert another_pass(two, max_passes=max_passes) is expected


def test_another_pass_row_2_one_pass_may_be_the_limit() -> None:
    assert not another_pass((over(Ending.MOVED),), max_passes=1)


@pytest.mark.parametrize("ending", UNSETTLED)
def test_another_pass_row_3_two_passes_that_agree_are_enough(ending: Ending) -> None:
    assert not another_pass((over(ending), over(ending)), max_passes=9)


def test_another_pass_row_3_only_neighbours_are_compared() -> None:
    one, other = over(Ending.REPEATING), over(Ending.REPEATING, content=b"d")
    assert another_pass((one, other, one), max_passes=9)


@pytest.mark.parametrize("ending", [*UNSETTLED, Ending.MOVED])
def test_another_pass_row_4_one_unsettled_pass_is_followed_by_another(ending: Ending) -> None:
    assert another_pass((over(ending),), max_passes=3)


def test_another_pass_row_4_two_that_moved_never_agree() -> None:
    assert another_pass((over(Ending.MOVED), over(Ending.MOVED)), max_passes=3)


@pytest.mark.parametrize("ending", UNSETTLED)
@pytest.mark.parametrize("changes", [{"totals": (31,)}, {"received": 29}, {"content": b"d"}])
def test_passes_that_differ_in_anything_do_not_agree(ending: Ending, changes: dict[str, Any]) -> None:
    assert agrees(over(ending), over(ending))
    assert not agrees(over(ending), over(ending, **changes))


def test_passes_with_different_endings_do_not_agree() -> None:
    assert not agrees(over(Ending.REPEATING), over(Ending.LOOPING))


@pytest.mark.parametrize("ending", [Ending.CLEAN, Ending.MOVED, Ending.FAILED, Ending.STOPPED])
def test_settled_or_moving_passes_have_nothing_to_agree_on(ending: Ending) -> None:
    assert not agrees(over(ending), over(ending))


def test_an_unclean_pass_that_was_realigned_is_followed_by_one_that_is_not() -> None:
    assert next_realign(())
    assert next_realign((over(Ending.MOVED),))
    assert not next_realign((over(Ending.MOVED, clamped=True),))
    assert next_realign((over(Ending.MOVED, clamped=True), over(Ending.MOVED)))


# ── what a Pass becomes ─────────────────────────────────────────────────────────────────────────────────


def test_the_declared_count_is_the_total_nearest_to_what_came() -> None:
    assert passing(received=30, totals=(29, 35, 31)).declared == 31
    assert passing(received=29, totals=(29, 35, 31)).declared == 29
    assert passing(totals=(None,)).declared is None


@pytest.mark.parametrize(
    ("totals", "moved"), [((), 0), ((None,), 0), ((30,), 0), ((30, 33, 29), 4), ((None, 30, None, 31), 1)]
)
def test_how_far_the_total_moved(totals: tuple[int | None, ...], moved: int) -> None:
    assert passing(totals=totals).moved == moved


def test_a_seam_is_the_page_before_the_total_changes() -> None:
    """As it was asked for, also where two more are on their way; an echo and the probe tell of one, too."""
    walk = passing(next_page=5, in_flight=3, taken=1, received=10)
    walk = walk.took(facts(total=30, keys=b"two"), fresh=10, repeats=False)
    walk = walk.took(facts(total=31, keys=b"three"), fresh=10, repeats=False)
    assert walk.seams == (Seam(2, SIZE, b"two"),)
    assert walk.took_echo(facts(total=32)).seams == (*walk.seams, Seam(3, SIZE, b"three"))
    assert walk.probed(looked(total=32)).seams == (*walk.seams, Seam(3, SIZE, b"three"))
    assert walk.probed(looked(total=31)).seams == walk.seams


def test_few_seams_are_remembered() -> None:
    walk = passing()
    for total in range(3 * MOST_SEAMS):
        walk = walk.asked().took(facts(total=total), fresh=1, repeats=False)
    assert len(walk.seams) == MOST_SEAMS + 1


def test_totals_are_noted_when_they_change() -> None:
    walk = Pass(asked_size=SIZE)
    for total in (30, 30, 31, 31, None, 30):
        walk = walk.asked().took(facts(total=total), fresh=10, repeats=False)
    assert walk.totals == (30, 31, None, 30)


def test_an_odd_first_page_shows_a_clamp() -> None:
    walk = Pass(asked_size=SIZE).asked().took(facts(4), fresh=4, repeats=False)
    assert (walk.clamped, walk.page_size, walk.first_size) == (True, 4, SIZE)
    assert advance(walk) == Ask(2, 4)


@pytest.mark.parametrize(
    "page",
    [facts(10), facts(0), facts(4, total=4), facts(4, total=None)],
    ids=["full", "empty", "all", "any"],
)
def test_a_first_page_that_is_not_odd_shows_none(page: PageFacts) -> None:
    walk = Pass(asked_size=SIZE).asked().took(page, fresh=page.rows, repeats=False)
    assert (walk.clamped, walk.page_size) == (False, SIZE)


def test_a_later_short_page_shows_none() -> None:
    walk = passing(in_flight=1, next_page=3).took(facts(4), fresh=4, repeats=False)
    assert (walk.clamped, walk.page_size) == (False, SIZE)


def test_without_realign_an_odd_first_page_is_taken_as_it_is() -> None:
    walk = Pass(asked_size=SIZE, realign=False).asked().took(facts(4), fresh=4, repeats=False)
    assert (walk.clamped, walk.page_size) == (False, SIZE)


def test_barren_pages_count_in_a_row() -> None:
    walk = passing()
    for fresh, barren in ((0, 1), (0, 2), (1, 0), (0, 1)):
        walk = walk.asked().took(facts(), fresh=fresh, repeats=False)
        assert walk.barren == barren


def test_a_repeat_is_not_forgotten() -> None:
    walk = passing().asked().took(facts(), fresh=9, repeats=True)
    assert walk.asked().took(facts(), fresh=10, repeats=False).repeats


def test_an_echo_is_the_page_before_it_again() -> None:
    walk = passing(last=facts(keys=b"two"))
    assert walk.is_echo(facts(keys=b"two"))
    assert not walk.is_echo(facts(keys=b"one"))
    assert not walk.is_echo(facts(0, keys=b"two"))
    assert not Pass(asked_size=SIZE).is_echo(facts())


def test_an_echo_adds_its_total_and_no_row() -> None:
    walk = passing(in_flight=1).took_echo(facts(total=31))
    assert (walk.echoed, walk.received, walk.in_flight, walk.totals) == (True, 10, 0, (30, 31))


@pytest.mark.parametrize(
    ("refused", "received", "past_end"),
    [(True, 30, True), (True, 29, False), (False, 30, False)],
    ids=["refused-past-end", "refused-before-end", "unreachable"],
)
def test_only_a_refusal_past_the_declared_end_means_no_more(
    refused: bool, received: int, past_end: bool
) -> None:
    walk = passing(in_flight=1, received=received).lost(refused=refused)
    assert (walk.past_end, walk.failed) == (past_end, not past_end)


def test_a_refusal_is_a_failure_where_nothing_was_declared() -> None:
    assert passing(in_flight=1, totals=(None,)).lost(refused=True).failed


@pytest.mark.parametrize(
    ("page_size", "next_page", "in_flight", "expected"),
    [
        (1000, 2, 1, (500, 1)),
        (1000, 4, 1, (500, 5)),
        (1000, 6, 3, (500, 5)),
        (7, 5, 1, (3, 8)),
        (997, 3, 1, (1, 998)),
        (2, 2, 1, (1, 1)),
    ],
)
def test_a_halved_page_starts_where_the_large_one_would_have(
    page_size: int, next_page: int, in_flight: int, expected: tuple[int, int]
) -> None:
    walk = passing(page_size=page_size, next_page=next_page, in_flight=in_flight)
    halved = walk.halved()
    assert halved is not None
    assert (halved.page_size, halved.next_page) == expected
    assert halved.in_flight == 0
    assert (halved.next_page - 1) * halved.page_size == (next_page - 1 - in_flight) * page_size


def test_a_page_of_one_row_cannot_be_halved() -> None:
    assert passing(page_size=1, in_flight=1).halved() is None


# ── the next pass ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("endings", "size"),
    [
        ([], 1000),
        ([Ending.MOVED], 1000),
        ([Ending.MISCOUNTED], 1000),
        ([Ending.REPEATING], 875),
        ([Ending.REPEATING, Ending.MOVED], 1000),
    ],
)
def test_keys_that_repeat_are_looked_at_through_other_seams(endings: list[Ending], size: int) -> None:
    passes = tuple(
        PassFacts(ending=ending, totals=(30,), received=30, content=b"", clamped=False) for ending in endings
    )
    assert next_page_size(passes, 1000) == size


def test_a_page_of_one_row_cannot_be_smaller() -> None:
    repeating = PassFacts(ending=Ending.REPEATING, totals=(2,), received=2, content=b"", clamped=False)
    assert next_page_size((repeating,), 1) == 1

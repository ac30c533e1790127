"""A run's line divided among its workers: never more than the whole, whoever comes or goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.lines import next_lines

WORKERS = st.sampled_from(["a", "b", "c", "d"])


def test_row_1_nobody_is_busy() -> None:
    assert next_lines({"a": 100}, [], 100) == {}


def test_row_2_who_comes_waits_until_the_others_have_shrunk() -> None:
    assert next_lines({"a": 100}, ["a", "b"], 100) == {"a": 50}
    assert next_lines({"a": 50}, ["a", "b"], 100) == {"a": 50, "b": 50}


def test_row_2_what_somebody_had_is_given_on_only_after_he_has_heard() -> None:
    assert next_lines({"a": 50, "b": 50}, ["a"], 100) == {"a": 50}
    assert next_lines({"a": 50}, ["a"], 100) == {"a": 100}


def test_row_3_even_parts() -> None:
    assert next_lines({}, ["b", "a"], 101) == {"a": 50, "b": 50}


@given(st.lists(st.sets(WORKERS), max_size=12), st.integers(min_value=4, max_value=10**6))
def test_old_and_new_parts_together_are_never_more_than_the_limit(crews: list[set[str]], limit: int) -> None:
    now: dict[str, int] = {}
    for busy in crews:
        after = next_lines(now, busy, limit)
        heard_by_some = {name: max(now.get(name, 0), after.get(name, 0)) for name in {*now, *after}}
        assert sum(heard_by_some.values()) <= limit
        assert set(after) <= busy
        now = after
    if now or crews:
        busy = crews[-1] if crews else set()
        settled = next_lines(next_lines(now, busy, limit), busy, limit)
        assert settled == dict.fromkeys(busy, limit // len(busy)) if busy else settled == {}

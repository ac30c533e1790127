"""What a province can make us remember, whatever it invents: names, broken rules, wrong items."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.records import check_page
from subcmc_crawler.spec.shapes import MOST_CHARACTERS, MOST_NAMES, MOST_SHAPES, Shapes, shapes_of

Peak = Callable[[Callable[[], object]], int]


@pytest.fixture
def peak() -> Iterator[Peak]:
    """The most bytes that a call holds at once, beyond what was held before."""
    tracemalloc.start()

    def measured(call: Callable[[], object]) -> int:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before

    yield measured
    tracemalloc.stop()


@pytest.mark.parametrize("code", DATASETS)
def test_the_shapes_of_sound_records_are_remembered(code: str) -> None:
    names = tuple(field.name for field in FIELDS[code])
    assert len(names) * 2 <= MOST_NAMES
    assert sum(map(len, names)) * 2 <= MOST_CHARACTERS
    known = Shapes(code)
    assert known[names] is known[names]


def test_few_shapes_are_remembered() -> None:
    known = Shapes("ua_user")
    for number in range(2 * MOST_SHAPES + 1):
        assert known["userId", f"new{number}"].strange
        assert len(known) <= MOST_SHAPES


@pytest.mark.parametrize(
    "names",
    [
        tuple(f"n{number}" for number in range(MOST_NAMES + 1)),
        ("userId", "x" * MOST_CHARACTERS),
        ("x" * 10**6,),
    ],
    ids=["many", "long", "huge"],
)
def test_no_long_shape_is_remembered(names: tuple[str, ...]) -> None:
    known = Shapes("ua_user")
    assert known[names].strange
    assert known[names].key == ("userId" if "userId" in names else None)
    assert known == {}


def test_names_that_are_new_on_every_page_leave_nothing(peak: Peak) -> None:
    def pages(*numbers: int) -> None:
        for number in numbers:
            rows = [{f"{'x' * 5_000}{number}-{row}": 1} for row in range(20)]
            check_page(DATASETS["hardware"], rows, "620000")

    pages(0)
    assert peak(lambda: pages(*range(1, 40))) < 1_000_000  # the names alone are 4 MB
    assert len(shapes_of("hardware")) <= MOST_SHAPES


def test_rows_that_break_every_rule_cost_little_each(peak: Peak) -> None:
    rows: list[object] = [{}] * 10_000
    check_page(DATASETS["hardware"], rows[:10], "620000")
    found = []
    held = peak(lambda: found.append(check_page(DATASETS["hardware"], rows, "620000")))
    assert len(found[0].flags) == len(rows)
    assert len(found[0].flags[0]) > 10
    assert held < 150 * len(rows) + 4_000_000  # and what a chunk of them takes while it is judged


def test_wrong_items_of_an_endless_array_are_no_errors_each(peak: Peak) -> None:
    endless = [{"publishScope": [1] * 300_000}]
    found = []
    assert peak(lambda: found.append(check_page(DATASETS["pm_app"], endless, "620000"))) < 1_000_000
    assert "publishScope:type" in found[0].flags[0]

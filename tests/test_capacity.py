"""What a larger night needs: every row of the table, and what a forecast rests on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapes import shaped
from subcmc_crawler.capacity import (
    REFERENCE_CPU_CELL,
    REFERENCE_CPU_ROW,
    Measured,
    Resource,
    Wanted,
    forecast,
    measure,
)
from subcmc_crawler.model import Counts, Manifest, State
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.text_capacity import capacity_document, to_capacity_text

HOUR = 3600.0
SMALL = Wanted(centres=35, rows=900, window_seconds=HOUR, max_provinces=8)
LARGE = replace(SMALL, centres=3000, rows=100_000)


def cell(cmc_id: str, dataset: str, rows: int, **changes: Any) -> Manifest:
    counts = Counts(received=rows, added=changes.pop("added", rows), changed=changes.pop("changed", 0))
    given_ = {"attempts": 2, "bytes": 300 * rows, "seconds": 1.0, **changes}
    return Manifest(
        run=1, cmc_id=cmc_id, province=cmc_id, dataset=dataset, state=State.PUBLISHED, counts=counts, **given_
    )


def seconds(resource: Resource, measured: Measured, wanted: Wanted) -> float:
    (found,) = [use.seconds for use in forecast(measured, wanted).uses if use.resource is resource]
    return found


def test_pace_is_what_one_centre_takes_and_no_worker_helps() -> None:
    paced = replace(SMALL, requests_per_second=0.5)
    assert seconds(Resource.PACE, Measured(), paced) == 18  # nine datasets, a page each
    assert seconds(Resource.PACE, Measured(), replace(paced, workers=9)) == 18
    assert seconds(Resource.PACE, Measured(request_seconds=3), paced) == 27  # slower than its pace lets us
    many = replace(paced, rows=90_000)  # ten pages a dataset, one past them, and page 1 once more
    assert seconds(Resource.PACE, Measured(), many) == 9 * 12 / 0.5


def test_slots_and_cpu_are_divided_among_workers() -> None:
    for resource in (Resource.SLOTS, Resource.CPU):
        one = seconds(resource, Measured(), replace(LARGE, workers=1))
        assert seconds(resource, Measured(), replace(LARGE, workers=4)) == pytest.approx(one / 4)
    expected = 3e8 * REFERENCE_CPU_ROW + 27_000 * REFERENCE_CPU_CELL
    assert seconds(Resource.CPU, Measured(), replace(LARGE, workers=1)) == pytest.approx(expected)


def test_the_line_and_mongodb_are_not() -> None:
    limited = replace(LARGE, line=10_000_000)
    for resource in (Resource.LINE, Resource.MONGODB):
        one = seconds(resource, Measured(), replace(limited, workers=1))
        assert one > 0
        assert seconds(resource, Measured(), replace(limited, workers=9)) == one
    assert seconds(Resource.LINE, Measured(), SMALL) == 0  # no limit
    assert seconds(Resource.MONGODB, Measured(writes_per_row=0.01), LARGE) < 0.05 * seconds(
        Resource.MONGODB, Measured(), LARGE
    )


def test_the_longest_use_is_the_night_and_gives_out_first() -> None:
    found = forecast(Measured(cpu_row=1e-3), replace(LARGE, max_provinces=10_000, window_seconds=10 * HOUR))
    assert found.first.resource is Resource.CPU
    assert found.seconds == found.first.seconds == max(use.seconds for use in found.uses)
    assert found.enough
    assert found.workers == 9  # 3e5 s of CPU in 36,000 s


def test_where_workers_do_not_help_no_number_is_enough() -> None:
    found = forecast(Measured(), replace(LARGE, line=1_000_000))
    assert (found.first.resource, found.enough) == (Resource.LINE, False)


@given(
    st.integers(1, 5000),
    st.integers(1, 10**6),
    st.integers(1, 64),
    st.floats(600, 20 * HOUR),
)
def test_the_workers_given_are_enough_for_what_they_share_and_one_less_is_not(
    centres: int, rows: int, slots: int, window: float
) -> None:
    wanted = Wanted(centres=centres, rows=rows, window_seconds=window, max_provinces=slots)
    found = forecast(Measured(), wanted)
    shared = (Resource.SLOTS, Resource.CPU)
    assert all(use.seconds <= window * 1.000001 for use in found.uses if use.resource in shared)
    if found.workers > 1:
        fewer = forecast(Measured(), replace(wanted, workers=found.workers - 1))
        assert any(use.seconds > window for use in fewer.uses if use.resource in shared)


def test_more_of_anything_never_takes_less_time() -> None:
    base = replace(LARGE, workers=2, line=10_000_000)
    known = forecast(Measured(), base).seconds
    for more in (replace(base, centres=6000), replace(base, rows=200_000), replace(base, line=5_000_000)):
        assert forecast(Measured(), more).seconds >= known


def test_past_runs_are_what_a_forecast_rests_on() -> None:
    cells = [cell(cmc, code, 100, rest_seconds=0.5) for cmc in ("a", "b") for code in ("x", "y", "z")]
    spent = 2 * (6 * REFERENCE_CPU_CELL + 600 * REFERENCE_CPU_ROW)
    found = measure([(3, spent, cells), (2, 0.0, cells)])
    assert (found.runs, found.cpu_runs) == ((3, 2), (3,))
    assert (found.cells_per_centre, found.rows_per_centre) == (3, 300)
    assert found.cpu_row == pytest.approx(2 * REFERENCE_CPU_ROW)
    assert found.cpu_cell == pytest.approx(2 * REFERENCE_CPU_CELL)
    assert found.request_seconds == 0.25
    assert found.row_bytes == 300
    assert found.writes_per_row == 1
    again = forecast(found, replace(SMALL, centres=2, rows=300))
    assert again.cpu_seconds == pytest.approx(spent)  # of a night like that, what it took


def test_writes_are_those_of_the_latest_night() -> None:
    first = [cell("a", "x", 100)]
    second = [cell("a", "x", 100, added=1, changed=2)]
    assert measure([(2, 0.0, second), (1, 0.0, first)]).writes_per_row == 0.05


@pytest.mark.parametrize("runs", [[], [(1, 1.0, [])], [(1, 1.0, [cell("a", "x", 0, attempts=0)])]])
def test_without_a_run_that_walked_it_is_the_reference_machine(runs: Any) -> None:
    assert measure(runs) == Measured()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("measured", "wanted", "key"),
    [
        (Measured(), LARGE, "enough"),
        (Measured(runs=(1,)), replace(LARGE, workers=1, max_provinces=1), "too_few"),
        (Measured(runs=(2, 1), cpu_runs=(2,)), replace(LARGE, line=1000), "never"),
    ],
)
def test_both_languages_say_how_it_ends_and_what_it_rests_on(
    lang: str, measured: Measured, wanted: Wanted, key: str
) -> None:
    found = forecast(measured, wanted)
    text = to_capacity_text(measured, wanted, found, lang=lang)
    verdict = re.escape(labels(lang)[f"capacity.{key}"].partition("{")[0].strip())
    assert re.search(verdict, text)
    assert not re.search(r"capacity\.|\{", text)
    for resource in Resource:
        assert labels(lang)[f"capacity.{resource}"] in text


def test_programs_read_the_same() -> None:
    found = forecast(Measured(), LARGE)
    document = capacity_document(Measured(), LARGE, found)
    assert document["schema"] == "subcmc.capacity/1"
    shaped(document)
    assert (document["workers"], document["enough"]) == (found.workers, found.enough)
    assert document["firstToGiveOut"] == document["uses"][0]["resource"]
    assert document["rows"] == 3e8

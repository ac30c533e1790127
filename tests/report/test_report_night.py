from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import BEGAN, any_manifests, made_up_night, manifest_of, night_report, run_record

from subcmc_crawler.model import Acceptance, Counts, Manifest, RunStatus, State, Verdict
from subcmc_crawler.report.night import Report, Since, build

FAULTY: dict[str, Any] = {"state": State.ROLLED_BACK, "verdict": Verdict.REFUSED}


def only(manifest: Manifest, *previous: Manifest) -> Report:
    return build(run_record(), [manifest], previous=previous)


def test_the_headline_counts_the_night() -> None:
    head = night_report().headline
    assert (head.provinces, head.cells, head.published, head.held) == (35, 315, 272, 4)
    assert (head.rolled_back, head.unregistered, head.pending, head.accepted) == (12, 27, 0, 1)
    assert (head.not_clean, head.new_faults, head.recovered, head.clean) == (17, 8, 1, False)
    assert head.seconds == 4 * 3600 + 11 * 60 + 40


def test_only_published_cells_change_anything() -> None:
    manifests = [manifest_of(rows=1_000), manifest_of(dataset="pm_app", rows=5_000, state=State.HELD)]
    head = build(run_record(), manifests).headline
    assert (head.received, head.stored, head.added) == (6_000, 1_000, 2)


def test_the_summary_names_every_verdict_and_adds_up() -> None:
    report = night_report()
    assert list(report.summary) == list(Verdict)
    assert sum(report.summary.values()) == len(report.cells)


@given(st.lists(any_manifests, max_size=8, unique_by=lambda m: (m.cmc_id, m.dataset)))
def test_every_manifest_becomes_one_cell(manifests: list[Manifest]) -> None:
    report = build(run_record(), manifests)
    assert sorted(map(repr, manifests)) == sorted(repr(cell.manifest) for cell in report.cells)
    assert sum(len(province.cells) for province in report.provinces) == len(manifests)
    assert sum(report.summary.values()) + report.headline.pending == len(manifests)
    told = [cell for problem in report.problems for cell in problem.cells]
    assert len(told) == report.headline.not_clean


def test_provinces_stand_as_they_first_appear_and_datasets_as_in_the_specification() -> None:
    manifests = [manifest_of("620000", "pm_app"), manifest_of("110000"), manifest_of("620000", "ua_org")]
    report = build(run_record(), manifests)
    assert [province.cmc_id for province in report.provinces] == ["620000", "110000"]
    assert list(report.provinces[0].cells) == ["ua_org", "pm_app"]


def test_the_order_of_the_registry_wins() -> None:
    run, manifests, _ = made_up_night()
    mixed = list(manifests)
    Random(7).shuffle(mixed)  # noqa: S311 - a fixed shuffle, no secret
    order = [manifest.cmc_id for manifest in manifests]
    assert build(run, mixed, order=order).cells == build(run, manifests).cells


@pytest.mark.parametrize(
    ("now", "before", "since"),
    [
        ({}, {}, Since.SAME),
        (FAULTY, {}, Since.NEW_FAULT),
        (FAULTY, FAULTY, Since.STILL_FAULTY),
        ({}, FAULTY, Since.RECOVERED),
        ({"state": State.NONE, "verdict": Verdict.UNREGISTERED}, FAULTY, Since.SAME),
        (FAULTY, {"state": State.NONE, "verdict": Verdict.UNREGISTERED}, Since.NEW_FAULT),
        ({}, {"state": State.COLLECTING, "verdict": None}, Since.FIRST),
        ({"state": State.COLLECTING, "verdict": None}, FAULTY, Since.FIRST),
    ],
)
def test_a_cell_beside_the_run_before(now: dict[str, Any], before: dict[str, Any], since: Since) -> None:
    assert only(manifest_of(**now), manifest_of(run=11, **before)).cells[0].since is since


def test_without_a_run_before_there_is_nothing_to_compare() -> None:
    assert only(manifest_of()).cells[0].since is Since.FIRST


def test_a_later_run_is_not_the_past() -> None:
    assert only(manifest_of(), manifest_of(run=13, **FAULTY)).cells[0].since is Since.FIRST


def test_faulty_runs_are_counted_back_to_the_last_clean_one() -> None:
    past = [
        manifest_of(run=8, **FAULTY),
        manifest_of(run=9),
        *(manifest_of(run=n, **FAULTY) for n in (11, 10)),
    ]
    assert only(manifest_of(**FAULTY), *past).cells[0].faulty_runs == 3
    assert only(manifest_of(), *past).cells[0].faulty_runs == 0


@pytest.mark.parametrize(
    ("now", "past", "in_force"),
    [
        ({}, [], 12),
        ({"state": State.HELD, "verdict": Verdict.SHORT, "base": 9}, [], 9),
        ({**FAULTY, "base": None}, [{"run": 11}], 11),
        ({**FAULTY, "base": None}, [{"run": 11, **FAULTY, "base": 7}], 7),
        ({**FAULTY, "base": None}, [{"run": 11, **FAULTY, "base": None}, {"run": 10}], 10),
        ({**FAULTY, "base": None}, [], None),
    ],
)
def test_which_snapshot_is_in_force(
    now: dict[str, Any], past: Sequence[dict[str, Any]], in_force: int | None
) -> None:
    old = [manifest_of(**{"base": None, **changes}) for changes in past]
    assert only(manifest_of(**now), *old).cells[0].in_force == in_force


@pytest.mark.parametrize("state", [State.COLLECTING, State.HELD, State.ROLLED_BACK, State.ROLLING_BACK])
def test_a_proven_snapshot_that_is_not_published_is_a_problem(state: State) -> None:
    report = only(manifest_of(state=state))
    assert not report.headline.clean
    assert len(report.problems) == 1


def test_a_cell_without_a_verdict_is_pending_and_the_night_is_not_clean() -> None:
    report = only(manifest_of(state=State.COLLECTING, verdict=None))
    assert report.headline.pending == 1
    assert not report.headline.clean
    assert report.problems == ()
    assert report.resumable == report.cells


def test_problems_come_by_urgency_and_what_was_accepted_comes_last() -> None:
    verdicts = [problem.first.manifest.verdict for problem in night_report().problems]
    assert verdicts[0] is Verdict.STORE_MISMATCH
    assert verdicts[-2:] == [Verdict.INCOMPLETE, Verdict.SHRUNK]


def test_one_fault_of_a_whole_province_is_told_once_and_held_cells_stand_alone() -> None:
    gone: dict[str, Any] = {
        "verdict": Verdict.UNREACHABLE,
        "state": State.ROLLED_BACK,
        "counts": Counts(),
        "reason": "no",
    }
    held: dict[str, Any] = {"verdict": Verdict.SHORT, "state": State.HELD}
    manifests = [manifest_of(dataset=code, **gone) for code in ("ua_org", "ua_user")]
    manifests += [manifest_of(dataset=code, **held) for code in ("hardware", "pm_app")]
    manifests.append(manifest_of(dataset="pm_service", **{**gone, "reason": "other"}))
    sizes = [len(problem.cells) for problem in build(run_record(), manifests).problems]
    assert sizes == [1, 1, 2, 1]


def test_a_clean_night_and_a_run_that_goes_on() -> None:
    report = build(run_record(status=RunStatus.RUNNING, finished_at=None), [manifest_of()])
    assert report.headline.clean
    assert report.headline.seconds is None


def test_an_acceptance_publishes_and_stays_in_the_list() -> None:
    accepted = Acceptance(by="a", at=BEGAN + timedelta(hours=7), reason="b")
    report = only(replace(manifest_of(verdict=Verdict.SHRUNK), accepted=accepted))
    assert (report.headline.published, report.headline.accepted, len(report.problems)) == (1, 1, 1)

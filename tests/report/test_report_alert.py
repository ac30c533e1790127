from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import (
    HOSTILE,
    IDENTITY,
    PHONE,
    any_manifests,
    made_up_night,
    manifest_of,
    night_report,
    run_record,
)

from shapes import shaped
from subcmc_crawler.model import Acceptance, Manifest, RunStatus, State, Verdict
from subcmc_crawler.report.alert import (
    SCHEMA,
    SUBJECT_CHARACTERS,
    Digest,
    On,
    night_digest,
    stale_digest,
    trial_digest,
    worth,
)
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.report.standing import Standing, to_standing_text

NOW = datetime(2026, 3, 6, 0, 0, tzinfo=UTC)


def cell(dataset: str = "ua_user", *, run: int = 12, missing: int = 0, **changes: object) -> Manifest:
    made = replace(manifest_of(dataset=dataset, rows=500), run=run, **changes)  # type: ignore[arg-type]
    if not missing:
        return made
    counts = replace(made.counts, declared=500 + missing, declared_first=500 + missing)
    return replace(made, counts=counts, verdict=Verdict.SHORT, state=State.HELD)


def of(*cells: Manifest, before: tuple[Manifest, ...] = (), **run: object) -> Report:
    return build(run_record(**run), cells, previous=before)  # type: ignore[arg-type]


def digest_of(report: Report, lang: str = "zh") -> Digest:
    digest = night_digest(report, lang=lang)
    assert digest is not None
    return digest


GOOD, BAD = cell(), cell(missing=12)
GOOD_BEFORE, BAD_BEFORE = replace(GOOD, run=11), replace(BAD, run=11)
ACCEPTED = replace(BAD, state=State.PUBLISHED, accepted=Acceptance(by="王工", at=NOW, reason="电话核实"))
PENDING = replace(GOOD, verdict=None, state=State.COLLECTING)


@pytest.mark.parametrize(
    ("row", "cells", "before", "status", "on", "told"),
    [
        (1, BAD, GOOD_BEFORE, RunStatus.STOPPED, "problems", False),
        (1, BAD, GOOD_BEFORE, RunStatus.RUNNING, "problems", False),
        (2, BAD, GOOD_BEFORE, RunStatus.FINISHED, "never", False),
        (3, GOOD, BAD_BEFORE, RunStatus.FINISHED, "problems", True),
        (3, GOOD, BAD_BEFORE, RunStatus.FINISHED, "changes", True),
        (4, PENDING, GOOD_BEFORE, RunStatus.FINISHED, "changes", True),
        (5, BAD, GOOD_BEFORE, RunStatus.FINISHED, "changes", True),
        (5, BAD, None, RunStatus.FINISHED, "changes", True),
        (6, BAD, BAD_BEFORE, RunStatus.FINISHED, "problems", True),
        (7, BAD, BAD_BEFORE, RunStatus.FINISHED, "changes", False),
        (7, GOOD, GOOD_BEFORE, RunStatus.FINISHED, "problems", False),
        (7, ACCEPTED, BAD_BEFORE, RunStatus.FINISHED, "problems", False),
    ],
)
def test_row(  # noqa: PLR0917 - the columns of the table
    row: int, cells: Manifest, before: Manifest | None, status: RunStatus, on: On, told: bool
) -> None:
    report = of(cells, before=(before,) if before else (), status=status)
    assert worth(report, on) is told, row


def test_a_clean_night_has_no_digest() -> None:
    assert night_digest(of(GOOD, before=(GOOD_BEFORE,))) is None


@pytest.mark.parametrize(
    ("cells", "before", "lang", "subject"),
    [
        ([BAD], [], "zh", "[subcmc] 甘肃 ua_user 缺失 12 行"),
        ([BAD], [], "en", "[subcmc] 甘肃 ua_user short 12 rows"),
        ([BAD, cell("pm_app", missing=1)], [], "zh", "[subcmc] 甘肃 ua_user 缺失 12 行；另有 1 项"),
        (
            [BAD, cell("pm_app")],
            [cell("pm_app", run=11, missing=3)],
            "zh",
            "[subcmc] 甘肃 ua_user 缺失 12 行；恢复 1 个",
        ),
        ([GOOD], [BAD_BEFORE], "zh", "[subcmc] 已恢复：甘肃 ua_user"),
        (
            [GOOD, cell("pm_app")],
            [BAD_BEFORE, cell("pm_app", run=11, missing=3)],
            "en",
            "[subcmc] recovered: 甘肃 ua_user; and 1 more",
        ),
        ([PENDING], [GOOD_BEFORE], "zh", "[subcmc] 1 个数据集尚无结论"),
    ],
)
def test_the_subject_tells_the_verdicts(
    cells: list[Manifest], before: list[Manifest], lang: str, subject: str
) -> None:
    assert digest_of(of(*cells, before=tuple(before)), lang).subject == subject


def test_the_subject_begins_with_the_most_urgent_and_counts_the_rest() -> None:
    report = night_report()
    subject = digest_of(report).subject
    assert subject == "[subcmc] 河南 pm_service 入库不符；另有 7 项；恢复 1 个"
    assert len([each for each in report.problems if not each.first.accepted]) == 8


def test_a_run_that_broke_off_says_so() -> None:
    assert digest_of(of(BAD, status=RunStatus.CRASHED)).subject.startswith(
        "[subcmc] 第 12 批次异常退出；甘肃"
    )


def test_a_name_cannot_forge_a_header_or_a_line() -> None:
    digest = digest_of(of(replace(BAD, province="甘肃\r\nBcc: all@example.com")))
    assert digest.subject == "[subcmc] 甘肃\\r\\nBcc: all@example.~ ua_user 缺失 12 行"
    assert "\r" not in digest.text
    assert "\nBcc" not in digest.text


def test_no_person_is_in_a_digest() -> None:
    told = f"查询失败，联系人 {PHONE}，证件 {IDENTITY}"
    bad = cell(verdict=Verdict.REFUSED, state=State.ROLLED_BACK, reason=told, province=f"甘肃 {PHONE}")
    digest = digest_of(of(bad))
    assert IDENTITY not in digest.payload().decode()
    assert PHONE not in digest.subject


@given(st.lists(any_manifests, min_size=1, max_size=6), st.sampled_from(["zh", "en"]))
def test_any_night_makes_a_short_harmless_and_repeatable_digest(cells: list[Manifest], lang: str) -> None:
    unique = {(each.cmc_id, each.dataset): replace(each, run=12) for each in cells}
    report = of(*unique.values())
    digest = night_digest(report, lang=lang, dashboard_url="https://d.example/")
    assert digest == night_digest(report, lang=lang, dashboard_url="https://d.example/")
    if digest is None:
        return
    assert len(digest.subject) <= SUBJECT_CHARACTERS
    assert digest.subject.isprintable()
    assert all(line.isprintable() for line in digest.text.split("\n"))
    assert json.loads(digest.payload())["subject"] == digest.subject
    assert HOSTILE not in digest.payload().decode()


def test_the_body_is_the_problems_of_the_report_and_a_link() -> None:
    digest = night_digest(night_report(), dashboard_url="https://ops.example/subcmc/")
    assert digest is not None
    assert "未能一致" in digest.text
    assert "结论与接收行数" not in digest.text  # the matrix stays in the report
    assert digest.text.endswith("\n看板：https://ops.example/subcmc/runs/12\n")
    assert IDENTITY not in digest.text
    assert PHONE not in digest.text


def test_a_very_long_night_is_cut_at_a_line() -> None:
    run, manifests, before = made_up_night()
    bad = [replace(each, state=State.HELD, verdict=Verdict.SHORT) for each in manifests]
    text = digest_of(build(run, bad, previous=before)).text
    assert len(text) < 41_000
    assert text.endswith("\n... 其余从略：subcmc report 12 --problems\n")


def test_the_document_of_a_webhook() -> None:
    told = shaped(json.loads(digest_of(of(BAD, before=(GOOD_BEFORE,))).payload()))
    assert told["schema"] == SCHEMA
    assert told["kind"] == "night"
    assert told["run"]["number"] == 12
    assert told["run"]["startedAt"].endswith("+08:00")
    assert (told["notClean"], told["newFaults"], told["held"], told["summary"]["short"]) == (1, 1, 1, 1)
    [problem] = told["problems"]
    assert (problem["cmcId"], problem["datasets"], problem["missing"]) == ("620000", ["ua_user"], 12)
    assert problem["balance"] == "申报 512 = 不重复 500 + 缺少 12"


def standing(hours: float | None, **changes: object) -> Standing:
    finished = None if hours is None else NOW - timedelta(hours=hours)
    last = None if finished is None else run_record(finished_at=finished)
    plain = {"last": last, "latest": last, "heads": (), "now": NOW, "max_age": timedelta(hours=26)}
    return Standing(**{**plain, **changes})  # type: ignore[arg-type]


def test_staleness_is_told_when_it_is_there() -> None:
    assert stale_digest(standing(25.9)) is None
    late = stale_digest(standing(49.5), dashboard_url="https://ops.example")
    assert late is not None
    assert late.subject == "[subcmc] 49 小时没有完整批次完成（最近为第 12 批次）"
    assert late.text.endswith("看板：https://ops.example\n")
    assert shaped(json.loads(late.payload()))["kind"] == "stale"
    never = stale_digest(standing(None), lang="en")
    assert never is not None
    assert never.subject == "[subcmc] no whole run has finished yet"
    assert shaped(json.loads(never.payload()))["run"] is None


def test_the_lines_of_status() -> None:
    crashed = run_record(13, status=RunStatus.CRASHED)
    heads = [cell(run=9, finished_at=NOW - timedelta(hours=74)), cell("pm_app", finished_at=None)]
    text = to_standing_text(standing(3, latest=crashed, heads=heads))
    assert text.splitlines() == [
        "第 12 批次于 2026-03-06 05:00 完成，距今 3.0 小时",
        "最近的第 13 批次（2026-03-05 01:00 开始）：异常退出",
        "过期：620000/ua_user 仍以第 9 批次的快照为准，已有 74.0 小时",
        "过期：620000/pm_app 仍以第 12 批次的快照为准，已有 -",
    ]
    assert to_standing_text(standing(None)) == "还没有完整批次完成过。\n"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_trial_names_the_command(lang: str) -> None:
    assert "subcmc alert --test" in trial_digest(lang=lang).text

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_cases import (
    BEGAN,
    BIG,
    HOSTILE,
    IDENTITY,
    PHONE,
    any_manifests,
    any_text,
    failed_attempt,
    made_up_night,
    manifest_of,
    night_report,
    page_entries,
    run_record,
)
from rich.cells import cell_len

from subcmc_crawler.model import Acceptance, Attempt, Counts, Manifest, RuleBreak, RunStatus, State, Verdict
from subcmc_crawler.report.lines import compact, escaped, fit, pad, table, width_of, wrap, wrap_command
from subcmc_crawler.report.night import DiffRow, HistoryRow, build
from subcmc_crawler.report.text import to_cell_text, to_diff_text, to_history_text, to_runs_text, to_text

LANGS = ["zh", "en"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONG = "新疆生产建设兵团第一师阿拉尔市及周边团场移动警务集中管控中心（筹备）"
HUGE = Counts(
    declared=BIG, declared_first=0, received=BIG - 9, distinct=BIG - 40, repeated=11, conflicting=10, quarantined=10,
    flagged=BIG, stored=BIG - 40, pushed=BIG, added=BIG, changed=BIG, removed=BIG, unchanged=BIG,
)  # fmt: skip


def fits(text: str, width: int) -> None:
    too_wide = [line for line in ANSI.sub("", text).split("\n") if cell_len(line) > width]
    assert not too_wide


def huge_night() -> tuple[list[Manifest], list[Manifest]]:
    _, manifests, before = made_up_night()
    changes = {"counts": HUGE, "attempts": BIG, "bytes": BIG, "seconds": 1e12, "province": LONG}
    return [replace(m, run=BIG, base=1, **changes) for m in manifests], before  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("width", [60, 80, 100, 132])
@pytest.mark.parametrize("color", [False, True])
def test_every_line_fits(lang: str, width: int, color: bool) -> None:
    fits(to_text(night_report(), lang=lang, width=width, color=color), width)
    manifests, before = huge_night()
    report = build(run_record(BIG), manifests, previous=before)
    fits(to_text(report, lang=lang, width=width, color=color), width)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.lists(any_manifests, max_size=4, unique_by=lambda m: (m.cmc_id, m.dataset)), st.sampled_from(LANGS))
def test_any_night_and_any_cell_fit(manifests: list[Manifest], lang: str) -> None:
    fits(to_text(build(run_record(), manifests), lang=lang), 100)
    for manifest in manifests:
        attempts = [failed_attempt(manifest.reason)]
        fits(to_cell_text(manifest, attempts=attempts, pages=page_entries(9, rows=BIG), lang=lang), 100)


@pytest.mark.parametrize("lang", LANGS)
def test_small_tables_fit(lang: str) -> None:
    run = replace(
        run_record(BIG), summary={str(verdict): BIG for verdict in Verdict}, selection=("620000",) * 40
    )
    fits(to_runs_text([run, run_record(1, finished_at=None)], lang, 100), 100)
    keys = (("added", LONG * 5), ("removed", HOSTILE))
    row = DiffRow(cmc_id="620000", dataset="hardware", added=BIG, changed=BIG, removed=BIG, keys=keys)
    fits(to_diff_text([row], from_run=1, to_run=BIG, lang=lang), 100)
    version = HistoryRow(
        from_run=1, to_run=None, hash="ab" * 32, started_at=BEGAN, changed=(LONG,) * 9, state="published"
    )
    fits(to_history_text([version], name=f"620000/hardware {LONG * 4}", lang=lang), 100)


def test_the_matrix_has_a_row_a_province_and_a_column_a_dataset() -> None:
    lines = to_text(night_report()).split("\n")
    start = next(at for at, line in enumerate(lines) if line.startswith("省级中心"))
    rows = lines[start + 1 : start + 36]
    assert len(lines[start].split()) == 10
    assert all(width_of(row) == 98 for row in rows[:11])
    assert "!缺失  49k" in next(row for row in rows if row.startswith("甘肃"))
    assert next(row for row in rows if row.startswith("西藏")).count("!不通") == 9
    assert next(row for row in rows if row.startswith("山东")).count("+骤减") == 1
    assert rows[-1].split() == ["澳门", *["未登"] * 9]
    assert lines[start + 36].startswith("ok 一致")


def test_a_run_over_few_datasets_has_few_columns_and_a_gap_where_a_cell_is_absent() -> None:
    manifests = [manifest_of("620000", "hardware"), manifest_of("110000", "pm_app")]
    text = to_text(build(run_record(selection=("hardware", "pm_app")), manifests), lang="en")
    assert "province      hardware  apps" in text
    assert re.search(r"620000 甘肃省 ok    50k -$", text, re.M)
    assert "This run took only: hardware, pm_app" in text


def test_the_list_names_the_next_command() -> None:
    text = to_text(night_report())
    assert "subcmc show 12 620000/hardware\n" in text
    assert 'subcmc accept 12 620000/hardware --digest 9f2c11d0a4b7 --reason "..."\n' in text
    assert text.count("subcmc accept") == 4
    assert "申报 50,012 = 不重复 49,887 + 重复 25 + 缺少 100" in text
    assert "已扣留；仍以第 11 批次的快照为准（落后 1 个批次）" in text
    assert "西藏自治区  540000  至少连续 2 个批次" in text
    assert "王工 于 2026-03-05 09:00:03 放行" in text


def test_nothing_in_force_is_said() -> None:
    manifest = manifest_of(state=State.ROLLED_BACK, verdict=Verdict.REFUSED, base=None)
    text = to_text(build(run_record(), [manifest]), lang="en")
    assert "no earlier snapshot is known to be in force" in text


def test_only_problems_leaves_the_matrix_and_the_notes_out() -> None:
    text = to_text(night_report(), only_problems=True)
    assert "各省各数据集" not in text
    assert "已发布，附说明" not in text
    assert "subcmc accept" in text


def test_a_clean_night_says_so_and_an_empty_one_does_not() -> None:
    assert "全部对账一致，无需处理。" in to_text(build(run_record(), [manifest_of()]))
    empty = to_text(build(run_record(status=RunStatus.CRASHED, finished_at=None), []))
    assert "本批次没有任何数据集。" in empty
    assert "异常退出" in empty


def test_rows_within_the_tolerance_are_marked_and_told() -> None:
    counts = Counts(declared=100, declared_first=100, received=97, distinct=97, stored=97, unchanged=97)
    text = to_text(build(run_record(), [manifest_of(counts=counts)]), lang="en")
    assert "~ok     97" in text
    assert "100 declared = 97 distinct + 3 missing; within tolerance" in text
    assert "All reconciled; nothing to do." in text


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"passes": 2, "stored_pass": 2}, "; pass 2 of 2 was clean"),
        (
            {"passes": 1, "reason_code": "moved-unread", "reason_values": {"rows": 1200}},
            "; the total moved by 1,200 behind the pages that were read; those are as they were",
        ),
    ],
    ids=["a-later-pass", "behind-what-was-read"],
)
def test_a_note_says_what_was_repaired(found: dict[str, Any], told: str) -> None:
    manifest = manifest_of("620000", "hardware", 10, verdict=Verdict.REPAIRED, **found)
    text = re.sub(r"\s+", " ", to_text(build(run_record(), [manifest]), lang="en"))
    assert told in text


def test_many_notes_are_capped_with_their_number() -> None:
    manifests = [
        manifest_of(str(place), "hardware", 10, verdict=Verdict.REPAIRED, passes=2)
        for place in range(100_000, 100_050)
    ]
    assert "... 另有 10 项从略" in to_text(build(run_record(), manifests))


def test_colour_only_when_asked_and_it_carries_nothing_alone() -> None:
    plain, coloured = to_text(night_report()), to_text(night_report(), color=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31m" in coloured
    assert ANSI.sub("", coloured) == plain


def hostile(text: str) -> tuple[Manifest, Attempt]:
    manifest = manifest_of(
        state=State.HELD,
        verdict=Verdict.SHORT,
        reason=text,
        province=f"甘肃{HOSTILE}",
        address=HOSTILE,
        rules=(RuleBreak(field=HOSTILE, rule=HOSTILE, rows=1, samples=(text,)),),
        drift={text: 1},
        deviations={text: 1},
        faults={text: 1},
        endings=(HOSTILE,),
    )
    return manifest, failed_attempt(text)


@pytest.mark.parametrize("lang", LANGS)
def test_personal_data_does_not_pass(lang: str) -> None:
    manifest, attempt = hostile(f"{IDENTITY} {PHONE} {HOSTILE}")
    accepted = replace(
        manifest, accepted=Acceptance(by=PHONE, at=BEGAN, reason=IDENTITY), state=State.PUBLISHED
    )
    run = run_record(notices=(f"{PHONE}, {IDENTITY}",))
    texts = [
        to_text(build(run, [manifest]), lang=lang),
        to_text(build(run, [accepted]), lang=lang),
        to_cell_text(manifest, attempts=[attempt], lang=lang),
        to_cell_text(accepted, lang=lang),
    ]
    assert all(IDENTITY not in text and PHONE not in text for text in texts)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(any_text | st.just(HOSTILE))
def test_a_province_cannot_forge_a_line(text: str) -> None:
    manifest, attempt = hostile(text)
    for lang in LANGS:
        night = to_text(build(run_record(notices=(text,)), [manifest]), lang=lang)
        cell = to_cell_text(manifest, attempts=[attempt], pages=page_entries(3), lang=lang)
        assert all(line.isprintable() for line in f"{night}\n{cell}".replace("\u3000", "").split("\n"))
        assert not re.search(r"^  1\. 假省", night, re.M)


def test_a_cell_shows_all_that_is_known() -> None:
    manifest = manifest_of(
        counts=Counts(
            declared=51_000, declared_first=51_000, received=51_000, distinct=51_000, stored=51_000, pushed=50_990,
            unchanged=51_000,
        ),
        drift={"extField": 12},
        deviations={"message-space": 51},
        faults={"http-503": 3},
        rules=(RuleBreak(field="policeNo", rule="length", rows=7, samples=("A12**",)),),
    )  # fmt: skip
    text = to_cell_text(manifest, attempts=[failed_attempt()], pages=page_entries(51), lang="en")
    for fact in (
        "51,000 declared = 51,000 distinct", "pushed", "50,990", "extField", "message-space", "http-503",
        "policeNo", "A12**", "pass 1  clean (the stored one, pages: 51)", "connection reset", "... 35 pages left out",
        "... 5 pages left out", "192.168.1.23:8080/gansu1", "9f2c11d0a4b7e35566778899aabbccdd",
    ):  # fmt: skip
        assert fact in text
    shown = [
        line.split()[1] for line in text.split("Pages\n")[1].split("\n")[1:] if line.strip().startswith("1 ")
    ]
    assert shown == ["1", "2", "3", "4", "5", "41", "47", "48", "49", "50", "51"]


def test_a_cell_without_a_verdict_can_be_shown() -> None:
    bare = Manifest(run=1, cmc_id="1", province="p", dataset="gone", state=State.COLLECTING)
    assert "no verdict yet" in to_cell_text(bare, lang="en")


def test_a_proven_snapshot_that_got_stuck_is_not_said_to_need_nothing() -> None:
    stuck = manifest_of(state=State.ROLLED_BACK)
    for text in (to_cell_text(stuck, lang="en"), to_text(build(run_record(), [stuck]), lang="en")):
        assert "call the store admin" in text
        assert "Nothing to do." not in text


def test_a_held_cell_can_be_accepted_from_where_it_is_shown() -> None:
    held = manifest_of(state=State.HELD, verdict=Verdict.SHORT)
    assert "subcmc accept 12 620000/hardware --digest 9f2c11d0a4b7" in to_cell_text(held)
    assert "subcmc accept" not in to_cell_text(manifest_of())


def test_runs_diff_and_history() -> None:
    run = replace(run_record(), summary={"proven": 300, "unregistered": 10, "short": 5})
    assert re.search(
        r"12 +finished +2026-03-05 01:00 +4 h 11 min +310 +5 +all +short 5$", to_runs_text([run], "en"), re.M
    )
    assert to_runs_text([]) == "还没有任何批次。\n"
    rows = [
        DiffRow(cmc_id="620000", dataset="hardware", added=2, changed=30, removed=0, keys=(("added", "A-1"),))
    ]
    diff = to_diff_text(rows, from_run=11, to_run=12, lang="en")
    assert "added  A-1" in diff
    assert "... and 31 keys more" in diff
    assert "Nothing changed." in to_diff_text([], from_run=11, to_run=12, lang="en")
    version = HistoryRow(from_run=3, to_run=12, hash="ab" * 16, started_at=BEGAN, changed=("status",))
    assert re.search(
        r"3 至 11 +2026-03-05 01:00:03 +abababababab +- +status", to_history_text([version], name="x")
    )
    assert "没有任何版本。" in to_history_text([], name="x")


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (9_999, "9999"), (10_000, "10k"), (999_999, "999k"), (1_000_000, "1.0M"), (9_999_999, "9.9M"),
     (10**8, "100M"), (10**9, "1.0G"), (10**12, "1.0T"), (BIG, ">1T")],
)  # fmt: skip
def test_compact_counts_never_overstate(number: int, said: str) -> None:
    assert compact(number) == said


@given(st.integers(0, 10**30))
def test_compact_counts_fit_four_cells(number: int) -> None:
    assert len(compact(number)) <= 4


@given(any_text, st.integers(1, 40))
def test_fit_pad_and_wrap_keep_the_width(text: str, width: int) -> None:
    clean = escaped(text)
    assert clean.replace("\u3000", "").isprintable()
    assert width_of(fit(clean, width)) <= width
    assert width_of(pad(clean, width)) == width
    lines = wrap(clean, width + 4, indent="- ", hanging="  ")
    assert all(width_of(line) <= width + 4 for line in lines)
    joined = "".join(line[2:] for line in lines).replace(" ", "")
    assert joined == clean.replace(" ", "")


def test_escapes_are_visible() -> None:
    assert (
        escaped("a\nb\x1b\u202e\u200b\ud800\U000e0001甘肃")
        == "a\\nb\\x1b\\u202e\\u200b\\ud800\\U000e0001甘肃"
    )


def test_marks_upon_marks_are_written_out_from_the_fifth_on() -> None:
    assert escaped("Việt Nam e\u0301\u0302\u0303\u0304") == "Việt Nam e\u0301\u0302\u0303\u0304"
    assert escaped("e" + "\u0489" * 6 + "x\u0301") == "e" + "\u0489" * 4 + "\\u0489\\u0489x\u0301"
    assert escaped(escaped("ก" + "\u0e47" * 40)) == escaped("ก" + "\u0e47" * 40)


def test_a_line_of_any_length_is_wrapped_in_time_that_grows_with_it() -> None:
    lines = wrap("长" * 100_000, 100)
    assert len(lines) == 2_000
    assert all(len(line) == 50 for line in lines)


def test_a_long_command_goes_on_after_a_backslash() -> None:
    assert wrap_command(("subcmc", "accept", "x" * 20), 24, indent="  ") == [
        "  subcmc accept \\",
        "    " + "x" * 20,
    ]


def test_tables_cut_text_before_numbers() -> None:
    lines = table(("name", "rows"), [("n" * 50, "123456")], aligns="lr", width=40, indent="")
    assert lines[1] == "n" * 31 + "~  123456"


def test_a_diff_leaves_out_what_did_not_change_and_says_where_a_run_published_nothing() -> None:
    same = DiffRow(cmc_id="620000", dataset="ua_user", added=0, changed=0, removed=0, in_force=11)
    other = DiffRow(
        cmc_id="620000", dataset="ua_org", added=1, changed=0, removed=0, keys=(("added", "A-1"),)
    )
    text = to_diff_text([same, other], from_run=11, to_run=12)
    assert "其余 1 个数据集没有变化。" in text
    assert "第 12 批次没有发布，比对的是其更早的快照：620000/ua_user" in text
    many = to_diff_text([replace(other, cmc_id=str(cmc_id)) for cmc_id in range(13)], from_run=11, to_run=12)
    assert "主键从略" in many
    assert "A-1" not in many


def test_the_verdicts_of_a_run_go_on_in_further_lines_the_most_urgent_first() -> None:
    summary = {str(verdict): 9 for verdict in Verdict}
    text = to_runs_text([replace(run_record(), summary=summary)], "en", 100)
    fits(text, 100)
    assert "~" not in text
    assert text.index("store-mismatch 9") < text.index("short 9") < text.index("incomplete 9")

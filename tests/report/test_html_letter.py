from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from report_cases import IDENTITY, PHONE, any_manifests, counts_of, manifest_of

from subcmc_crawler.model import Manifest, NamedKey, ReferenceCount, RuleBreak, State, Verdict
from subcmc_crawler.report.detail import Detail
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.letter import ASKED, letter

ZH, EN = labels("zh"), labels("en")


def written(**changes: object) -> str:
    return letter(Detail(manifest=manifest_of(**changes)), ZH)  # type: ignore[arg-type]


@pytest.mark.parametrize("verdict", sorted(ASKED))
@pytest.mark.parametrize("words", [ZH, EN])
def test_each_verdict_that_the_province_can_mend_asks_for_something(verdict: Verdict, words: object) -> None:
    assert words in (ZH, EN)
    detail = Detail(manifest=manifest_of(verdict=verdict, state=State.HELD))
    text = letter(detail, ZH if words is ZH else EN)
    assert "\n1. " in text
    assert "2.3.4" in text or "2.1.1" in text
    assert "/subcmc/v1/hardware" in text


@pytest.mark.parametrize("verdict", sorted(set(Verdict) - ASKED))
def test_what_is_ours_is_not_asked_of_the_province(verdict: Verdict) -> None:
    assert written(verdict=verdict) == ""


def test_what_an_operator_has_accepted_is_asked_no_more() -> None:
    from report_cases import BEGAN

    from subcmc_crawler.model import Acceptance

    accepted = Acceptance(by="王工", at=BEGAN, reason="已核实")
    assert written(verdict=Verdict.SHRUNK, accepted=accepted) == ""


def test_a_clean_walk_asks_for_the_rows_that_break_rules() -> None:
    rules = tuple(RuleBreak(field=f"f{at}", rule="length", rows=at, samples=("x",)) for at in range(1, 8))
    text = written(rules=rules)
    assert "字段 f7 有 7 行" in text
    assert "另有 2 项" in text
    assert "2.3.4.2" in text


def test_rows_without_a_key_deviations_and_unknown_fields_are_named() -> None:
    text = written(
        counts=counts_of(100, quarantined=4), deviations={"bom": 2, "total-string": 1}, drift={"extra": 100}
    )
    assert "4 行没有可用的主键 assetId" in text
    assert "开头有 BOM、total 是字符串" in text
    assert "extra" in text


def test_references_that_point_nowhere_name_the_other_interface() -> None:
    sample = NamedKey(key="u1", named="o9")
    count = ReferenceCount(
        dataset="ua_user", field="orgId", target="ua_org", as_of=12, target_as_of=12,
        records=9, dangling=2, samples=(sample,), late=1,
    )  # fmt: skip
    text = letter(Detail(manifest=manifest_of(dataset="ua_user"), references=(count,)), ZH)
    assert "字段 orgId 有 2 行所指的记录在 /subcmc/v1/ua/org 中不存在" in text
    assert "1 行早于其上级返回" in text


@given(any_manifests)
def test_no_letter_holds_a_person_or_a_forged_line(manifest: Manifest) -> None:
    hostile = replace(manifest, reason=f"{PHONE} {IDENTITY}\n9. 请汇款")
    for words in (ZH, EN):
        text = letter(Detail(manifest=hostile), words)
        assert PHONE not in text
        assert IDENTITY not in text
        assert "\n9. 请汇款" not in text

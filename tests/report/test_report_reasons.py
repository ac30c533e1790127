"""Every reason and every fault has words in both languages, and none of them lets a province speak for us."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bson
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from report_cases import (
    HOSTILE,
    IDENTITY,
    PHONE,
    any_manifests,
    any_text,
    failed_attempt,
    manifest_of,
    run_record,
)

import subcmc_crawler
from subcmc_crawler.errors import Malformed, Unreachable
from subcmc_crawler.model import Acceptance, Counts, Ending, Manifest, RunStatus, State, Verdict
from subcmc_crawler.province.settings import Guard
from subcmc_crawler.reconcile import Evidence, Finding, Why, verdict
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.lines import width_of
from subcmc_crawler.report.night import build
from subcmc_crawler.report.reasons import (
    deviation_name,
    fault_name,
    fault_sentence,
    reason_beside_balance,
    reason_sentence,
)
from subcmc_crawler.report.schemas import schema
from subcmc_crawler.report.text import to_cell_text, to_text
from subcmc_crawler.spec import records
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.store.codec import manifest_of as loaded
from subcmc_crawler.store.codec import to_document

LANGS = sorted(CATALOGUES)
SOURCES = Path(subcmc_crawler.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FAULTS = {"Unreachable", "Refused", "Malformed", "TooLarge"}

STEADY = Counts(declared=10, declared_first=10, received=10, distinct=10, stored=10, unchanged=10)
REPEATED = replace(STEADY, distinct=9, stored=9, unchanged=9, repeated=1)


def counted(**changes: Any) -> Counts:
    return replace(STEADY, **changes)


FINDINGS = {
    found.reason_code: found
    for found in (
        verdict(Evidence(**evidence))
        for evidence in (
            {"ending": Ending.STOPPED},
            {"ending": Ending.FAILED, "fault": Unreachable("tls", "certificate has expired")},
            {"counts": counted(stored=9)},
            {"counts": counted(stored=None)},
            {"counts": counted(unchanged=9)},
            {"counts": counted(), "served_digest": "a", "stored_digest": "b"},
            {"counts": counted(declared=None)},
            {"counts": counted(declared=12)},
            {"counts": counted(declared=12), "ending": Ending.LOOPING},
            {"counts": counted(declared=8)},
            {"counts": counted(declared_first=None), "ending": Ending.MOVED},
            {"counts": counted(declared_first=9), "ending": Ending.MOVED, "moved": 1},
            {"counts": counted(), "ending": Ending.MOVED, "moved": 1},
            {"counts": counted(), "ending": Ending.MOVED},
            {"counts": REPEATED, "ending": Ending.REPEATING},
            {"counts": REPEATED, "ending": Ending.REPEATING, "agreed": True},
            {"counts": Counts(declared=0, declared_first=0, stored=0), "base": 5},
            {"counts": counted(), "base": 90, "guard": Guard(rows=1, percent=1, minimum=1)},
            {"counts": counted(), "passes": 2},
            {"counts": counted(), "moved": 1},
            {"counts": counted(declared=12), "tolerance": 2},
        )
    )
}  # fmt: skip
ELSEWHERE = {Why.NO_ADDRESS, Why.SWITCHED_OFF, Why.REMOVED}  # those that no walk ends with


def manifest_with(finding: Finding, **changes: Any) -> Manifest:
    manifest = manifest_of(verdict=finding.verdict, state=finding.state, **changes)
    return replace(
        manifest,
        reason=finding.reason,
        reason_code=finding.reason_code,
        reason_values=finding.reason_values,
    )


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression spells out; `7` stands for whatever is filled in. Nothing for a stranger's."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one)
            yield from texts(other)


def calls(names: set[str]) -> Iterator[list[ast.expr]]:
    """The arguments of every call of these names in the package, the simulator left out."""
    for path in sorted(SOURCES.rglob("*.py")):
        if "simulator" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names:
                    yield node.args


RAISED = [arguments for arguments in calls(FAULTS) if len(arguments) > 1]
KINDS = {kind for arguments in RAISED for kind in texts(arguments[0])}
DETAILS = {
    (kind, detail)
    for kind_of, detail_of, *_ in RAISED
    for kind in texts(kind_of)
    for detail in texts(detail_of)
}


def test_the_sources_were_read() -> None:
    assert {"disconnected", "tls", "http-7", "code", "not-json", "too-large", "endless", "depth"} <= KINDS
    assert all(list(texts(arguments[0])) for arguments in RAISED), (
        "a kind that cannot be read from the source"
    )


def test_every_code_is_found_or_given_by_pull() -> None:
    assert {*FINDINGS, *ELSEWHERE} == set(Why)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_every_code_has_words_for_its_values(code: str, lang: str) -> None:
    finding = FINDINGS[code]
    manifest = replace(manifest_with(finding), reason="no words")
    said = reason_sentence(manifest, labels(lang))
    assert said not in ("", "no words")
    assert bool(CHINESE.search(said)) == (lang == "zh")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("code", sorted(ELSEWHERE))
def test_every_code_of_pull_has_words(code: str, lang: str) -> None:
    assert labels(lang)[f"why.{code}"]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", sorted({*KINDS - {"http-7"}, "http-500", "http-418"}))
def test_every_kind_of_fault_has_words(kind: str, lang: str) -> None:
    said = fault_name(kind, labels(lang))
    assert said != kind
    assert kind == "http-418" or bool(CHINESE.search(said)) == (lang == "zh")


@pytest.mark.parametrize(
    ("kind", "detail"), sorted(each for each in DETAILS - {("code", "code 7")} if each[1])
)
def test_no_sentence_of_ours_stays_english_in_chinese(kind: str, detail: str) -> None:
    said = fault_sentence(kind, detail, labels("zh"))
    assert detail not in said
    assert "{" not in said


@pytest.mark.parametrize("lang", LANGS)
def test_every_deviation_and_every_rule_has_words(lang: str) -> None:
    words = labels(lang)
    deviations = re.findall(r'"([a-z-]+(?::[a-zK]+)?)"', Envelope.__doc__ or "")
    assert len(deviations) == 12
    for deviation in (*deviations, "key-spaces:record", "key-twice:record"):
        assert deviation_name(deviation, words) != deviation
    rules = re.findall(r"\| ([a-z]+) +\|$", records._rule.__doc__ or "", re.M)
    assert {*rules} >= {"required", "code", "length", "type"}
    assert all(
        words[f"rule.{rule}"] for rule in (*rules, "item-length", "other") if rule not in ("rule", "none")
    )
    assert deviation_name("new:kind", words) == "new:kind"


def test_a_province_keeps_its_own_words() -> None:
    zh = labels("zh")
    assert fault_sentence("code", "code 1001: 系统繁忙", zh) == "返回了错误码：code 1001，系统繁忙"
    assert fault_sentence("code", "code 7", zh) == "返回了错误码：code 7"
    assert fault_sentence("http-500", "Internal Server Error", zh) == "HTTP 500（服务器内部错误）"
    assert fault_sentence("http-500", "db down", zh) == "HTTP 500（服务器内部错误）：db down"
    assert fault_sentence("http-418", "I'm a Teapot", zh) == "HTTP 418：I'm a Teapot"
    assert fault_sentence("tls", "certificate revoked", zh).endswith("：certificate revoked")
    assert fault_sentence("not-json", "starts with <html>", zh) == "响应不是有效的 JSON：开头是 <html>"
    assert fault_sentence("brand-new", "", zh) == "brand-new"


def test_an_unbalanced_equation_is_said_in_the_words_of_the_counts() -> None:
    said = reason_sentence(manifest_with(FINDINGS[Why.UNBALANCED]), labels("zh"))
    assert said == "计数不平：不重复 != 新增 + 变更 + 未变 不成立"


@pytest.mark.parametrize(
    ("code", "values"),
    [("brand-new", {"rows": 1}), ("", {}), (Why.MISSING_LOOPING + "s", {}), (Why.SHRUNK, {"lost": 1}),
     (Why.SURPLUS, {"rows": "many"}), (Why.FAULT, {})],
)  # fmt: skip
def test_what_has_no_words_falls_back_to_the_sentence(code: str, values: dict[str, int | str]) -> None:
    manifest = manifest_of(reason="the sentence", reason_code=code, reason_values=values)
    assert reason_sentence(manifest, labels("zh")) == "the sentence"


@pytest.mark.parametrize("code", [Why.MISSING, Why.SURPLUS, Why.MISMATCH, Why.REPAIRED, Why.UNDECLARED])
def test_the_reason_does_not_repeat_the_balance(code: Why) -> None:
    manifest = manifest_with(FINDINGS[code], counts=counted())
    assert reason_beside_balance(manifest, labels("zh")) == ""
    for text in (to_cell_text(manifest), to_text(build(run_record(), [manifest]))):
        assert "原因" not in text.replace("各遍结束原因", "").replace("请把原因", "")
    assert reason_sentence(manifest, labels("zh"))


def test_where_there_is_no_balance_the_reason_is_told() -> None:
    nothing = manifest_with(FINDINGS[Why.UNDECLARED], counts=Counts())
    assert "total" in reason_beside_balance(nothing, labels("zh"))


def test_paging_that_is_ignored_is_not_offered_for_acceptance() -> None:
    manifest = manifest_with(FINDINGS[Why.MISSING_LOOPING])
    for text in (to_cell_text(manifest), to_text(build(run_record(), [manifest]))):
        assert "修复之前请勿放行" in text
        assert "subcmc accept" not in text


def test_an_accepted_cell_asks_for_nothing_more() -> None:
    at = run_record().started_at
    done = replace(
        manifest_with(FINDINGS[Why.SHRUNK]),
        state=State.PUBLISHED,
        accepted=Acceptance(by="a", at=at, reason="b"),
    )
    assert re.search(r"处理 +无需处理", to_cell_text(done))


def test_a_dead_address_is_not_asked_again_and_the_cell_says_so() -> None:
    fault = verdict(
        Evidence(ending=Ending.FAILED, fault=Unreachable("timeout", "no complete answer in time"))
    )
    manifest = manifest_with(fault, counts=Counts(), attempts=0, passes=0)
    assert "没有请求" in to_cell_text(manifest)
    assert "超时" in to_cell_text(manifest)


@pytest.mark.parametrize(
    ("provinces", "command"),
    [
        (["620000"], "subcmc crawl --now --province 620000"),
        (["620000", "110000", "620000"], "subcmc crawl --now --province 620000 --province 110000"),
        (["620000", "110000", "120000", "130000"], "subcmc crawl --now"),
    ],
)
def test_the_advice_to_pull_again_works_today(provinces: list[str], command: str) -> None:
    cells = [
        manifest_of(cmc_id, list(DATASETS)[at], verdict=Verdict.INCOMPLETE, state=State.ROLLED_BACK)
        for at, cmc_id in enumerate(provinces)
    ]
    assert f"：{command}\n" in to_text(build(run_record(), cells))
    running = run_record(status=RunStatus.RUNNING, finished_at=None)
    assert "subcmc crawl" not in to_text(build(running, cells))


@given(any_manifests, st.sampled_from([*Why, "brand-new"]), any_text, any_text)
def test_no_reason_forges_a_line_or_shows_a_person(
    manifest: Manifest, code: str, kind: str, detail: str
) -> None:
    values: dict[str, int | str] = {
        "kind": kind,
        "detail": f"{detail} {PHONE} {IDENTITY}",
        "rows": 3,
        "equation": HOSTILE,
    }
    manifest = replace(manifest, reason_code=code, reason_values=values)
    attempt = replace(failed_attempt(f"{detail} {PHONE}"), fault=kind)
    for lang in LANGS:
        text = to_cell_text(manifest, attempts=[attempt], lang=lang) + to_text(
            build(run_record(), [manifest]), lang=lang
        )
        assert PHONE not in text
        assert IDENTITY not in text
        assert all(line.isprintable() for line in text.replace("\u3000", "").split("\n"))
        assert all(width_of(line) <= 100 for line in text.split("\n"))


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_the_store_keeps_code_and_values(code: str) -> None:
    manifest = manifest_with(FINDINGS[code])
    document = bson.decode(bson.encode(to_document(manifest)))
    again = loaded(document)
    assert (again.reason_code, again.reason_values) == (manifest.reason_code, manifest.reason_values)
    assert type(document["reasonCode"]) is str


def test_a_manifest_from_before_the_codes_still_loads() -> None:
    document = to_document(manifest_with(FINDINGS[Why.SHRUNK]))
    del document["reasonCode"], document["reasonValues"]
    again = loaded(document)
    assert (again.reason_code, again.reason_values) == ("", {})
    assert again.reason in to_cell_text(again)


def test_the_json_report_tells_code_and_values() -> None:
    fault = verdict(Evidence(ending=Ending.FAILED, fault=Malformed("not-json", f"starts with {PHONE}")))
    document = orjson.loads(to_json(build(run_record(), [manifest_with(fault)])))
    Draft202012Validator(schema("report")).validate(document)
    cell = document["cells"][0]
    assert cell["reason"].startswith("not-json: starts with 138")
    assert cell["reasonCode"] == "fault"
    assert cell["reasonValues"]["kind"] == "not-json"
    assert PHONE not in cell["reasonValues"]["detail"]
    shrunk = orjson.loads(to_json(build(run_record(), [manifest_with(FINDINGS[Why.SHRUNK])])))["cells"][0]
    assert shrunk["reasonValues"] == {"lost": 80, "base": 90, "percent": "88.9"}

"""A scorecard as text, JSON and HTML: complete, within its width, masked, and unharmed by what a province writes."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from centre import Reply, answer, driven, page, registered, sound, spring
from hostile import TEXTS, any_hostile
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from playwright.async_api import Browser
from rich.cells import cell_len
from test_hostile_texts import FORBIDDEN, shape_of

from browser import NARROW, WIDE, opened
from subcmc_crawler.conformance.checks import CHECKS, Scorecard
from subcmc_crawler.conformance.questions import Aim, Question
from subcmc_crawler.conformance.results import Outcome
from subcmc_crawler.errors import Fault, Malformed, Refused, Unreachable
from subcmc_crawler.province.answer import Answer
from subcmc_crawler.report import scorecard
from subcmc_crawler.report.html.checks import to_check_html
from subcmc_crawler.report.json_check import to_check_json
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.schemas import schema
from subcmc_crawler.report.text_check import to_check_text

LANGS = ["zh", "en"]
ADDRESSES = ["http://10.0.0.1:8080/gansu1", "http://10.0.0.2:8080/gansu2"]
IDENTITY, PHONE, NAME = "620102199003071234", "13893112766", "欧阳震华"
few = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=5)


def written_by(*texts: str) -> Scorecard:
    """The scorecard of a province that writes these wherever it can."""
    count = 0

    def respond(question: Question) -> Answer | Fault:
        nonlocal count
        count += 1
        text = texts[count % len(texts)]
        if question.aim is Aim.AGAIN and question.dataset == "pm_app":
            return Unreachable("disconnected", text)
        if question.aim in (Aim.NO_ID, Aim.BAD_NUMBER):
            return replace(answer(Reply(raw=text.encode("utf-8", "replace"))), status=400,
                           fault=Refused("http-400", text, status=400))  # fmt: skip
        if question.aim is Aim.FIRST and question.dataset == "hardware":
            return answer(Reply({"code": text or 1, "message": text}))
        if question.aim is Aim.FIRST and question.dataset == "pm_service":
            return Malformed("cut-body", text)
        if question.aim is Aim.FIRST and question.dataset == "appspt_system":
            return answer(Reply(raw=text.encode("utf-8", "replace")))
        return _harmful(question, text)

    return driven(registered(ADDRESSES), respond)


def rows_of(question: Question) -> list[dict[str, Any]]:
    """A few rows of a page that is sound but for its length, to be spoilt."""
    return [dict(row) for row in json.loads(sound(question).body).get("data", [])[:6]]


def _harmful(question: Question, text: str) -> Answer:
    rows = rows_of(question)
    for row in rows[:3]:
        row.update({name: text for name in list(row)[3:] if name != "collectTime"})
        row |= {text: text, "cmcId": text, "reportType": text}
    made = answer(page(rows, len(rows) + 7, **{f"message{text}": text}))
    headers = {"content-type": text, "content-encoding": text if text.isascii() else ""}
    return replace(made, headers=headers)


@cache
def much() -> Scorecard:
    """A scorecard with something of everything."""
    return written_by("plain")


def everything(card: Scorecard) -> list[str]:
    return [
        *(to_check_text(card, lang=lang) for lang in LANGS),
        *(to_check_html(card, lang=lang).decode() for lang in LANGS),
        to_check_json(card).decode(),
    ]


# ── completeness ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lang", LANGS)
def test_every_check_has_its_title_its_rule_and_its_remedy(lang: str) -> None:
    ids = {check.id for check in CHECKS}
    for group in ("title", "rule", "mend"):
        told = {key.rpartition(".")[2] for key in CATALOGUES[lang] if key.startswith(f"check.{group}.")}
        assert told == ids


@pytest.mark.parametrize("lang", LANGS)
def test_the_text_has_every_check_and_begins_with_what_must_be_mended(lang: str) -> None:
    words = labels(lang)
    text = to_check_text(much(), lang=lang)
    joined = re.sub(r"\s+", "", text)
    for check in CHECKS:
        assert re.sub(r"\s+", "", words[f"check.title.{check.id}"]) in joined
    assert (
        text.index(words["check.must"]) < text.index(words["check.should"]) < text.index(words["check.all"])
    )
    failed = [check.id for check, result in much().results.items() if result.outcome is Outcome.FAIL]
    assert len(failed) > 5
    assert all(name in text for name in failed)


def test_without_anything_to_mend_there_is_no_such_part() -> None:
    card = driven(registered(["http://10.0.0.1/a"]))
    text = to_check_text(card, lang="en")
    assert "Must be mended" not in text
    assert "Nothing failed" in text  # plain HTTP is a warning
    assert "62 checks: 0 failed, 1 warning, 54 passed, 7 not checked" in text


@pytest.mark.parametrize("lang", LANGS)
def test_the_text_fits_100_columns(lang: str) -> None:
    lines = to_check_text(much(), lang=lang).splitlines()
    assert max(map(cell_len, lines)) <= 100


def test_a_command_repeats_the_request_and_a_shell_reads_it_as_it_is() -> None:
    card = much()
    for item in scorecard.items(card, labels("en")):
        for each in item.evidence:
            words = shlex.split(" ".join(each.command))
            question = each.source.question
            assert words[-1] == f"{question.address.base}{question.path}"
            assert [word for word in words if "=" in word] == [f"{n}={v}" for n, v in question.params]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('[province.auth]\nkind = "bearer"\ntoken_env = "SECRET"\n', '-H "Authorization: Bearer $TOKEN"'),
        ('[province.auth]\nkind = "basic"\nusername = "u"\ntoken_env = "SECRET"\n', '-u "$USER_PASSWORD"'),
        ('[province.auth]\nkind = "header"\nheader = "X-Key"\ntoken_env = "SECRET"\n', '-H "X-Key: $TOKEN"'),
        (
            '[province.tls]\nca_file = "secrets/gansu.pem"\ncert_file = "c.pem"\n',
            "--cacert ca.pem --cert client.pem",
        ),
        ("[province.tls]\nverify = false\n", "--compressed -k -G"),
    ],
)
def test_a_command_names_what_else_is_needed_and_no_secret(more: str, expected: str) -> None:
    card = driven(registered(["https://10.0.0.1/a"], more))
    (first, *_) = (seen for seen in card.seen if seen.question.aim is Aim.FIRST)
    told = " ".join(scorecard.command(first, card.province))
    assert expected in told
    assert "SECRET" not in told
    assert "gansu.pem" not in told


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_json_is_what_its_schema_says_and_both_languages_are_in_it() -> None:
    Draft202012Validator.check_schema(schema("check"))
    document: dict[str, Any] = json.loads(to_check_json(much()))
    Draft202012Validator(schema("check")).validate(document)
    assert document["schema"] == "subcmc.check/1"
    assert document["at"].endswith("+08:00")
    assert sum(document["score"].values()) == len(document["checks"]) == len(CHECKS)
    for check in document["checks"]:
        assert check["title"]["zh"] != check["title"]["en"]
        assert check["reason"]["zh"]
        assert bool(check["mend"]["zh"]) == (check["outcome"] in ("warn", "fail"))
        assert bool(check["found"]) == (check["outcome"] in ("warn", "fail"))


def test_the_schema_finds_what_is_missing() -> None:
    document = json.loads(to_check_json(much()))
    del document["checks"][0]["section"]
    assert list(Draft202012Validator(schema("check")).iter_errors(document))


# ── what a province writes ──────────────────────────────────────────────────────────────────────────────


@cache
def plain_tags(lang: str) -> frozenset[tuple[str, ...]]:
    return frozenset(shape_of(to_check_html(much(), lang=lang)).tags)


def check_harmless(card: Scorecard) -> None:
    for lang in LANGS:
        text = to_check_text(card, lang=lang)
        assert not FORBIDDEN.search(text)
        assert max(map(cell_len, text.split("\n"))) <= 100
        assert not re.search(r"^  1\. 假省", text, re.MULTILINE)
        html = to_check_html(card, lang=lang)
        assert not FORBIDDEN.search(html.decode())
        shape = shape_of(html)
        assert shape.tags <= plain_tags(lang)
        assert not [script for script in shape.scripts if "alert" in script]
        assert not [target for target in shape.targets if not target.startswith("#")]
    raw = to_check_json(card)
    assert not FORBIDDEN.search(raw.decode())
    Draft202012Validator(schema("check")).validate(json.loads(raw))


@pytest.mark.parametrize("attack", TEXTS)
def test_what_a_province_writes_does_no_harm(attack: str) -> None:
    check_harmless(written_by(*TEXTS[attack]))


@few
@given(any_hostile)
def test_no_mixture_of_them_does_harm(text: str) -> None:
    check_harmless(written_by(text))


def personal(question: Question) -> Answer | Fault:
    """A centre with personal data wherever a row or a refusal can hold them."""
    told = f"联系人电话 {PHONE}，证件 {IDENTITY}"
    if question.aim in (Aim.NO_ID, Aim.NO_PAGE):
        return answer(Reply({"message": told, PHONE: IDENTITY}, status=400))
    if question.dataset == "infr_network" and question.aim is Aim.FIRST:
        return answer(Reply({"code": 1001, "message": told}))
    if question.dataset == "pm_app" and question.aim is Aim.FIRST:
        return answer(Reply(raw=told.encode()))
    if question.path.endswith("interface") or question.page_num is None:
        return answer(spring(404, told))
    rows = rows_of(question) if question.page_num == 1 else []
    for row in rows[:4]:
        if question.dataset == "ua_user":
            row |= {"name": [NAME], "idNo": int(IDENTITY), "mobile": PHONE * 3, "userType": PHONE}
            row |= {"position": told * 3, "orgId": IDENTITY, "policeNo": IDENTITY + "9", PHONE: NAME}
        if question.dataset == "ua_org":
            row |= {"contact": NAME * 9, "contactPhone": PHONE * 2, "parentOrgId": IDENTITY}
        if question.dataset == "hardware":
            row |= {"responsiblePerson": [NAME], "orgId": PHONE, "platform": IDENTITY, "cmcId": PHONE}
    if question.dataset == "ua_user" and rows:
        rows.append(rows[0] | {"userId": IDENTITY})
    return answer(page(rows, len(rows)))


def test_nobody_is_named_and_no_number_is_whole() -> None:
    card = driven(registered(ADDRESSES), personal)
    found = {found.what for result in card.results.values() for found in result.found}
    assert {"check.found.rule_sample", "check.found.dangling", "check.found.unknown"} <= found
    for rendered in everything(card):
        assert not [text for text in (NAME, IDENTITY, PHONE) if text in rendered]


def test_the_same_personal_data_would_be_found_in_what_was_served() -> None:
    question = next(seen.question for seen in driven(registered(ADDRESSES), sound).seen
                    if seen.question.aim is Aim.FIRST and seen.question.dataset == "ua_user")  # fmt: skip
    served = personal(question)
    assert isinstance(served, Answer)
    body = json.dumps(json.loads(served.body), ensure_ascii=False)
    assert all(text in body for text in (NAME, IDENTITY, PHONE))


# ── the page in a browser ───────────────────────────────────────────────────────────────────────────────


def test_the_page_is_one_small_file() -> None:
    html = to_check_html(much())
    assert len(html) < 250_000
    assert b"<script" not in html
    assert not re.findall(rb"https?://[^\"' <]+", html.replace(b"http://10.0.0.", b""))


@pytest.mark.parametrize(("width", "lang"), [(WIDE, "zh"), (NARROW, "en")])
async def test_the_page_fits_and_shuts_nobody_out(
    chromium: Browser, tmp_path: Path, width: int, lang: str
) -> None:
    file = tmp_path / "check.html"
    file.write_bytes(to_check_html(much(), lang=lang))
    async with opened(chromium, file.as_uri(), width=width) as found:
        assert not await found.overflows()
        await found.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert not await found.overflows()
        assert await found.violations() == []
        assert found.said == []
        assert found.asked == []

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from html_cases import Page, few_provinces, whole
from report_cases import IDENTITY, PHONE, made_up_night

from subcmc_crawler.model import Verdict
from subcmc_crawler.report.detail import Detail, Night
from subcmc_crawler.report.html import CellPage, NightPage, percent, to_html
from subcmc_crawler.report.html.drawing import SHAPES
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.night import build
from subcmc_crawler.report.sentences import balance_sentence, verdict_name

LANGS = ["zh", "en"]
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LARGEST = 1_000_000
VOID = {"meta", "input", "br", "link", "img"}
SHORT = "620000/hardware"


@pytest.fixture(scope="module", params=LANGS)
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def raw(lang: str) -> bytes:
    return to_html(whole(), lang=lang)


@pytest.fixture(scope="module")
def page(raw: bytes) -> Page:
    return Page(raw)


def cell_text(raw: bytes, name: str) -> str:
    """What the detail of a cell says."""
    identity = f'id="c-{name.replace("/", "-")}"'
    found = re.search(rf"<article [^>]*{identity}.*?</article>", raw.decode(), re.DOTALL)
    assert found
    return Page(found[0].encode()).text


def test_a_night_of_35_provinces_with_a_month_of_past_stays_under_a_megabyte(raw: bytes) -> None:
    assert len(whole().report.provinces) == 35
    assert len(raw) < LARGEST


def test_nothing_is_fetched_and_nothing_runs(raw: bytes, page: Page) -> None:
    assert not [value for name in ("src", "srcset", "action", "data") for value in page.every(name)]
    assert not [target for target in page.every("href") if not target.startswith("#")]
    assert not re.findall(r"url\(|@import|expression\(", raw.decode())
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "img", "form", "base"}
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    metas = [attrs for tag, attrs in page.elements if tag == "meta"]
    assert POLICY in [attrs.get("content") for attrs in metas if "http-equiv" in attrs]


def test_every_element_is_closed_and_every_identifier_is_its_own(raw: bytes, page: Page) -> None:
    opened = Counter(tag for tag, _ in page.elements if tag not in VOID)
    closed = Counter(re.findall(r"</([a-z0-9]+)>", raw.decode()))
    drawn = Counter(re.findall(r"<([a-z]+)[^<>]*/>", raw.decode()))
    assert opened == closed + drawn
    identifiers = Counter(page.every("id"))
    assert not [name for name, count in identifiers.items() if count > 1]
    assert {target[1:] for target in page.every("href")} <= identifiers.keys()


def test_every_cell_of_the_matrix_is_a_shape_a_word_and_counts_and_leads_to_its_detail(
    raw: bytes, lang: str
) -> None:
    words = labels(lang)
    matrix = raw.decode().split('<table class="matrix">')[1].split("</table>")[0]
    cells = re.findall(
        r'<td class="\w+"><a href="#(c-[^"]+)">.*?#v-([a-z-]+)"/></svg>([^<]+)<.*?</td>', matrix, re.S
    )
    assert len(cells) == len(whole().report.cells) == 35 * 9
    for cell, (target, shape, word) in zip(whole().report.cells, cells, strict=True):
        assert target == f"c-{cell.name.replace('/', '-')}"
        assert shape == cell.manifest.verdict
        assert word.strip() == verdict_name(cell.manifest, words)
    assert ">49,912<span" in matrix
    assert "/50,012</span>" in matrix


def test_every_verdict_has_a_shape_of_its_own() -> None:
    assert set(SHAPES) == {*map(str, Verdict), "pending"}
    assert len(set(SHAPES.values())) == len(SHAPES)


def test_no_mark_is_a_letter_that_fonts_draw_as_they_like(raw: bytes) -> None:
    assert not re.search("[✓✔✗✘❌✅⚠]", raw.decode())


def test_every_balance_is_told_in_the_detail_of_its_cell(raw: bytes, lang: str) -> None:
    text = Page(raw).text
    assert all(balance_sentence(cell.manifest, labels(lang)) in text for cell in whole().report.cells)


def test_the_detail_of_a_clean_cell_says_what_was_odd_about_it(lang: str) -> None:
    """Why one is not clean is told with the causes of the night; of a clean one nothing else tells it."""
    run, manifests, _ = made_up_night()
    moved = replace(
        manifests[0],
        verdict=Verdict.REPAIRED,
        reason="moved",
        reason_code="moved-unread",
        reason_values={"rows": 1200},
    )
    report = build(run, [moved])
    night = Night(report=report, details={each.name: Detail(manifest=each.manifest) for each in report.cells})
    told = labels(lang).say("why.moved-unread", rows=1200)
    assert told in Page(to_html(night, lang=lang)).text


def test_the_detail_of_a_held_cell_says_what_to_do_and_how(raw: bytes) -> None:
    text = cell_text(raw, SHORT)
    assert "subcmc accept 12 620000/hardware --digest 9f2c11d0a4b7" in text
    assert "added-620000-0" in text
    assert "HTTP 503" in text
    assert "2.3.4.4" in text


def test_pages_that_were_tried_again_are_listed_and_the_rest_is_counted() -> None:
    detail = whole().details["110000/ua_user"]
    for brief in (False, True):
        pages = CellPage(detail, labels("en"), brief=brief).pages
        assert [row.texts[1] for row in pages if row.notable] == ["41"]
        assert sum(row.left_out or 1 for row in pages) == len(detail.pages) == 50


def test_what_changed_since_the_night_before_is_named_and_counted() -> None:
    night = NightPage(whole(), labels("en"))
    new, recovered = night.since
    assert new[0] == f"new faults {whole().report.headline.new_faults}"
    assert [group.province for group in recovered[1]] == ["宁夏回族自治区"]
    text, groups = night.streaks
    assert text == "still open 9"
    assert [(group.province, group.whole, group.first.faulty_runs) for group in groups] == [
        ("西藏自治区", True, 30)
    ]


def test_every_cell_that_is_not_clean_has_one_cause() -> None:
    night = NightPage(whole(), labels("en"))
    caused = [cell.name for cause in night.causes for cell in cause.cells]
    assert len(caused) == len(set(caused)) == whole().report.headline.not_clean
    assert all(
        sum(len(entry.neighbours.cells) for entry in cause.entries) == len(cause.cells)
        for cause in night.causes
    )
    assert night.causes[-1].first.accepted


def test_causes_of_the_same_kind_with_other_numbers_stand_together() -> None:
    run, manifests, before = made_up_night()
    changed = [
        replace(each, reason_code="missing", reason_values={"rows": number})
        if each.verdict in (Verdict.SHORT, Verdict.SURPLUS)
        else each
        for number, each in enumerate(manifests)
    ]
    short = [replace(each, verdict=Verdict.SHORT) if each.reason_code else each for each in changed]
    report = build(run, short, previous=before)
    details = {cell.name: Detail(manifest=cell.manifest) for cell in report.cells}
    causes = NightPage(Night(report=report, details=details), labels("en")).causes
    alike = next(cause for cause in causes if cause.first.manifest.reason_code == "missing")
    assert alike.text == "fewer rows than declared"
    assert len(alike.cells) == 2
    assert all("rows missing" in entry.balance for entry in alike.entries)


def test_only_what_is_not_clean_is_a_view_that_needs_no_script(raw: bytes) -> None:
    assert '<input class="pick" type="checkbox" id="only">' in raw.decode()
    assert "#only:checked ~ section .calm { display: none; }" in raw.decode()
    chosen = to_html(few_provinces(whole(), "620000"), only_problems=True).decode()
    assert '<input class="pick" type="checkbox" id="only" checked>' in chosen
    calm = re.findall(r'<tr class="calm"><th scope="row"><a href="#p-(\d+)"', raw.decode())
    unclean = {problem.first.manifest.cmc_id for problem in whole().report.problems}
    assert set(calm) == {province.cmc_id for province in whole().report.provinces} - unclean


def test_a_province_tells_its_work_its_contact_and_its_deviations(raw: bytes, lang: str) -> None:
    section = raw.decode().split('id="p-620000"')[1].split("</table>")[0]
    text = Page(section.encode()).text
    assert "张**  138******00" in text
    assert "192.168.1.23:8080/gansu1" in text
    assert labels(lang)["deviation.bom"] in text
    assert section.count('class="spark"') == 9


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "-"),
        (0.0, "0%"),
        (1.234, "+1.2%"),
        (-0.456, "\u22120.46%"),
        (100.0, "+100%"),
        (2345.6, "+2,346%"),
    ],
)
def test_a_change_is_a_signed_percentage(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_growth_is_measured_against_the_base() -> None:
    detail = whole().details[SHORT]
    counts = detail.manifest.counts
    base = counts.unchanged + counts.changed + counts.removed
    assert detail.growth == pytest.approx(100 * (counts.distinct - base) / base)
    assert replace(detail, manifest=replace(detail.manifest, base=None)).growth is None
    uncounted = replace(detail.manifest, counts=replace(counts, stored=None))
    assert replace(detail, manifest=uncounted).growth is None


def test_no_person_can_be_read_in_it(raw: bytes) -> None:
    assert PHONE not in raw.decode()
    assert IDENTITY not in raw.decode()
    assert "张三丰" not in raw.decode()


def test_heads_go_down_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_a_night_without_any_cell_and_one_under_way_can_be_shown(lang: str) -> None:
    run, manifests, _ = made_up_night()
    empty = Night(report=build(run, []), details={})
    assert b"<h1>" in to_html(empty, lang=lang)
    pending = [replace(each, verdict=None) for each in manifests[:9]]
    report = build(replace(run, finished_at=None), pending)
    going = Night(report=report, details={cell.name: Detail(manifest=cell.manifest) for cell in report.cells})
    assert labels(lang)["verdict.pending"].encode() in to_html(going, lang=lang)

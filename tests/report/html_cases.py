"""Nights for tests of the page: 35 provinces in full with a month of past, and a reader that knows what HTML is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

from report_cases import failed_attempt, made_up_night, page_entries

from subcmc_crawler.model import Manifest, RuleBreak
from subcmc_crawler.report.detail import AsideRow, Contact, Detail, KeyChange, Night
from subcmc_crawler.report.night import build
from subcmc_crawler.spec.personal import mask

NIGHTS_BACK = 29
LARGE = frozenset({"ua_user", "mdm_device"})
CHANGED = ("added", "changed", "removed")


def full_night(nights_back: int = NIGHTS_BACK) -> Night:
    """35 provinces: 50 pages in the two large datasets, changed keys, a month of past, findings in some."""
    run, manifests, before = made_up_night()
    manifests = [_with_findings(manifest, number) for number, manifest in enumerate(manifests)]
    past = [
        replace(
            each, run=run.number - back, counts=replace(each.counts, received=each.counts.received + back)
        )
        for back in range(1, nights_back + 1)
        for each in before
    ]
    report = build(run, manifests, previous=past)
    by_cell: dict[str, list[Manifest]] = {}
    for each in past:
        by_cell.setdefault(f"{each.cmc_id}/{each.dataset}", []).append(each)
    details = {cell.name: _detail(cell.manifest, by_cell.get(cell.name, [])) for cell in report.cells}
    contact = Contact(name=mask("name", "张三丰"), phone=mask("phone", "13800138000"))
    return Night(report=report, details=details, contacts={"620000": contact})


def few_provinces(night: Night, *cmc_ids: str) -> Night:
    """The same night with fewer provinces."""
    manifests = [cell.manifest for cell in night.report.cells if cell.manifest.cmc_id in cmc_ids]
    previous = [each for detail in night.details.values() for each in detail.past]
    return replace(night, report=build(night.report.run, manifests, previous=previous))


def _with_findings(manifest: Manifest, number: int) -> Manifest:
    if number % 7:
        return manifest
    rule = RuleBreak(field="phone", rule="length", rows=40, samples=("138****00", "139****11"))
    return replace(manifest, rules=(rule,), deviations={"bom": 3}, drift={"newField": 9})


def _detail(manifest: Manifest, past: list[Manifest]) -> Detail:
    counts = manifest.counts
    changes = tuple(
        KeyChange(change=change, key=f"{change}-{manifest.cmc_id}-{at}")
        for change in CHANGED
        for at in range(min(20, getattr(counts, change)))
    )
    aside = AsideRow(walk_pass=1, ordinal=3, position=9, reason="conflicting", key="k1")
    return Detail(
        manifest=manifest,
        pages=tuple(page_entries(50 if manifest.dataset in LARGE else 2)),
        attempts=(failed_attempt(),) if manifest.verdict not in (None, "proven") else (),
        changes=changes,
        aside=(aside,) if counts.conflicting else (),
        past=tuple(past),
    )


class Page(HTMLParser):
    """The elements of a page, in order, and the text of each id."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(raw.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def every(self, name: str) -> list[str]:
        """The values of an attribute, wherever it stands."""
        return [attrs[name] for _, attrs in self.elements if name in attrs]


@cache
def whole() -> Night:
    """The full night, made once."""
    return full_night()

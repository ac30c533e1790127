"""Checks of the rows that were seen against the field tables (sections named .2 of chapter 2, 1.3.5). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import (
    Found,
    Outcome,
    Result,
    fail,
    judged,
    noted,
    passed,
    unchecked,
    warn,
)
from subcmc_crawler.conformance.seeing import PageSeen, Seen
from subcmc_crawler.spec.datasets import DATASETS

STALE_DAYS: Final = 7
_AHEAD: Final = timedelta(days=1)

_LENGTHS: Final = frozenset({"length", "items", "item-length"})
_OWN: Final = frozenset({"cmcId", "reportType"})
"""Fields with checks of their own."""

_Of = Callable[[PageSeen], Iterable[tuple[str, int]]]


def key_present(findings: Findings) -> Result:
    """Each row has a usable primary key."""
    return _counted(findings, "check.found.keyless", lambda page: page.keyless.items(), name="reason")


def key_unique(findings: Findings) -> Result:
    """No primary key comes twice. What a seam repeats is another check's matter."""
    if not _looked_at(findings):
        return unchecked("check.open.no_rows")
    found = []
    for code in findings.codes:
        if not findings.moves(code) or not findings.stable(code) or findings.touching(code):
            continue
        keys = Counter(key for _, page in findings.pages(code) for key in page.keys if key is not None)
        twice = sum(count - 1 for count in keys.values())
        if twice:
            seen = next(seen for seen, _ in findings.pages(code))
            found.append(fail(code, "check.found.twice", seen, rows=twice))
    return judged(found, _good(findings))


def row_required(findings: Findings) -> Result:
    """Required fields are there, and not null; the primary key has a check of its own."""
    return _broken(findings, lambda code, field, rule: rule == "required" and field != DATASETS[code].key)


def row_type(findings: Findings) -> Result:
    """Values have the type of their field, numbers its range."""
    return _broken(findings, lambda code, field, rule: rule in ("type", "range"))


def row_length(findings: Findings) -> Result:
    """Texts and arrays keep the lengths of their fields."""
    return _broken(findings, lambda code, field, rule: rule in _LENGTHS)


def row_code(findings: Findings) -> Result:
    """Codes are those of the code tables of chapter 3."""
    return _broken(findings, lambda code, field, rule: rule == "code" and field not in _OWN)


def row_cmc_id(findings: Findings) -> Result:
    """No row is another province's."""
    return _broken(findings, lambda code, field, rule: field == "cmcId")


def row_report_type(findings: Findings) -> Result:
    """A pull holds what there is: no row says that it is deleted."""
    return _broken(findings, lambda code, field, rule: field == "reportType", outcome=Outcome.WARN)


def row_unknown_fields(findings: Findings) -> Result:
    """No field that the tables do not have."""
    return _counted(
        findings, "check.found.unknown", lambda page: page.drift.items(), name="field", outcome=Outcome.WARN
    )


def row_key_spelling(findings: Findings) -> Result:
    """Field names have no blanks around them, and none comes twice because of that."""
    stray = _counted(
        findings,
        "check.found.stray",
        lambda page: [("stray", page.stray_keys)] if page.stray_keys else [],
        outcome=Outcome.WARN,
    )
    collided = _counted(
        findings,
        "check.found.collided",
        lambda page: [("collided", page.key_collisions)] if page.key_collisions else [],
    )
    return collided if collided.found else stray


def row_defaults(findings: Findings) -> Result:
    """What has no content is written as 1.3.5 has it: "", -1, []."""
    return _counted(
        findings, "check.found.none", lambda page: page.odd_nones.items(), name="field", outcome=Outcome.WARN
    )


def row_collect_time(findings: Findings) -> Result:
    """The collectTime is one, in milliseconds, not ahead of us, and not a week old.

    ==  ==================================================  ========
    1   no row has one                                      not said
    2   a value that is no time since 2000 in milliseconds  fail
    3   more than a day ahead                               fail
    4   the latest of a dataset is over a week old          warn
    5   all else                                            pass
    ==  ==================================================  ========
    """
    found = []
    known = 0
    for code in findings.codes:
        pages = list(findings.pages(code))
        odd = sum(page.collected.odd for _, page in pages)
        latest = max((p.collected.latest for _, p in pages if p.collected.latest is not None), default=None)
        known += latest is not None or odd > 0
        seen = pages[0][0] if pages else None
        if odd:  # 2
            found.append(_timed(code, "check.found.no_time", Outcome.FAIL, seen, rows=odd))
        at = _time(latest)
        if at is None:
            continue
        if at > findings.now + _AHEAD:  # 3
            found.append(_timed(code, "check.found.ahead", Outcome.FAIL, seen, at=latest or 0))
        elif at < findings.now - timedelta(days=STALE_DAYS):  # 4
            days = (findings.now - at).days
            found.append(_timed(code, "check.found.stale", Outcome.WARN, seen, days=days))
    if not known:  # 1
        return unchecked("check.open.no_time")
    return judged(found, _good(findings))  # 5


def _time(milliseconds: int | None) -> datetime | None:
    """The time, the last one that there is for what is beyond all calendars."""
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def _timed(code: str, what: str, outcome: Outcome, seen: Seen | None, **values: int | str) -> Found:
    return noted(outcome, code, what, seen, **values)


def dataset_filled(findings: Findings) -> Result:
    """No dataset is empty."""
    declared = {code: findings.total(code) for code in findings.codes}
    known = [code for code, total in declared.items() if total is not None]
    if not known:
        return unchecked("check.open.no_page")
    found = [
        warn(code, "check.found.empty", findings.one(Aim.FIRST, code))
        for code in known
        if declared[code] == 0
    ]
    shown = (findings.one(Aim.FIRST, code) for code in known)
    return judged(found, passed("check.good.datasets", shown, count=len(known)))


def _broken(
    findings: Findings, wanted: Callable[[str, str, str], bool], *, outcome: Outcome = Outcome.FAIL
) -> Result:
    """The rules that were broken, each with its field, the rows and a masked sample."""
    found = []
    for code in findings.codes:
        rules: Counter[str] = Counter()
        samples: dict[str, str] = {}
        shown: dict[str, Seen] = {}
        for seen, page in findings.pages(code):
            rules.update(page.rules)
            for flag in page.rules:
                shown.setdefault(flag, seen)
                samples.setdefault(flag, next(iter(page.samples.get(flag, ())), ""))
        for flag, rows in rules.most_common():
            field, _, rule = flag.rpartition(":")
            if wanted(code, field, rule):
                what = "check.found.rule_sample" if samples[flag] else "check.found.rule"
                found.append(
                    noted(
                        outcome,
                        code,
                        what,
                        shown[flag],
                        field=field,
                        rule=rule,
                        rows=rows,
                        sample=samples[flag],
                    )
                )
    return _over_rows(findings, found)


def _counted(
    findings: Findings, what: str, of: _Of, *, name: str = "", outcome: Outcome = Outcome.FAIL
) -> Result:
    """What pages count by a name, summed up over the pages of a dataset."""
    found = []
    for code in findings.codes:
        counts: Counter[str] = Counter()
        shown: dict[str, Seen] = {}
        for seen, page in findings.pages(code):
            for each, rows in of(page):
                counts[each] += rows
                shown.setdefault(each, seen)
        for each, rows in counts.most_common():
            values: dict[str, int | float | str] = {"rows": rows, **({name: each} if name else {})}
            found.append(noted(outcome, code, what, shown[each], **values))
    return _over_rows(findings, found)


def _over_rows(findings: Findings, found: list[Found]) -> Result:
    if not _looked_at(findings):
        return unchecked("check.open.no_rows")
    return judged(found, _good(findings))


def _good(findings: Findings) -> Result:
    shown = (findings.one(Aim.FIRST, code) for code in findings.codes)
    return passed("check.good.rows", shown, rows=_looked_at(findings))


def _looked_at(findings: Findings) -> int:
    return sum(page.rows for _, page in _all_pages(findings))


def _all_pages(findings: Findings) -> Iterator[tuple[Seen, PageSeen]]:
    for code in findings.codes:
        yield from findings.pages(code)

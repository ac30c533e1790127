"""What is behind the counts, one row a finding: differences, failed requests, broken rules, rows kept aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from subcmc_crawler.model import Comparison, Manifest, NamedKey
from subcmc_crawler.report.detail import Detail
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell, Report
from subcmc_crawler.report.reasons import deviation_name, fault_name, fault_sentence
from subcmc_crawler.report.sheets.cells import NAMED, named
from subcmc_crawler.report.sheets.table import Column, Kind, Table, Value

_CHANGES: Final = ("added", "changed", "removed")


def differences_table(details: Sequence[Detail], words: Labels) -> Table:
    """A row a key that differs from the base, and one for those that are not listed.

    The counts of a cell's rows add up to its `added`, `changed` and `removed`, so that a pivot of them is right.
    """
    columns = (
        *NAMED,
        *map(Column, ("verdict", "state")),
        *(Column("base", Kind.NUMBER), Column("change"), Column("keys", Kind.COUNT), Column("key")),
    )
    rows = [row for detail in details for row in _differences(detail, words)]
    return Table("differences", columns, rows)


def _differences(detail: Detail, words: Labels) -> Iterable[tuple[Value, ...]]:
    manifest = detail.manifest
    verdict = words[f"verdict.{manifest.verdict or 'pending'}"]
    lead = (*named(manifest, words), verdict, words[f"state.{manifest.state}"], manifest.base)
    for change in _CHANGES:
        keys = [each.key for each in detail.changes if each.change == change]
        left = _left(keys, getattr(manifest.counts, change))
        yield from ((*lead, words[f"change.{change}"], 1, shown(key)) for key in keys)
        yield from ((*lead, words[f"change.{change}"], count, words["sheet.not_listed"]) for count in left)


def pushed_table(report: Report, words: Labels) -> Table:
    """A row a key in which the ministry's own platform (4.1) differs, and one for those that are not listed."""
    columns = (
        *NAMED,
        *(Column("snapshot", Kind.NUMBER), Column("side"), Column("keys", Kind.COUNT)),
        *(Column("key"), Column("fields", Kind.PROSE)),
    )
    rows = [
        (*named(cell.manifest, words), *row)
        for cell in report.cells
        if cell.comparison is not None
        for row in _pushed(cell.comparison, words)
    ]
    return Table("pushed", columns, rows)


def _pushed(comparison: Comparison, words: Labels) -> Iterable[tuple[Value, ...]]:
    differing = [(each.key, ", ".join(map(shown, each.fields))) for each in comparison.differing_keys]
    sides = (
        ("only_pushed", [(key, None) for key in comparison.only_pushed_keys], comparison.only_pushed),
        ("only_pulled", [(key, None) for key in comparison.only_pulled_keys], comparison.only_pulled),
        ("differing", differing, comparison.differing),
    )
    for side, keys, total in sides:
        lead = (comparison.snapshot, words[f"sheet.side.{side}"])
        yield from ((*lead, 1, shown(key), fields) for key, fields in keys)
        yield from ((*lead, left, words["sheet.not_listed"], None) for left in _left(keys, total or 0))


def _left(listed: Sequence[object], total: int) -> tuple[int, ...]:
    """How many are not listed, when there are any: with one for each that is, that makes `total`."""
    return (total - len(listed),) if total > len(listed) else ()


def attempts_table(details: Sequence[Detail], words: Labels) -> Table:
    """A row a request that brought no page."""
    columns = (
        *NAMED,
        Column("at", Kind.TIME),
        *(Column(name, Kind.NUMBER) for name in ("pass", "page", "page_size", "try", "status")),
        *(Column("fault"), Column("fault_detail", Kind.PROSE)),
        *(Column("milliseconds", Kind.COUNT), Column("bytes", Kind.COUNT), Column("rest", Kind.SECONDS)),
        Column("address"),
    )
    rows = [row for detail in details for row in _failed(detail, words)]
    return Table("attempts", columns, rows)


def _failed(detail: Detail, words: Labels) -> Iterable[tuple[Value, ...]]:
    for attempt in detail.failed:
        kind = attempt.fault or ""
        yield (
            *named(detail.manifest, words),
            attempt.at,
            attempt.walk_pass,
            attempt.page_num,
            attempt.page_size,
            attempt.number,
            attempt.status,
            shown(fault_name(kind, words)),
            shown(fault_sentence(kind, attempt.detail, words)),
            round(attempt.milliseconds),
            attempt.bytes,
            attempt.rest_seconds,
            shown(attempt.address),
        )


def aside_table(details: Sequence[Detail], words: Labels) -> Table:
    """A row a served row that no version holds, as far as they are listed; places count from 1."""
    columns = (
        *NAMED,
        *(Column(name, Kind.NUMBER) for name in ("pass", "ordinal", "position")),
        *map(Column, ("kept_for", "key")),
    )
    rows = [
        (
            *named(detail.manifest, words),
            row.walk_pass,
            row.ordinal + 1,
            row.position + 1,
            words.word("sheet.aside", escaped(row.reason)),
            shown(row.key or ""),
        )
        for detail in details
        for row in detail.aside
    ]
    return Table("aside", columns, rows)


def rules_table(report: Report, words: Labels) -> Table:
    """A row a rule that rows broke, an unknown field, a deviation of the envelope, a reference to nothing."""
    columns = (
        *NAMED,
        *map(Column, ("finding", "field", "rule")),
        *(Column("found", Kind.COUNT), Column("unit"), Column("samples", Kind.PROSE)),
    )
    rows = [
        (*named(cell.manifest, words), *row)
        for cell in report.cells
        for row in (*_broken(cell.manifest, words), *_dangling(cell, words))
    ]
    return Table("rules", columns, rows)


def _broken(manifest: Manifest, words: Labels) -> Iterable[tuple[Value, ...]]:
    rows, pages = words["sheet.unit.rows"], words["sheet.unit.pages"]
    for rule in sorted(manifest.rules, key=lambda rule: (-rule.rows, rule.field, rule.rule)):
        samples = "  ".join(map(shown, rule.samples))
        name = words.word("rule", escaped(rule.rule))
        yield words["sheet.finding.rule"], shown(rule.field), name, rule.rows, rows, samples
    for field, count in sorted(manifest.drift.items()):
        yield words["sheet.finding.drift"], shown(field), None, count, rows, None
    for deviation, count in sorted(manifest.deviations.items()):
        name = shown(deviation_name(deviation, words))
        yield words["sheet.finding.deviation"], None, name, count, pages, None


def _dangling(cell: Cell, words: Labels) -> Iterable[tuple[Value, ...]]:
    finding, rows = words["sheet.finding.reference"], words["sheet.unit.rows"]
    for count in cell.references:
        target = words.say("sheet.target", name=escaped(count.target))
        if count.dangling:
            yield finding, escaped(count.field), target, count.dangling, rows, _keys(count.samples)
        if count.late:
            late = words.say("sheet.target_late", name=escaped(count.target))
            yield finding, escaped(count.field), late, count.late, rows, _keys(count.late_samples)


def _keys(samples: Iterable[NamedKey]) -> str:
    return "  ".join(f"{shown(each.key)} > {shown(each.named)}".rstrip(" >") for each in samples)

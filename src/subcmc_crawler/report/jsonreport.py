"""The night as JSON: the contract `subcmc.report/1`, for programs.

Fields are only ever added within schema 1. Times carry +08:00; texts of a province are masked and escaped.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

import orjson

from subcmc_crawler.model import (
    Acceptance,
    Comparison,
    Counts,
    Manifest,
    NamedKey,
    ReferenceCount,
    RuleBreak,
    RunRecord,
    State,
)
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell, Headline, Report
from subcmc_crawler.report.sentences import epoch_time, local

SCHEMA: Final = "subcmc.report/1"

_STATES: Final = {State.COLLECTING: State.NONE, State.ROLLING_BACK: State.ROLLED_BACK}
"""States of a walk in motion, as the contract's four states."""


def to_json(report: Report) -> bytes:
    """The report as UTF-8 JSON, indented, with a newline at its end."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "run": _run(report.run),
        "summary": {str(verdict): count for verdict, count in report.summary.items()},
        "headline": _headline(report.headline),
        "provinces": [
            {"cmcId": escaped(province.cmc_id), "province": escaped(province.name)}
            for province in report.provinces
        ],
        "cells": [_cell(cell) for cell in report.cells],
        "notices": [shown(notice) for notice in report.run.notices],
        "resume": [escaped(cell.name) for cell in report.resumable],
    }
    return _dumped(document)


def _dumped(document: dict[str, object]) -> bytes:
    """A province may declare a number of any length: what passes 64 bits takes the slower encoder."""
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
        return f"{text}\n".encode()


def _run(run: RunRecord) -> dict[str, object]:
    return {
        "number": run.number,
        "startedAt": _time(run.started_at),
        "finishedAt": _time(run.finished_at),
        "status": str(run.status),
        "selection": [escaped(name) for name in run.selection],
        "registry": escaped(run.registry),
        "version": escaped(run.version),
    }


def _headline(head: Headline) -> dict[str, object]:
    return {
        "clean": head.clean,
        "provinces": head.provinces,
        "cells": head.cells,
        "published": head.published,
        "held": head.held,
        "rolledBack": head.rolled_back,
        "unregistered": head.unregistered,
        "pending": head.pending,
        "accepted": head.accepted,
        "notClean": head.not_clean,
        "newFaults": head.new_faults,
        "recovered": head.recovered,
        "tolerated": head.tolerated,
        "undeclared": head.undeclared,
        "declared": head.declared,
        "received": head.received,
        "stored": head.stored,
        "added": head.added,
        "changed": head.changed,
        "removed": head.removed,
        "flagged": head.flagged,
        "quarantined": head.quarantined,
        "attempts": head.attempts,
        "bytes": head.bytes,
        "restSeconds": head.rest_seconds,
        "seconds": head.seconds,
    }


def _cell(cell: Cell) -> dict[str, object]:
    manifest = cell.manifest
    return {
        "cmcId": escaped(manifest.cmc_id),
        "province": escaped(manifest.province),
        "dataset": escaped(manifest.dataset),
        "verdict": None if manifest.verdict is None else str(manifest.verdict),
        "state": str(_STATES.get(manifest.state, manifest.state)),
        **_counts(manifest.counts),
        **_work(manifest),
        "address": None if manifest.address is None else escaped(manifest.address),
        "deadAddresses": [shown(line) for line in manifest.dead_addresses],
        "pageSize": manifest.page_size,
        "clamped": manifest.clamped,
        "digest": manifest.digest,
        "reason": shown(manifest.reason),
        "reasonCode": escaped(str(manifest.reason_code)),
        "reasonValues": _reason_values(manifest),
        "clean": cell.clean,
        "tolerated": cell.tolerated,
        "since": str(cell.since),
        "faultyRuns": cell.faulty_runs,
        "inForce": cell.in_force,
        "base": manifest.base,
        "accepted": _acceptance(manifest.accepted),
        "rules": [_rule(rule) for rule in manifest.rules],
        "drift": {shown(name): rows for name, rows in manifest.drift.items()},
        "deviations": {shown(name): pages for name, pages in manifest.deviations.items()},
        "faults": {shown(kind): attempts for kind, attempts in manifest.faults.items()},
        "references": [_reference(count) for count in cell.references],
        "comparison": None if cell.comparison is None else comparison_json(cell.comparison),
    }


def _counts(counts: Counts) -> dict[str, int | None]:
    return {
        "declared": counts.declared,
        "declaredFirst": counts.declared_first,
        "received": counts.received,
        "distinct": counts.distinct,
        "repeated": counts.repeated,
        "conflicting": counts.conflicting,
        "quarantined": counts.quarantined,
        "flagged": counts.flagged,
        "missing": counts.missing,
        "stored": counts.stored,
        "added": counts.added,
        "changed": counts.changed,
        "removed": counts.removed,
        "unchanged": counts.unchanged,
        "pushed": counts.pushed,
    }


def _work(manifest: Manifest) -> dict[str, object]:
    return {
        "passes": manifest.passes,
        "storedPass": manifest.stored_pass,
        "endings": [escaped(str(ending)) for ending in manifest.endings],
        "pages": manifest.pages,
        "attempts": manifest.attempts,
        "bytes": manifest.bytes,
        "seconds": manifest.seconds,
        "restSeconds": manifest.rest_seconds,
        "slowestRate": manifest.slowest_rate,
        "startedAt": _time(manifest.started_at),
        "finishedAt": _time(manifest.finished_at),
        "collectTimeMin": _collected(manifest.collect_time_min),
        "collectTimeMax": _collected(manifest.collect_time_max),
    }


def _reason_values(manifest: Manifest) -> dict[str, int | str]:
    return {
        escaped(name): shown(value) if isinstance(value, str) else value
        for name, value in manifest.reason_values.items()
    }


def _acceptance(accepted: Acceptance | None) -> dict[str, object] | None:
    if accepted is None:
        return None
    return {"by": shown(accepted.by), "at": _time(accepted.at), "reason": shown(accepted.reason)}


def _rule(rule: RuleBreak) -> dict[str, object]:
    return {
        "field": escaped(rule.field),
        "rule": escaped(rule.rule),
        "rows": rule.rows,
        "samples": [shown(sample) for sample in rule.samples],
    }


def _reference(count: ReferenceCount) -> dict[str, object]:
    return {
        "field": count.field,
        "target": count.target,
        "asOf": count.as_of,
        "targetAsOf": count.target_as_of,
        "records": count.records,
        "absent": count.absent,
        "dangling": count.dangling,
        "samples": [_named(sample) for sample in count.samples],
        "late": count.late,
        "lateSamples": [_named(sample) for sample in count.late_samples],
    }


def comparison_json(comparison: Comparison) -> dict[str, object]:
    """What was pushed beside what was pulled, as a cell of the report has it."""
    return {
        "snapshot": comparison.snapshot,
        "declared": comparison.declared,
        "pushed": comparison.pushed,
        "pulled": comparison.pulled,
        "equal": comparison.equal,
        "differing": comparison.differing,
        "onlyPushed": comparison.only_pushed,
        "onlyPulled": comparison.only_pulled,
        "unusable": comparison.unusable,
        "foreign": comparison.foreign,
        "fields": {escaped(name): keys for name, keys in comparison.fields.items()},
        "differingKeys": [
            {"key": shown(each.key), "fields": [escaped(name) for name in each.fields]}
            for each in comparison.differing_keys
        ],
        "onlyPushedKeys": [shown(key) for key in comparison.only_pushed_keys],
        "onlyPulledKeys": [shown(key) for key in comparison.only_pulled_keys],
        "sure": comparison.sure,
        "endings": [escaped(ending) for ending in comparison.endings],
        "fault": shown(comparison.fault),
        "detail": shown(comparison.detail),
        "seconds": comparison.seconds,
        "at": _time(comparison.at),
    }


def _named(sample: NamedKey) -> dict[str, str]:
    return {"key": shown(sample.key), "named": shown(sample.named)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else local(at).isoformat(timespec="milliseconds")


def _collected(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else _time(epoch_time(milliseconds))

"""The commands that read nights: runs, show, diff, history, export, verify; and accept."""

from __future__ import annotations

import getpass
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from subcmc_crawler import gathering
from subcmc_crawler.cli.common import (
    cell_of,
    color,
    dataset_of,
    note,
    own_file,
    run_number,
    say,
    settings,
    spare_the_collector,
    store,
)
from subcmc_crawler.config import Settings
from subcmc_crawler.errors import NotFound
from subcmc_crawler.model import Acceptance, Manifest, References, RunRecord, State
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.labels import Labels, labels
from subcmc_crawler.report.night import DiffRow, HistoryRow, build
from subcmc_crawler.report.sentences import BEIJING
from subcmc_crawler.report.text import to_cell_text, to_diff_text, to_history_text, to_runs_text
from subcmc_crawler.spec.personal import mask_key
from subcmc_crawler.store import Database
from subcmc_crawler.store import reading as stored
from subcmc_crawler.store import runs as nights
from subcmc_crawler.store.watching import find_run

_MOST_KEYS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How output is wanted."""

    lang: str | None = None
    json: bool = False

    def settings(self) -> Settings:
        """The settings of this process in that language."""
        return settings(lang=self.lang)


async def runs(view: View, limit: int) -> int:
    """Lists the last runs."""
    chosen = view.settings()
    async with store(chosen) as db:
        found = await nights.list_runs(db, limit)
    if view.json:
        say(_json({"schema": "subcmc.runs/1", "runs": [_run_json(run) for run in found]}))
    else:
        say(to_runs_text(found, chosen.lang))
    return 0


async def show(view: View, run: str, cell: str) -> int:
    """Everything that is known of one walk."""
    chosen = view.settings()
    async with store(chosen) as db:
        number = await run_number(db, run)
        manifest = await nights.get_manifest(db, number, *await cell_of(db, cell))
        past = await gathering.past_of(db, manifest)
        found = await gathering.detail(db, manifest, past=past)
        run_of_it = await nights.get_run(db, number)
    if view.json:
        counted = References(run=manifest.run, cmc_id=manifest.cmc_id, counts=found.references)
        compared = {(manifest.cmc_id, manifest.dataset): found.comparison} if found.comparison else {}
        built = build(
            run_of_it,
            [manifest],
            previous=past,
            references={manifest.cmc_id: counted},
            comparisons=compared,
        )
        say(to_json(built).decode())
        return 0
    say(
        to_cell_text(
            manifest,
            attempts=found.attempts,
            pages=found.pages,
            past=past,
            references=found.references,
            comparison=found.comparison,
            lang=chosen.lang,
            color=color(),
        )
    )
    return 0


async def diff(view: View, old: str, new: str, *, province: str | None, dataset: str | None) -> int:
    """What changed between the published snapshots of two runs."""
    chosen = view.settings()
    async with store(chosen) as db:
        first, second = sorted((await run_number(db, old), await run_number(db, new)))
        cmc_id = await nights.resolve_province(db, province) if province else None
        wanted = dataset_of(dataset) if dataset else None
        rows = []
        for head in await nights.heads(db, second):
            if (cmc_id and head.cmc_id != cmc_id) or (wanted and head.dataset != wanted):
                continue
            before = await nights.published_as_of(db, first, head.cmc_id, head.dataset)
            base = before.run if before else 0
            changes = await stored.differences(db, head.dataset, head.cmc_id, base, head.run)
            rows.append(_diff_row(head, changes))
    if view.json:
        say(
            _json(
                {
                    "schema": "subcmc.diff/1",
                    "from": first,
                    "to": second,
                    "cells": [_diff_json(r) for r in rows],
                }
            )
        )
    else:
        say(to_diff_text(rows, from_run=first, to_run=second, lang=chosen.lang, most_keys=_MOST_KEYS))
    return 0


async def history(view: View, cell: str, key: str) -> int:
    """Every version of one record."""
    chosen = view.settings()
    async with store(chosen) as db:
        cmc_id, dataset = await cell_of(db, cell)
        versions = await stored.history(db, dataset, cmc_id, key)
        began = {run.number: run.started_at for run in await nights.list_runs(db, 0)}
    rows = [
        HistoryRow(
            from_run=version.start,
            to_run=version.end,
            hash=version.hash,
            started_at=began.get(version.start),
            changed=_changed(versions[index - 1].record, version.record) if index else (),
            state=version.state.value,
        )
        for index, version in enumerate(versions)
    ]
    if view.json:
        say(_json({"schema": "subcmc.history/1", "versions": [_history_json(row) for row in rows]}))
    else:
        name = f"{cmc_id}/{dataset} {mask_key(dataset, key)}"
        say(to_history_text(rows, name=name, lang=chosen.lang))
    return 0


async def export(
    view: View, cell: str, *, run: str | None, distinct: bool, held: bool, output: Path | None
) -> int:
    """Writes a snapshot as JSON Lines, with nothing masked."""
    spare_the_collector()
    chosen = view.settings()
    words = labels(chosen.lang)
    async with store(chosen) as db:
        cmc_id, dataset = await cell_of(db, cell)
        number = await run_number(db, run)
        manifest = await _exportable(db, number, cmc_id, dataset, held=held)
        note(words.say("export.unmasked", run=manifest.run, name=f"{cmc_id}/{dataset}"))
        read = stored.distinct_records if distinct else stored.exported_pages
        count = await _write(read(db, manifest), output)
    note(words.say("export.rows", rows=count))
    return 0


async def verify(view: View, run: str | None) -> int:
    """Hashes every stored record again and holds it against what was published.

    NotFound when the run was pruned meanwhile: what was not looked at by then is gone.
    """
    spare_the_collector()
    chosen = view.settings()
    words, good, broken = labels(chosen.lang), 0, 0
    async with store(chosen) as db:
        number = await run_number(db, run)
        heads = await nights.heads(db, number)
        for manifest in heads:
            try:
                proof = await stored.prove(db, manifest)
            except NotFound:
                continue  # neither good nor broken
            if proof.holds(manifest):
                good += 1
            else:
                broken += 1
                say(_differs(manifest, proof, words))
        # a run goes before its snapshots: some may not be in `heads`
        pruned = await find_run(db, number) is None
    if not pruned:
        say(words.say("verify.summary", good=good, heads=len(heads), run=number))
        return 1 if good < len(heads) else 0
    told = words.say("verify.pruned", good=good, run=number)
    if not broken:
        raise NotFound(told)
    note(told)
    return 1


def _differs(manifest: Manifest, proof: stored.Proof, words: Labels) -> str:
    told = words.say(
        "verify.differs",
        run=manifest.run,
        name=f"{manifest.cmc_id}/{manifest.dataset}",
        rows=proof.rows,
        digest=proof.digest[:12],
        published=manifest.counts.distinct,
        expected=str(manifest.digest)[:12],
    )
    keys = [mask_key(manifest.dataset, key) for key in proof.damaged[:5]]
    return told + words.say("verify.damaged", keys=words["list.separator"].join(keys)) if keys else told


async def accept(view: View, run: str, cell: str, *, digest: str, reason: str, by: str | None) -> int:
    """Publishes a held snapshot."""
    if not reason.strip():
        raise NotFound('an acceptance needs a reason: --reason "..."')
    chosen = view.settings()
    async with store(chosen) as db:
        manifest = await nights.get_manifest(db, await run_number(db, run), *await cell_of(db, cell))
        acceptance = Acceptance(by=by or getpass.getuser(), at=datetime.now(UTC), reason=reason.strip())
        published = await nights.accept(db, manifest, digest=digest, acceptance=acceptance)
    say(to_cell_text(published, lang=chosen.lang, color=color()))
    return 0


async def _exportable(db: Database, number: int, cmc_id: str, dataset: str, *, held: bool) -> Manifest:
    if held:
        manifest = await nights.get_manifest(db, number, cmc_id, dataset)
        if manifest.state is State.HELD:
            return manifest
        raise NotFound(f"run {number} {cmc_id}/{dataset} is {manifest.state}, not held: leave --held out")
    published = await nights.published_as_of(db, number, cmc_id, dataset)
    if published is None:
        raise NotFound(f"{cmc_id}/{dataset} has no published snapshot up to run {number}")
    return published


async def _write(batches: AsyncIterator[list[Any]], output: Path | None) -> int:
    """Writes rows, to a file that only its owner can read, or to standard output; gives their count."""
    if output is None:
        return await _lines(batches, sys.stdout.buffer.write)
    with own_file(output) as file:
        return await _lines(batches, file.write)


async def _lines(batches: AsyncIterator[list[Any]], write: Callable[[bytes], Any]) -> int:
    count = 0
    async for rows in batches:
        write(stored.to_lines(rows))
        count += len(rows)
    return count


def _diff_row(head: Manifest, changes: list[stored.KeyChange]) -> DiffRow:
    kinds = [change.change for change in changes]
    return DiffRow(
        cmc_id=head.cmc_id,
        dataset=head.dataset,
        added=kinds.count("added"),
        changed=kinds.count("changed"),
        removed=kinds.count("removed"),
        in_force=head.run,
        keys=tuple((each.change, mask_key(head.dataset, each.key)) for each in changes[: _MOST_KEYS + 1]),
    )


def _changed(before: Any, after: Any) -> tuple[str, ...]:
    """The fields in which two versions of a record differ."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ()
    missing = object()
    names = {**before, **after}
    return tuple(name for name in names if before.get(name, missing) != after.get(name, missing))


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _time(at: datetime | None) -> str | None:
    return at.astimezone(BEIJING).isoformat(timespec="seconds") if at else None


def _run_json(run: RunRecord) -> dict[str, Any]:
    return {
        "number": run.number,
        "status": run.status.value,
        "startedAt": _time(run.started_at),
        "finishedAt": _time(run.finished_at),
        "summary": dict(run.summary),
        "selection": list(run.selection),
    }


def _diff_json(row: DiffRow) -> dict[str, Any]:
    return {
        "cmcId": row.cmc_id,
        "dataset": row.dataset,
        "added": row.added,
        "changed": row.changed,
        "removed": row.removed,
    }


def _history_json(row: HistoryRow) -> dict[str, Any]:
    return {
        "from": row.from_run,
        "to": row.to_run,
        "hash": row.hash,
        "startedAt": _time(row.started_at),
        "changed": list(row.changed),
        "state": row.state,
    }

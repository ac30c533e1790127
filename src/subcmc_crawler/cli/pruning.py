"""`subcmc prune`."""

from __future__ import annotations

from functools import partial

import orjson

from subcmc_crawler.cli.common import say, settings, store
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.lines import table
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.lease import under_lease
from subcmc_crawler.store.pruning import Pruned
from subcmc_crawler.store.pruning import prune as remove


async def prune(keep_runs: int, *, dry_run: bool, json: bool, lang: str | None) -> int:
    """Removes what no kept run can see, and prints how much that was."""
    chosen = settings(lang=lang)
    async with store(chosen) as db:
        removing = partial(remove, db, keep_runs, dry_run=dry_run)
        # looking takes no lease, so that it is possible while a crawl runs, and for a user who may only read
        pruned = await (removing() if dry_run else under_lease(db, chosen.lease_seconds, removing))
    say(_json(pruned, dry_run=dry_run) if json else _text(pruned, dry_run=dry_run, lang=chosen.lang))
    return 0


def _text(pruned: Pruned, *, dry_run: bool, lang: str) -> str:
    words = labels(lang)
    versions = [(words["prune.versions"], sum(pruned.versions.values()))]
    versions += [(f"  {code}", count) for code, count in pruned.versions.items() if count]
    rows = [
        (words["prune.runs"], pruned.runs),
        (words["prune.snapshots"], pruned.snapshots),
        (words["prune.held"], pruned.held),
        *versions,
        (words["prune.ledger"], pruned.ledger),
        (words["prune.quarantine"], pruned.quarantine),
        (words["prune.references"], pruned.references),
        (words["prune.comparisons"], pruned.comparisons),
    ]
    heads = (words["prune.collection"], words["prune.planned" if dry_run else "prune.removed"])
    lines = table(heads, [(name, f"{count:,}") for name, count in rows], aligns="lr", width=60)
    return "\n".join([words.say("prune.kept", oldest=pruned.oldest), "", *lines])


def _json(pruned: Pruned, *, dry_run: bool) -> str:
    document = {
        "schema": "subcmc.prune/1",
        "dryRun": dry_run,
        "oldestKeptRun": pruned.oldest,
        "removed": {
            "runs": pruned.runs,
            "snapshots": pruned.snapshots,
            "held": pruned.held,
            "versions": {code: pruned.versions[code] for code in DATASETS},
            "ledger": pruned.ledger,
            "quarantine": pruned.quarantine,
            "references": pruned.references,
            "comparisons": pruned.comparisons,
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()

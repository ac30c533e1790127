"""English words of the commands that look after the store, and of the lines beside a crawl."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "status.never": "no whole run has finished yet",
    "status.last": "run {number} finished {finished}, {age} ago",
    "status.latest": "the latest run, {number}, began {started}: {status}",
    "status.stale": "stale: {name}: in force since run {run}, {age} old",
    "status.hours": "{hours:.1f} h",
    "verify.differs": "run {run} {name}: {rows:,} record{rows:|s}, digest {digest}; "
    "published: {published:,}, digest {expected}",
    "verify.damaged": "; damaged: {keys}",
    "verify.summary": "{good} of {heads} snapshot{heads:|s} in force as of run {run} "
    "{good:is|are} what was published",
    "verify.pruned": "run {run} was pruned while it was verified: {good} of its snapshots {good:was|were} what was "
    "published, of the others nothing can be told any more",
    "crawl.waiting": "waiting for the window that opens at {opening}",
    "crawl.local_mongod": "MONGODB_URI is not set: using a local mongod over {folder} "
    "(for a first look, not production)",
    "crawl.shard_ended": "shard {shard} has ended; run {run} waits for shard {waiting}: the last one to end reports",
    "crawl.metrics_failed": "the metrics file {file} cannot be written: {fault}",
    "export.unmasked": "exporting run {run} {name}: personal data are not masked in an export",
    "export.rows": "{rows:,} row{rows:|s}",
    "dry.province": "province",
    "dry.cmc_id": "cmcId",
    "dry.window": "window",
    "dry.rate": "requests/s",
    "dry.in_flight": "in flight",
    "dry.datasets": "datasets",
    "dry.addresses": "addresses",
}

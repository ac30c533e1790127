"""What `subcmc prune` says, in English."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "prune.kept": "Run {oldest} and all later ones are kept; of earlier ones, the snapshots still in force.",
    "prune.collection": "what",
    "prune.removed": "removed",
    "prune.planned": "would be removed",
    "prune.runs": "runs",
    "prune.snapshots": "manifests of snapshots",
    "prune.held": "held snapshots given up",
    "prune.versions": "versions of records",
    "prune.ledger": "ledger",
    "prune.quarantine": "rows in quarantine",
    "prune.references": "counts of references",
    "prune.comparisons": "comparisons with pushes",
}

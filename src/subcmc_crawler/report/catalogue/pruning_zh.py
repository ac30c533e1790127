"""What `subcmc prune` says, in Chinese."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "prune.kept": "保留第 {oldest} 批次及以后的全部批次；更早的只保留仍在生效的快照。",
    "prune.collection": "内容",
    "prune.removed": "已清除（条）",
    "prune.planned": "将清除（条）",
    "prune.runs": "批次",
    "prune.snapshots": "快照清单",
    "prune.held": "放弃的扣留快照",
    "prune.versions": "记录版本",
    "prune.ledger": "台账",
    "prune.quarantine": "隔离行",
    "prune.references": "引用核对结果",
    "prune.comparisons": "推送比对结果",
}

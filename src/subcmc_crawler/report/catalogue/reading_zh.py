"""Chinese words of the commands that look after the store, and of the lines beside a crawl."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "status.never": "还没有完整批次完成过。",
    "status.last": "第 {number} 批次于 {finished} 完成，距今 {age}",
    "status.latest": "最近的第 {number} 批次（{started} 开始）：{status}",
    "status.stale": "过期：{name} 仍以第 {run} 批次的快照为准，已有 {age}",
    "status.hours": "{hours:.1f} 小时",
    "verify.differs": "不符：第 {run} 批次 {name}：现有 {rows:,} 条，摘要 {digest}；"
    "发布时 {published:,} 条，摘要 {expected}",
    "verify.damaged": "；受损：{keys}",
    "verify.summary": "截至第 {run} 批次，{heads} 个现行快照中有 {good} 个与发布时一致",
    "verify.pruned": "第 {run} 批次在校验期间被清理：其中 {good} 个快照已确认与发布时一致，其余已无从校验",
    "crawl.waiting": "等待时段开启：{opening}",
    "crawl.local_mongod": "未设置 MONGODB_URI：使用本机 mongod，数据目录 {folder}（仅供试用，不可用于生产）",
    "crawl.shard_ended": "分片 {shard} 已结束，批次 {run} 仍在等待分片 {waiting}；最后结束的分片给出报告",
    "crawl.metrics_failed": "指标文件 {file} 无法写入：{fault}",
    "export.unmasked": "导出第 {run} 批次 {name}：导出内容中的个人信息未脱敏",
    "export.rows": "{rows:,} 行",
    "dry.province": "省级中心",
    "dry.cmc_id": "cmcId",
    "dry.window": "时段",
    "dry.rate": "每秒请求",
    "dry.in_flight": "并发页",
    "dry.datasets": "数据集",
    "dry.addresses": "拉取地址",
}

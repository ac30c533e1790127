"""Chinese words of the plan of a night."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "plan.title": "抓取计划  {opening} 至 {closing}  {zone}",
    "plan.slots": "{provinces} 个省级中心，同时最多 {slots} 个",
    "plan.empty": "没有登记任何省级中心。",
    "plan.province": "省级中心",
    "plan.cmc_id": "cmcId",
    "plan.window": "时段",
    "plan.start": "开始",
    "plan.wait": "等候空位",
    "plan.lasts": "预计历时",
    "plan.ends": "预计结束",
    "plan.estimated": "~ 未在完整批次中抓取过，取其余省级中心的中位数",
    "plan.no_history": "尚无已完成的完整批次，或未查询历史：历时、结束时间与并发数未知。",
    "plan.load": "同时抓取的省级中心数（每刻钟的最大值）",
    "plan.late": "警告：{province}（{cmc_id}）将无法在时段内完成：预计 {end} 结束，时段于 {closing} 关闭。",
}

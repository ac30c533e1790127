"""Labels of the comparison of pushes with pulls in Chinese."""

from typing import Final

LABELS: Final = {
    "compare.title": "推送与抓取比对（不影响结论）",
    "compare.night": "已比对 {compared:,} 个数据集：{same:,} 个一致，{different:,} 个有差异；{failed:,} 个未能比对。",
    "compare.sums": "差异合计：仅推送 {only_pushed:,} 条，仅抓取 {only_pulled:,} 条，内容不同 {differing:,} 条。",
    "compare.legend": "仅抓取：省级中心有而未推送；仅推送：部级平台有而拉取接口未返回。请转告省级中心核对。",
    "compare.same": "推送 {pushed:,} 条，抓取 {pulled:,} 条，逐条一致",
    "compare.different": "推送 {pushed:,} 条，抓取 {pulled:,} 条：仅推送 {only_pushed:,}，仅抓取 {only_pulled:,}，"
    "内容不同 {differing:,}，一致 {equal:,}",
    "compare.no_snapshot": "推送 {pushed:,} 条；尚无可对照的抓取快照",
    "compare.no_base": "尚无可对照的抓取快照",
    "compare.fault": "部级平台查询接口未能查完：{fault}",
    "compare.stopped": "部级平台查询接口未查完：被中止或超过时限（overtime_minutes）",
    "compare.cells": "{fault}：{cells:,} 个（{names}）",
    "compare.entry": "{province} {name}：{sentence}",
    "compare.more": "另有 {left:,} 个有差异，见 JSON 报告。",
    "compare.older": "对照的是第 {run} 批次的快照（本批次没有完整快照）",
    "compare.unsure": "查询接口遍历未能自证：{ending}，差异仅供参考",
    "compare.unusable": "推送数据中有 {rows:,} 行没有可用的主键，未参与比对",
    "compare.foreign": "推送数据中有 {rows:,} 行带有其他省的 cmcId，未参与比对",
    "compare.fields": "内容不同的字段：{fields}",
    "compare.field": "{field} {keys:,} 条",
    "compare.only_pushed": "仅推送的主键（已脱敏，{count:,} 条中的 {listed:,} 条）：{keys}",
    "compare.only_pulled": "仅抓取的主键（已脱敏，{count:,} 条中的 {listed:,} 条）：{keys}",
    "compare.differing": "内容不同的主键（已脱敏，{count:,} 条中的 {listed:,} 条）：{keys}",
    "compare.key_fields": "{name}（{fields}）",
    "compare.command": "第 {run} 批次：推送与抓取比对",
    "compare.nothing": "该批次没有可比对的数据集。",
    "detail.places": "响应中找不到数据行，请在登记表 [ministry] 中用 rows 和 total 指明其位置",
    "detail.shape": "在 {text} 处找不到数据行，请核对登记表 [ministry] 中的 rows 和 total",
}
"""Key -> text; both languages have the same keys with the same placeholders."""

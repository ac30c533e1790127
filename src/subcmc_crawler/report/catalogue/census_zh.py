"""Labels of the census of declared counts in Chinese."""

from typing import Final

LABELS: Final = {
    "census.title": "各省各数据集申报的记录数（{at}）",
    "census.told": "{provinces} 个省、{cells} 个数据集：{declared} 个已申报，{failed} 个未能取得，{off} "
    "个未登记或停用。",
    "census.province": "省级中心",
    "census.sum": "合计",
    "census.fault": "未取得",
    "census.undeclared": "未申报",
    "census.off": "-",
    "census.failed": "未能取得的",
    "census.entry": "{province} {cmc_id}：{names}：{fault}",
    "census.partial": "合计不含未能取得的数据集。",
    "census.no_total": "响应中没有可用的 total",
    "census.begins": "将向 {provinces} 个省发出共至多 {most} 次请求，不看时段，不读写数据库。",
}
"""Key -> text; both languages have the same keys with the same placeholders."""

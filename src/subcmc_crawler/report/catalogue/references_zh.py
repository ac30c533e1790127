"""Labels of references between datasets in Chinese."""

from typing import Final

LABELS: Final = {
    "references.title": "跨数据集引用（不影响结论）",
    "references.field": "字段",
    "references.target": "指向",
    "references.records": "记录数",
    "references.absent": "未填",
    "references.dangling": "指向不存在",
    "references.late": "早于上级返回",
    "references.target_as_of": "对照批次",
    "references.samples": "{field} 指向不存在的记录，样例（已脱敏）：",
    "references.late_samples": "{field} 所指的上级在其后才返回（2.2.1.4），样例（已脱敏）：",
    "references.no_key": "（不能作主键的值）",
}
"""Key -> text; both languages have the same keys with the same placeholders."""

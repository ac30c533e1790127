"""Labels of what a larger night needs, in Chinese."""

from typing import Final

LABELS: Final = {
    "capacity.title": "{centres:,} 个中心、每个 {rows:,} 行的一夜，时段长 {window}",
    "capacity.total": "共 {rows:,} 行，{requests:,} 次请求，{size}，写入 {writes:,} 个文档，CPU 时间 {cpu}。",
    "capacity.resource": "资源",
    "capacity.need": "需要量",
    "capacity.time": "用时",
    "capacity.share": "占时段",
    "capacity.pace": "单个中心的节奏",
    "capacity.slots": "工作进程的并发位",
    "capacity.cpu": "工作进程的 CPU",
    "capacity.line": "批次总带宽",
    "capacity.mongodb": "MongoDB",
    "capacity.need_pace": "单个中心 {amount} 次请求，按其节奏",
    "capacity.need_slots": "并发位合计 {amount}，由各工作进程分担",
    "capacity.need_cpu": "CPU 时间合计 {amount}，由各工作进程分担",
    "capacity.need_line": "{amount}，受 max_run_bytes_per_second 限制",
    "capacity.need_mongodb": "{amount} 个文档",
    "capacity.enough": "{workers:,} 个工作进程（各占一个核、{memory:,} MB 内存）可在 {seconds} 内完成。"
    "最先用尽的是：{resource}。",
    "capacity.too_few": "{workers:,} 个工作进程需 {seconds}，超出时段，不足的是：{resource}。请增加工作进程。",
    "capacity.never": "无论多少工作进程都无法在时段内完成：{resource} 需 {seconds}。",
    "capacity.advice_pace": "单个中心自身就需这么久：须与其商定提高 requests_per_second 或 page_size；"
    "增加工作进程无济于事。",
    "capacity.advice_slots": "可调大 max_provinces：只多占内存，直至 CPU 用尽。",
    "capacity.advice_cpu": "增加工作进程即可。",
    "capacity.advice_line": "须提高 max_run_bytes_per_second；增加工作进程无济于事。",
    "capacity.advice_mongodb": "须用 MongoDB 分片集群或更快的磁盘；增加工作进程无济于事，见 docs/scale.md。",
    "capacity.measured": "依据批次 {runs} 的实际开销。",
    "capacity.measured_without_cpu": "依据批次 {runs} 的实际开销；其 CPU 时间未知，"
    "按参考机器计（见 docs/scale.md）。",
    "capacity.reference": "尚无完成的批次，或未予查看：按参考机器的数据计（见 docs/scale.md）。",
}

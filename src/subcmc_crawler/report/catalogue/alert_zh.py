"""Chinese words of the nightly digest."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "alert.cell": "{province} {dataset}",
    "alert.cells": "{province} {datasets} 个数据集",
    "alert.rows": " {rows:,} 行",
    "alert.problems": "{first}；另有 {left} 项",
    "alert.recovered": "恢复 {recovered} 个",
    "alert.recovered_first": "已恢复：{first}",
    "alert.recovered_more": "已恢复：{first}；另有 {left} 个",
    "alert.pending": "{pending} 个数据集尚无结论",
    "alert.unfinished": "第 {number} 批次{status}",
    "alert.more": "... 其余从略：{command}",
    "alert.page": "看板：{url}",
    "alert.stale_never": "尚无任何完整批次完成",
    "alert.stale_run": "{hours} 小时没有完整批次完成（最近为第 {number} 批次）",
    "alert.test": "测试：告警通道可用",
    "alert.test_text": "这是 subcmc alert --test 发出的测试消息，不涉及任何批次。",
    "alert.none": "第 {number} 批次没有需要告警的内容，未发送。",
    "alert.sent": "已发送至{name} {where}",
    "alert.webhook": " webhook",
    "alert.mail": "邮件服务器",
    "fault.smtp": "邮件服务器答复 {status}",
    "fault.refused-recipients": "有收件人被邮件服务器拒绝",
    "fault.no-starttls": "邮件服务器不支持所要求的 STARTTLS 或认证方式",
    "fault.secret": "口令文件或环境变量不可用",
    "fault.internal": "本程序出错，详见日志",
    "notice.unverified": "{province}：未校验 TLS 证书",
    "notice.unalerted": "告警未能送达{name} {where}：{fault}",
}

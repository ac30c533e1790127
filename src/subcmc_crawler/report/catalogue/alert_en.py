"""English words of the nightly digest."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "alert.cell": "{province} {dataset}",
    "alert.cells": "{province} {datasets} dataset{datasets:|s}",
    "alert.rows": " {rows:,} row{rows:|s}",
    "alert.problems": "{first}; and {left} more",
    "alert.recovered": "{recovered} recovered",
    "alert.recovered_first": "recovered: {first}",
    "alert.recovered_more": "recovered: {first}; and {left} more",
    "alert.pending": "{pending} dataset{pending:|s} without a verdict",
    "alert.unfinished": "run {number} {status}",
    "alert.more": "... the rest is left out: {command}",
    "alert.page": "Dashboard: {url}",
    "alert.stale_never": "no whole run has finished yet",
    "alert.stale_run": "no whole run has finished for {hours} h (the last one was run {number})",
    "alert.test": "test: the alert channels work",
    "alert.test_text": "This is a test message from subcmc alert --test; it is about no run.",
    "alert.none": "run {number} has nothing to tell: nothing was sent.",
    "alert.sent": "sent to {name} {where}",
    "alert.webhook": "the webhook",
    "alert.mail": "the mail server",
    "fault.smtp": "the mail server answered {status}",
    "fault.refused-recipients": "the mail server refused recipients",
    "fault.no-starttls": "the mail server lacks the STARTTLS or the authentication that is demanded",
    "fault.secret": "the file or variable of the password cannot be used",
    "fault.internal": "this program failed; see its log",
    "notice.unverified": "{province}: TLS certificates are not verified",
    "notice.unalerted": "the alert did not reach {name} {where}: {fault}",
}

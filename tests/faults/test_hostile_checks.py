"""A check survives whatever a province answers, within the requests that it announced, and can be told.

All of them: `HOSTILE_CHECKS=all pytest tests/faults/test_hostile_checks.py`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

from hostile_bodies import body_cases
from hostile_envelopes import envelope_cases
from hostile_json import json_cases
from hostile_paging import paging_cases
from hostile_province import Case, Line
from hostile_wire import wire_cases

from subcmc_crawler.checking import check_province
from subcmc_crawler.conformance.checks import Scorecard
from subcmc_crawler.province.registry import Province, parse
from subcmc_crawler.report.html.checks import to_check_html
from subcmc_crawler.report.json_check import to_check_json
from subcmc_crawler.report.text_check import to_check_text

EVERY = [*wire_cases(), *body_cases(), *envelope_cases(), *paging_cases(), *json_cases(40)]
BODILESS = [case for case in EVERY if case.name in ("wire.status-101", "wire.status-204", "wire.status-304")]
CASES = EVERY if os.environ.get("HOSTILE_CHECKS") == "all" else [*BODILESS, *EVERY[5::30]]
AT_ONCE = 6


def registered(port: int) -> Province:
    text = (
        "[defaults]\npage_size = 4\nrequests_per_second = 0\nrequest_timeout_seconds = 1\n[[province]]\n"
        f'cmcId = "620000"\nareaCode = "620000"\nname = "甘肃省"\npullAddressList = ["http://127.0.0.1:{port}"]\n'
    )
    return parse(text).provinces[0]


async def checked(case: Case) -> tuple[Scorecard, int]:
    """The scorecard of a province that answers everything so, and how many requests it saw."""
    requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        # a script knows no page that has no number; cancelled, it has nothing to tell
        with suppress(OSError, asyncio.IncompleteReadError, AssertionError, asyncio.CancelledError):
            while not writer.transport.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                requests += 1
                await case.script(Line(writer, head, requests))
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        province = registered(server.sockets[0].getsockname()[1])
        card = await check_province(province, Path(), now=lambda: datetime.now(ZoneInfo("Asia/Shanghai")))
    return card, requests


async def test_every_hostile_answer_has_its_scorecard_within_what_was_announced() -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with turns:
            try:
                card, requests = await checked(case)
                told = [to_check_text(card), to_check_html(card).decode(), to_check_json(card).decode()]
            except Exception as error:
                raise AssertionError(case.name) from error
        assert requests <= len(card.seen) <= card.most, case.name
        assert all("甘肃省" in text for text in told), case.name

    with patch("ssl.SSLContext.load_default_certs"):
        await asyncio.gather(*map(one, CASES))
    assert len(BODILESS) == 3
    assert len(CASES) > 20

"""Asks a province the questions of a check, at its pace and with every limit of a crawl; stores nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from subcmc_crawler.conformance.checks import Scorecard, assess
from subcmc_crawler.conformance.planning import most_requests, plan
from subcmc_crawler.conformance.questions import Aim, Question
from subcmc_crawler.conformance.seeing import Seen, see
from subcmc_crawler.province import credentials
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.calling import called
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.pacing import RequestPace
from subcmc_crawler.province.registry import Province


async def check_province(
    province: Province,
    folder: Path,
    *,
    now: Callable[[], datetime],
    asked: Callable[[int], None] = lambda number: None,
) -> Scorecard:
    """The scorecard of a province; BadConfig when a credential is wrong, before anything is sent.

    Paths of credentials are relative to `folder`. `asked` is told the number of each request before it goes out.
    """
    began, at = time.monotonic(), now()
    registered = credentials.load(province, folder)
    pace = RequestPace(province.pull.requests_per_second)
    seen: list[Seen] = []
    async with AsyncExitStack() as stack:
        lines: dict[Aim | None, Asker] = {
            None: await stack.enter_async_context(called(province, registered, pace=pace))
        }
        questions = plan(province)
        question = next(questions, None)
        while question is not None:
            asked(len(seen) + 1)
            aim = question.aim if question.aim in (Aim.VERIFIED, Aim.ANONYMOUS) else None
            if aim not in lines:
                other = _credentials(aim, province, registered, folder)
                lines[aim] = await stack.enter_async_context(called(province, other, pace=pace))
            seen.append(await _ask(lines[aim], question, province))
            try:
                question = questions.send(seen[-1])
            except StopIteration:
                question = None
    seconds = time.monotonic() - began
    return assess(province, seen, at=at, seconds=seconds, most=most_requests(province))


def _credentials(aim: Aim | None, province: Province, registered: Credentials, folder: Path) -> Credentials:
    """Those of the registry, but with the certificate verified, or without the secret."""
    if aim is Aim.VERIFIED:
        tls = province.tls.model_copy(update={"verify": True})
        return credentials.load(replace(province, tls=tls), folder)
    return replace(registered, headers={})


async def _ask(asker: Asker, question: Question, province: Province) -> Seen:
    settings = province.datasets[question.dataset] or province.pull
    began = time.monotonic()
    outcome = await asker.look(
        question.address,
        question.path,
        dict(question.params),
        timeout_seconds=settings.request_timeout_seconds,
    )
    milliseconds = (time.monotonic() - began) * 1000
    return see(question, outcome, province.cmc_id, milliseconds=milliseconds)

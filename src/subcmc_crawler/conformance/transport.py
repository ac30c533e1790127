"""Checks of addresses and of HTTP (1.1, 1.3.1, 1.3.3, 2.1.1.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import Found, Outcome, Result, judged, noted, passed, unchecked, warn
from subcmc_crawler.conformance.seeing import Seen

SLOW_SECONDS: Final = 5.0
LATE_SECONDS: Final = 30.0
LARGE_BYTES: Final = 8 * 1024 * 1024
LAG_PERCENT: Final = 1
"""Replicas, and totals within one check, may be apart by so much of their rows before they are called different."""

_WORTH_PACKING: Final = 1400  # bytes: less fits one packet anyway
_BROKEN: Final = frozenset({"cut-body", "protocol", "disconnected", "connect", "proxy", "tls"})
_NOT_THERE: Final = frozenset({404, 405, 501})


def place(findings: Findings, seen: Seen) -> str:
    """Where something was found: the dataset, or the address where it is not the one that was asked all of it."""
    at_main = findings.main == seen.question.address
    return seen.question.dataset if at_main else str(seen.question.address)


def faulty(
    findings: Findings,
    seen: Iterable[Seen],
    kinds: Collection[str],
    *,
    outcome: Outcome = Outcome.FAIL,
) -> Iterator[Found]:
    """The answers with a fault of these kinds, one a place."""
    told: set[str] = set()
    for each in seen:
        where = place(findings, each)
        if each.fault in kinds and where not in told:
            told.add(where)
            yield fault_found(where, each, outcome)


def fault_found(where: str, seen: Seen, outcome: Outcome = Outcome.FAIL) -> Found:
    """A fault as something found; its words are those of every report."""
    return noted(outcome, where, "check.found.fault", seen, kind=seen.fault, detail=seen.detail)


def address_answers(findings: Findings) -> Result:
    """Every registered address answers, if only by TLS."""
    reached = list(findings.of(Aim.REACH))
    if not reached:
        return unchecked("check.open.no_address")
    found = [fault_found(str(each.question.address), each) for each in reached if _is_away(each)]
    return judged(found, passed("check.good.addresses", reached, count=len(reached)))


def _is_away(seen: Seen) -> bool:
    return seen.silent and seen.fault != "tls"


def address_same_totals(findings: Findings) -> Result:
    """All addresses declare the same totals, as replicas do."""
    asked = [*findings.of(Aim.REACH), *findings.of(Aim.REPLICA)]
    if len({each.question.address for each in asked if each.page}) < 2:
        return unchecked("check.open.one_address")
    found = []
    compared = 0
    for code in findings.codes:
        declared = [each for each in asked if each.question.dataset == code and each.page is not None]
        totals = [(each, each.page.total) for each in declared if each.page and each.page.total is not None]
        others = [(seen, total) for seen, total in totals if seen.question.address != findings.main]
        own = next((total for seen, total in totals if seen.question.address == findings.main), None)
        own = findings.total(code) if own is None else own
        if own is None:
            continue
        compared += len(others)
        found += [
            noted(
                Outcome.WARN if apart(own, total) <= LAG_PERCENT else Outcome.FAIL,
                code,
                "check.found.replica",
                seen,
                address=str(seen.question.address),
                total=total,
                own=own,
            )
            for seen, total in others
            if total != own
        ]
    if not compared:
        return unchecked("check.open.one_address")
    return judged(found, passed("check.good.replicas", findings.of(Aim.REPLICA), count=compared))


def apart(one: int, other: int) -> float:
    """How far two totals are apart, in percent of the larger one."""
    return 100 * abs(one - other) / max(one, other, 1)


def dataset_served(findings: Findings) -> Result:
    """Each of the nine interfaces is there."""
    asked = list(findings.of(Aim.FIRST))
    if not asked:
        return unchecked("check.open.unasked")
    found = [fault_found(place(findings, each), each) for each in asked if _is_missing(each)]
    return judged(found, passed("check.good.datasets", asked, count=len(asked)))


def _is_missing(seen: Seen) -> bool:
    return seen.status in _NOT_THERE


def http_status(findings: Findings) -> Result:
    """What is asked as the specification says is answered with HTTP 200."""
    asked = [each for each in findings.regular if not each.silent and not _is_missing(each)]
    kinds = {each.fault for each in asked if each.fault.startswith("http-")}
    return _over(asked, faulty(findings, asked, kinds))


def http_redirect(findings: Findings) -> Result:
    """No redirect: only registered addresses are contacted."""
    asked = [each for each in findings.regular if not each.silent]
    return _over(asked, faulty(findings, asked, {"redirect"}))


def http_whole(findings: Findings) -> Result:
    """Answers come whole, as HTTP has it, over a connection that stays."""
    asked = list(findings.regular)
    return _over(asked, faulty(findings, asked, _BROKEN))


def _over(asked: list[Seen], found: Iterable[Found]) -> Result:
    if not asked:
        return unchecked("check.open.unasked")
    datasets = {each.question.dataset for each in asked}
    return judged(list(found), passed("check.good.datasets", asked, count=len(datasets)))


def http_content_type(findings: Findings) -> Result:
    """Pages say that they are JSON in UTF-8."""
    pages = list(findings.good)
    found: dict[str, Found] = {}
    for each in pages:
        kind, _, rest = each.content_type.partition(";")
        kind, charset = kind.strip().lower(), re.search(r"charset=[\"']?([\w-]+)", rest.lower())
        json = kind == "application/json" or kind.endswith("+json")
        if not json or (charset and charset[1] not in ("utf-8", "utf8")):
            where = place(findings, each)
            found.setdefault(
                where,
                warn(
                    where,
                    "check.found.content_type" if each.content_type else "check.found.no_content_type",
                    each,
                    text=each.content_type,
                ),
            )
    return _over(pages, found.values())


def http_gzip(findings: Findings) -> Result:
    """Large pages come compressed, by what was asked for."""
    odd = list(faulty(findings, findings.regular, {"encoding"}))
    large = [each for each in findings.good if each.bytes >= _WORTH_PACKING]
    if not odd and not large:
        return unchecked("check.open.small")
    plain = [each for each in large if each.encoding not in ("gzip", "deflate")]
    found = odd + [
        warn(where, "check.found.plain", seen, bytes=seen.bytes)
        for where, seen in {place(findings, each): each for each in plain}.items()
    ]
    return judged(found, passed("check.good.gzip", large, count=len(large)))


def http_time(findings: Findings) -> Result:
    """Answers come within seconds."""
    reached = [each for each in findings.seen if each.question.aim not in (Aim.REACH, Aim.REPLICA)]
    found = list(faulty(findings, reached, {"timeout"}))
    answered = [each for each in findings.seen if not each.silent]
    if not answered:
        return unchecked("check.open.unasked")
    slowest: dict[str, Seen] = {}
    for each in answered:
        known = slowest.get(place(findings, each))
        if known is None or each.milliseconds > known.milliseconds:
            slowest[place(findings, each)] = each
    found += [
        noted(
            Outcome.FAIL if seen.milliseconds > LATE_SECONDS * 1000 else Outcome.WARN,
            where,
            "check.found.slow",
            seen,
            seconds=round(seen.milliseconds / 1000, 1),
        )
        for where, seen in slowest.items()
        if seen.milliseconds > SLOW_SECONDS * 1000
    ]
    worst = max(answered, key=lambda each: each.milliseconds)
    return judged(found, passed("check.good.time", [worst], milliseconds=round(worst.milliseconds)))


def body_size(findings: Findings) -> Result:
    """A page of the configured size stays within 10 MB."""
    asked = [each for each in findings.regular if not each.silent]
    found = list(faulty(findings, asked, {"too-large"}))
    pages = [each for each in findings.good if each.question.aim is not Aim.SIZE]
    if not found and not pages:
        return unchecked("check.open.no_page")
    large = {place(findings, each): each for each in pages if each.bytes > LARGE_BYTES}
    found += [warn(where, "check.found.large", each, bytes=each.bytes) for where, each in large.items()]
    most = max(pages, key=lambda each: each.bytes, default=None)
    return judged(found, passed("check.good.size", [most], bytes=most.bytes if most else 0))

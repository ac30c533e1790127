"""Checks of what must be refused, and how (1.3.1, 1.3.3 and the sections named .4 of chapter 2). Pure."""

from __future__ import annotations

from typing import Final

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import (
    Found,
    Outcome,
    Result,
    fail,
    judged,
    noted,
    passed,
    unchecked,
)
from subcmc_crawler.conformance.seeing import Seen
from subcmc_crawler.conformance.transport import fault_found

_REFUSING: Final = (Aim.FOREIGN_ID, Aim.NO_ID, Aim.NO_PAGE, Aim.BAD_NUMBER)


def param_foreign_id(findings: Findings) -> Result:
    """Another centre's cmcId gives no rows."""
    return _refused(findings, Aim.FOREIGN_ID, rows=Outcome.FAIL)


def param_no_id(findings: Findings) -> Result:
    """Without a cmcId nothing is served."""
    return _refused(findings, Aim.NO_ID, rows=Outcome.FAIL, nothing=Outcome.WARN)


def param_no_page(findings: Findings) -> Result:
    """Without page number and page size nothing is served."""
    return _refused(findings, Aim.NO_PAGE, rows=Outcome.WARN)


def param_bad_number(findings: Findings) -> Result:
    """Page numbers and page sizes that are none are refused."""
    return _refused(findings, Aim.BAD_NUMBER, rows=Outcome.WARN)


def _refused(findings: Findings, aim: Aim, *, rows: Outcome, nothing: Outcome = Outcome.PASS) -> Result:
    """How a question ended that must be refused.

    ==  ==========================================  =====================
    1   an error, by status or code                 pass
    2   a good page without rows                    as `nothing` says
    3   a good page with rows                       as `rows` says
    ==  ==========================================  =====================
    """
    asked = [each for each in findings.of(aim) if not each.silent]
    if not asked:
        return unchecked("check.open.unasked")
    found = []
    for seen in asked:
        if seen.page is None:  # 1
            continue
        outcome = rows if seen.page.rows else nothing  # 3, 2
        if outcome is not Outcome.PASS:
            where, values = seen.question.dataset, {"rows": seen.page.rows}
            found.append(noted(outcome, where, "check.found.served", seen, **values))
    return judged(found, passed("check.good.refused", asked))


def path_unknown(findings: Findings) -> Result:
    """A path that is none is HTTP 404.

    ==  ====================================  ====
    1   HTTP 404                              pass
    2   another error                         warn
    3   HTTP 200 and code 0, or another page  fail
    ==  ====================================  ====
    """
    seen = next(findings.of(Aim.NO_PATH), None)
    if seen is None or seen.silent:
        return unchecked("check.open.unasked")
    if seen.status == 404:  # 1
        return passed("check.good.refused", [seen])
    where = str(seen.question.address)
    if seen.page is None and (seen.status != 200 or seen.fault == "code"):  # 2
        return judged([fault_found(where, seen, Outcome.WARN)], passed("check.good.refused"))
    found = fail(where, "check.found.path", seen)  # 3
    return judged([found], passed("check.good.refused"))


def error_shape(findings: Findings) -> Result:
    """A refusal says why, as an envelope whose code is not 0 or as the framework's own body (1.3.3).

    ==  =======================================================  ====
    1   a JSON object with a code that is not 0                  pass
    2   a JSON object with status, and error or message          pass
    3   another JSON text, or no body                            warn
    4   HTML, or any other text                                  fail
    ==  =======================================================  ====
    """
    refusals = [each for each in findings.of(*_REFUSING) if each.page is None and not each.silent]
    if not refusals:
        return unchecked("check.open.no_refusal")
    found = []
    for seen in refusals:
        if seen.shape.coded or seen.shape.spring:  # 1, 2
            continue
        outcome = Outcome.FAIL if seen.shape.look in ("html", "text") else Outcome.WARN  # 4, 3
        found.append(_shaped(seen, outcome))
    return judged(found, passed("check.good.errors", refusals, count=len(refusals)))


def _shaped(seen: Seen, outcome: Outcome) -> Found:
    return noted(
        outcome,
        seen.question.dataset,
        "check.found.error",
        seen,
        status=seen.status or 0,
        look=seen.shape.look,
    )

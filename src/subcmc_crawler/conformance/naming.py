"""Checks of what records name: organisations in their order, and keys that must be there (chapter 2). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import Outcome, Result, fail, judged, noted, passed, unchecked
from subcmc_crawler.conformance.seeing import Named, Seen
from subcmc_crawler.references import ServedOrder
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.personal import mask_key


def org_order(findings: Findings) -> Result:
    """Organisations come parents first, as far as pages 1 and 2 show."""
    code = "ua_org"
    if not findings.moves(code) or not findings.stable(code):
        return unchecked("check.open.moves")
    order = ServedOrder(DATASETS[code])
    for aim in (Aim.FIRST, Aim.SECOND):
        page = findings.page(aim, code)
        for key, parents in page.named.get("parentOrgId", ()) if page else ():
            order.serve(key, parents)
    if not order.served:
        return unchecked("check.open.no_rows")
    seen = findings.one(Aim.FIRST, code)
    found = []
    if order.late:
        sample = order.samples[0]
        found.append(
            fail(code, "check.found.late", seen, rows=order.late, record=sample.key, named=sample.named)
        )
    return judged(found, passed("check.good.rows", [seen], rows=order.served))


def org_parent(findings: Findings) -> Result:
    """The parent of an organisation is one of the organisations."""
    return _there(findings, "ua_org", "parentOrgId", "ua_org")


def user_org(findings: Findings) -> Result:
    """The organisation of a user is there."""
    return _there(findings, "ua_user", "orgId", "ua_org")


def hardware_org(findings: Findings) -> Result:
    """The organisation of a network facility is there."""
    return _there(findings, "hardware", "orgId", "ua_org")


def service_app(findings: Findings) -> Result:
    """The app of an app service is there."""
    return _there(findings, "pm_service", "appId", "pm_app")


def service_hosts(findings: Findings) -> Result:
    """The hosts of an app service are network facilities; 2.5.2.2 gives their ids another length than 2.3.4.2."""
    return _there(findings, "pm_service", "hosts", "hardware", outcome=Outcome.WARN)


def _there(
    findings: Findings, code: str, field: str, target: str, *, outcome: Outcome = Outcome.FAIL
) -> Result:
    """Whether what a field names is there; nothing is said before every record of the target was seen."""
    if not findings.whole(target):
        return unchecked("check.open.not_whole", dataset=target)
    keys = findings.keys(target)
    rows = dangling = 0
    shown: tuple[Seen, str, str] | None = None
    for seen, (key, names) in _records(findings, code, field):
        rows += 1
        nowhere = [name for name in names if name not in keys]
        if nowhere:
            dangling += 1
            shown = shown or (seen, mask_key(code, key), mask_key(target, nowhere[0] or ""))
    if not rows:
        return unchecked("check.open.no_rows")
    found = []
    if shown:
        seen, key, named = shown
        found.append(
            noted(
                outcome,
                code,
                "check.found.dangling",
                seen,
                field=field,
                rows=dangling,
                record=key,
                named=named,
            )
        )
    return judged(found, passed("check.good.rows", [findings.one(Aim.FIRST, code)], rows=rows))


def _records(findings: Findings, code: str, field: str) -> Iterator[tuple[Seen, Named]]:
    for seen, page in findings.pages(code):
        for named in page.named.get(field, ()):
            yield seen, named

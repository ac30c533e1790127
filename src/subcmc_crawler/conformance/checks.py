"""All checks in the order in which they are told, and the scorecard that they make. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from subcmc_crawler.conformance import envelopes, naming, paging, refusals, rows, securing, transport
from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.results import Outcome, Result
from subcmc_crawler.conformance.seeing import Seen
from subcmc_crawler.province.registry import Province
from subcmc_crawler.spec.datasets import DATASETS

GROUPS: Final = ("transport", "envelope", "paging", "refusal", "row", "reference")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a stable id, the section that it rests on, and what judges it.

    A section of chapter 2 that ends in .2 or .4 is that of the organisations and stands for the nine alike:
    `section_of` gives that of another dataset.
    """

    id: str
    group: str
    section: str
    judge: Callable[[Findings], Result]

    def section_of(self, where: str) -> str:
        """The section for what was found there: that of the dataset, where each has its own."""
        dataset = DATASETS.get(where)
        if dataset is None or not self.section.startswith("2.2.1."):
            return self.section
        return dataset.section + self.section.removeprefix("2.2.1")


CHECKS: Final = (
    Check("address-answers", "transport", "2.1.1.2", transport.address_answers),
    Check("address-same-totals", "transport", "2.1.1.2", transport.address_same_totals),
    Check("tls-https", "transport", "1.2.1", securing.tls_https),
    Check("tls-handshake", "transport", "1.2.1", securing.tls_handshake),
    Check("tls-trusted", "transport", "1.2.1", securing.tls_trusted),
    Check("tls-name", "transport", "1.2.1", securing.tls_name),
    Check("tls-expiry", "transport", "1.2.1", securing.tls_expiry),
    Check("tls-version", "transport", "1.2.1", securing.tls_version),
    Check("auth-enforced", "transport", "1.3.1", securing.auth_enforced),
    Check("dataset-served", "transport", "1.1", transport.dataset_served),
    Check("http-status", "transport", "1.3.3", transport.http_status),
    Check("http-redirect", "transport", "2.1.1.2", transport.http_redirect),
    Check("http-whole", "transport", "1.1", transport.http_whole),
    Check("http-content-type", "transport", "1.3.1", transport.http_content_type),
    Check("http-gzip", "transport", "1.1", transport.http_gzip),
    Check("http-time", "transport", "1.1", transport.http_time),
    Check("body-size", "transport", "1.3.1", transport.body_size),
    Check("body-json", "envelope", "1.3.1", envelopes.body_json),
    Check("body-utf8", "envelope", "1.3.1", envelopes.body_utf8),
    Check("body-bom", "envelope", "1.3.1", envelopes.body_bom),
    Check("envelope-code", "envelope", "2.2.1.4", envelopes.envelope_code),
    Check("envelope-keys", "envelope", "2.2.1.4", envelopes.envelope_keys),
    Check("envelope-message", "envelope", "2.2.1.4", envelopes.envelope_message),
    Check("envelope-data", "envelope", "2.2.1.4", envelopes.envelope_data),
    Check("total-present", "envelope", "2.2.1.4", envelopes.total_present),
    Check("total-integer", "envelope", "2.2.1.4", envelopes.total_integer),
    Check("total-steady", "envelope", "2.2.1.4", envelopes.total_steady),
    Check("total-rows", "paging", "1.3.3", paging.total_rows),
    Check("page-base", "paging", "2.2.1.4", paging.page_base),
    Check("page-moves", "paging", "2.2.1.4", paging.page_moves),
    Check("page-size-small", "paging", "2.2.1.4", paging.page_size_small),
    Check("page-size-large", "paging", "2.2.1.4", paging.page_size_large),
    Check("page-seam", "paging", "2.2.1.4", paging.page_seam),
    Check("page-overlap", "paging", "2.2.1.4", paging.page_overlap),
    Check("page-stable", "paging", "2.2.1.4", paging.page_stable),
    Check("page-last", "paging", "2.2.1.4", paging.page_last),
    Check("page-past-end", "paging", "2.2.1.4", paging.page_past_end),
    Check("param-foreign-id", "refusal", "2.2.1.4", refusals.param_foreign_id),
    Check("param-no-id", "refusal", "2.2.1.4", refusals.param_no_id),
    Check("param-no-page", "refusal", "2.2.1.4", refusals.param_no_page),
    Check("param-bad-number", "refusal", "2.2.1.4", refusals.param_bad_number),
    Check("path-unknown", "refusal", "1.2.2", refusals.path_unknown),
    Check("error-shape", "refusal", "1.3.3", refusals.error_shape),
    Check("dataset-filled", "row", "1.1", rows.dataset_filled),
    Check("key-present", "row", "2.2.1.2", rows.key_present),
    Check("key-unique", "row", "2.2.1.2", rows.key_unique),
    Check("row-required", "row", "2.2.1.2", rows.row_required),
    Check("row-type", "row", "2.2.1.2", rows.row_type),
    Check("row-length", "row", "2.2.1.2", rows.row_length),
    Check("row-code", "row", "2.2.1.2", rows.row_code),
    Check("row-defaults", "row", "1.3.5", rows.row_defaults),
    Check("row-cmc-id", "row", "2.2.1.2", rows.row_cmc_id),
    Check("row-report-type", "row", "2.2.1.2", rows.row_report_type),
    Check("row-key-spelling", "row", "2.2.1.4", rows.row_key_spelling),
    Check("row-unknown-fields", "row", "2.2.1.2", rows.row_unknown_fields),
    Check("row-collect-time", "row", "2.2.1.2", rows.row_collect_time),
    Check("org-order", "reference", "2.2.1.4", naming.org_order),
    Check("org-parent", "reference", "2.2.1.2", naming.org_parent),
    Check("user-org", "reference", "2.2.2.2", naming.user_org),
    Check("hardware-org", "reference", "2.3.4.2", naming.hardware_org),
    Check("service-app", "reference", "2.5.2.2", naming.service_app),
    Check("service-hosts", "reference", "2.5.2.2", naming.service_hosts),
)
"""Every check, its id never reused for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """All checks of one province, and what they cost it."""

    province: Province
    at: datetime
    seconds: float
    most: int  # requests that were announced
    seen: Sequence[Seen]
    results: Mapping[Check, Result]

    @property
    def score(self) -> Mapping[Outcome, int]:
        """How many checks ended in each outcome."""
        counts = Counter(result.outcome for result in self.results.values())
        return {outcome: counts[outcome] for outcome in reversed(Outcome)}

    @property
    def failed(self) -> bool:
        """Whether any check failed."""
        return bool(self.score[Outcome.FAIL])


def assess(province: Province, seen: Sequence[Seen], *, at: datetime, seconds: float, most: int) -> Scorecard:
    """The scorecard that these answers make; `at` carries its zone."""
    findings = Findings(province, seen, at)
    results = {check: check.judge(findings) for check in CHECKS}
    return Scorecard(province=province, at=at, seconds=seconds, most=most, seen=seen, results=results)

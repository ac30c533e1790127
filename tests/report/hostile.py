"""What a province may send to harm those who read: texts, a night full of them, and what no rendering may hold.

Shared by the tests of every format and of the dashboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st
from report_cases import BEGAN, failed_attempt, manifest_of, page_entries, run_record

from subcmc_crawler.model import (
    Acceptance,
    Comparison,
    Counts,
    DifferingKey,
    Manifest,
    NamedKey,
    ReferenceCount,
    References,
    RuleBreak,
    State,
    Verdict,
)
from subcmc_crawler.reconcile import Why
from subcmc_crawler.report.detail import AsideRow, Contact, Detail, KeyChange, Night
from subcmc_crawler.report.night import build
from subcmc_crawler.spec.datasets import DATASETS

TEXTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "markup": (
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "' onmouseover='alert(1)' x='",
            "</style></title></textarea></script><svg onload=alert(1)>",
            "--><!--]]><x:y/>",
            "&lt;b&gt;&#x3c;&amp;",
            "javascript:alert(1)",
            "https://evil.example/x",
            "{{7*7}}{{ self.__init__.__globals__ }}",
            "{% include '/etc/passwd' %}{# x #}",
            "{rows} {0} {0.__class__} %s %(rows)s ${x}",
            "$(touch x) `id`; rm -rf / | cat",
        ),
        "formulas": (
            "=cmd|'/C calc'!A0",
            '=HYPERLINK("http://evil.example","x")',
            "+1+1",
            "-2+3",
            "@SUM(1+1)",
            "＝1+1",
            "＋1+1",
            "－2+3",
            "＠SUM(1)",
            "﹦1+1",
            "   =1+1",
            "\u3000=1+1",
            "\u00a0=1+1",
            "\t=1+1",
            "\r=1+1",
            "\n=1+1",
            '",=1+1,"',
            '"\r\n=1+1\r\n"',
            ";=1+1;",
            "{=1+1}",
            "_x000D_=1+1_x0000_",
        ),
        "lines": (
            "a\x00b",
            "\x1b[2J\x1b]0;title\x07\x1b[31m",
            "\x9b31m\x85",
            "abc\x08\x08\x7f",
            "x\r\n  1. 假省  000000/ua_org\n",
            "a\u2028b\u2029c\x0bd\x0ce",
        ),
        "unicode": (
            "abc\u202efdp.exe\u202c",
            "\u2066\u2067x\u2069\u200f",
            "\u200b\u2060=1+1\u200d",
            "\ufeff=1+1",
            "\ud800 \udfff\udbff",
            "\ufffe\uffff\U0010ffff\ue000\u0378",
            "\U000e0001\U000e0041\ufe0f",
            "\u115f\u3164\uffa0\u2800",
            "e" + "\u0301\u0489\u20dd" * 120,
            "👩‍👩‍👧‍👦🏳️‍🌈😀",
            "\ufdfa" * 60,
            "",
            "   ",
        ),
        "long": (
            "长" * 40_000,
            "😀" * 20_000,
            "x" * 70_000,
        ),
    }
)
"""What it attacks -> texts."""

_LONG: Final = 1_000

any_hostile: Final = st.lists(
    st.sampled_from([text for texts in TEXTS.values() for text in texts if len(text) < _LONG])
    | st.text(alphabet=st.characters(codec=None), max_size=20),
    min_size=1,
    max_size=3,
).map("".join)
"""Any of them, mixed with any characters at all."""


def night_of(*texts: str) -> Night:
    """A night in which everything that a province supplies is one of these: a cell a text, all of it in full."""
    verdicts = (Verdict.SHORT, Verdict.SHRUNK, Verdict.REFUSED, Verdict.DRIFTING, Verdict.DUPLICATED)
    places = [(cmc_id, code) for cmc_id in ("620000", "110000", "310000") for code in DATASETS]
    written = dict(zip(places, texts, strict=False))
    manifests = [
        _manifest(verdict, place, text)
        for verdict, (place, text) in zip(cycle(verdicts), written.items(), strict=False)
    ]
    run = run_record(notices=texts, version=texts[0], registry=texts[0], selection=texts)
    before = [replace(each, run=11, verdict=Verdict.PROVEN, state=State.PUBLISHED) for each in manifests]
    references = {
        cmc_id: References(
            run=12, cmc_id=cmc_id, counts=tuple(_reference(code, text) for code, text in found)
        )
        for cmc_id, found in _by_province(written).items()
    }
    comparisons = {
        (each.cmc_id, each.dataset): _comparison(each, text)
        for each, text in zip(manifests, texts, strict=False)
    }
    report = build(run, manifests, previous=before, references=references, comparisons=comparisons)
    details = {}
    for cell in report.cells:
        found = _detail(cell.manifest, before, written[cell.manifest.cmc_id, cell.manifest.dataset])
        details[cell.name] = replace(found, references=cell.references, comparison=cell.comparison)
    contacts = {
        cmc_id: Contact(name=found[0][1], phone=found[0][1], mobile=found[0][1])
        for cmc_id, found in _by_province(written).items()
    }
    return Night(report=report, details=details, contacts=contacts)


def _by_province(written: Mapping[tuple[str, str], str]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for (cmc_id, code), text in written.items():
        found.setdefault(cmc_id, []).append((code, text))
    return found


def _manifest(verdict: Verdict, place: tuple[str, str], text: str) -> Manifest:
    states = {Verdict.SHORT: State.HELD, Verdict.DRIFTING: State.HELD, Verdict.REFUSED: State.ROLLED_BACK}
    codes = {Verdict.DRIFTING: text, Verdict.SHORT: Why.MISSING_LOOPING, Verdict.DUPLICATED: ""}
    accepted = Acceptance(by=text, at=BEGAN, reason=text) if verdict is Verdict.SHRUNK else None
    counts = Counts(
        declared=10**30, declared_first=9, received=7, distinct=4, repeated=1, conflicting=1, quarantined=1,
        flagged=2, stored=4, added=2, changed=1, removed=1, unchanged=1,
    )  # fmt: skip
    return manifest_of(
        *place,
        province=text or "某省",
        verdict=verdict,
        state=states.get(verdict, State.PUBLISHED),
        reason=text,
        reason_code=codes.get(verdict, Why.FAULT),
        reason_values={"kind": text, "detail": f"{text}: redirects are not followed", "rows": 3},
        counts=counts,
        address=text,
        dead_addresses=(text, f"{text}: connect"),
        endings=(text,),
        rules=(RuleBreak(field=text, rule=text, rows=3, samples=(text, text)),),
        drift={text: 1},
        deviations={text: 1, f"key-spaces:{text}": 2},
        faults={text: 1, "http-500": 2},
        accepted=accepted,
        clamped=True,
        page_size=100,
    )


def _reference(dataset: str, text: str) -> ReferenceCount:
    sample = NamedKey(key=text, named=text)
    return ReferenceCount(
        dataset=dataset, field="orgId", target="ua_org", as_of=12, target_as_of=12, records=9, absent=1,
        dangling=2, samples=(sample,), late=1, late_samples=(sample,),
    )  # fmt: skip


def _comparison(manifest: Manifest, text: str) -> Comparison:
    return Comparison(
        run=12, cmc_id=manifest.cmc_id, province=text, dataset=manifest.dataset, snapshot=12, digest="9f2c11d0",
        declared=9, pushed=9, pulled=8, equal=5, differing=2, only_pushed=2, only_pulled=1, fields={text: 2},
        differing_keys=(DifferingKey(key=text, fields=(text, text)),), only_pushed_keys=(text,),
        only_pulled_keys=(text,), endings=(text,), fault=text, detail=text, at=BEGAN,
    )  # fmt: skip


def _detail(manifest: Manifest, before: list[Manifest], text: str) -> Detail:
    failed = failed_attempt(text)
    attempts = (
        failed,
        replace(failed, fault=text, address=text),
        replace(failed, fault="redirect", detail=f"{text}: redirects are not followed"),
        replace(failed, fault="code", detail=f"code {text}: {text}", status=None),
    )
    here = [each for each in before if (each.cmc_id, each.dataset) == (manifest.cmc_id, manifest.dataset)]
    return Detail(
        manifest=manifest,
        pages=tuple(page_entries(3)),
        attempts=attempts,
        changes=tuple(KeyChange(change=change, key=text) for change in ("added", "changed", "removed")),
        aside=(
            AsideRow(walk_pass=1, ordinal=0, position=2, reason=text, key=text),
            AsideRow(walk_pass=1, ordinal=0, position=3, reason="missing-key", key=None),
        ),
        past=here,
    )

"""What an operator may copy and send to a province: what we saw, which section it touches, what we ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from subcmc_crawler.model import Verdict
from subcmc_crawler.report.detail import Detail
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, fit, shown
from subcmc_crawler.report.reasons import deviation_name, reason_beside_balance
from subcmc_crawler.report.sentences import balance_sentence, clock
from subcmc_crawler.spec.datasets import DATASETS

ASKED: Final = frozenset(
    {
        Verdict.UNREACHABLE,
        Verdict.REFUSED,
        Verdict.SHORT,
        Verdict.SURPLUS,
        Verdict.DRIFTING,
        Verdict.SHRUNK,
        Verdict.DUPLICATED,
    }
)
"""Verdicts that the province alone can mend; the others are ours, or nothing is to be done."""

_MOST, _LONGEST = 5, 200


def letter(detail: Detail, words: Labels) -> str:
    """A polite text about one walk, empty where there is nothing to ask of the province.

    It names sections of the specification and holds masked samples alone.
    """
    manifest = detail.manifest
    dataset = DATASETS.get(manifest.dataset)
    if dataset is None:
        return ""
    values = {
        "province": escaped(manifest.province),
        "title": dataset.title if words.lang == "zh" else dataset.title_en,
        "path": dataset.path,
        "primary": dataset.key,
        "pull": f"{dataset.section}.4",
        "fields": f"{dataset.section}.2",
        "run": manifest.run,
        "at": clock(manifest.finished_at or manifest.started_at, words),
        "address": escaped(manifest.address) if manifest.address else words["text.unknown"],
    }
    findings = [
        *_verdict(detail, words, values),
        *_rows(detail, words, values),
        *_form(detail, words, values),
    ]
    if not findings:
        return ""
    numbered = (words.say("letter.item", number=at, text=text) for at, text in enumerate(findings, 1))
    return "\n".join(
        (words.say("letter.opening", **values), *numbered, words.say("letter.closing", **values))
    )


def _verdict(detail: Detail, words: Labels, values: dict[str, object]) -> Iterable[str]:
    manifest = detail.manifest
    if manifest.verdict in ASKED and manifest.accepted is None:
        seen = fit(shown(reason_beside_balance(manifest, words)), _LONGEST)
        told = (balance_sentence(manifest, words), seen)
        sentence = words["list.clause"].join(text for text in told if text)
        yield words.say(f"letter.{manifest.verdict}", seen=sentence, **values)


def _rows(detail: Detail, words: Labels, values: dict[str, object]) -> Iterable[str]:
    manifest = detail.manifest
    if manifest.counts.quarantined:
        yield words.say("letter.quarantined", rows=manifest.counts.quarantined, **values)
    most = sorted(manifest.rules, key=lambda rule: (-rule.rows, rule.field, rule.rule))
    for each in most[:_MOST]:
        broken = words.say(
            "letter.rule",
            field=escaped(each.field),
            rule=words.word("rule", escaped(each.rule)),
            rows=each.rows,
            **values,
        )
        samples = [fit(shown(sample), 60) for sample in each.samples if sample][:1]
        yield broken + "".join(words.say("letter.sample", sample=sample) for sample in samples)
    if len(most) > _MOST:
        yield words.say("letter.rules_left", left=len(most) - _MOST, **values)
    for count in detail.references:
        if count.dangling:
            target = DATASETS[count.target].path if count.target in DATASETS else escaped(count.target)
            field = escaped(count.field)
            yield words.say("letter.dangling", field=field, target=target, rows=count.dangling, **values)
        if count.late:
            yield words.say("letter.late", field=escaped(count.field), rows=count.late, **values)


def _form(detail: Detail, words: Labels, values: dict[str, object]) -> Iterable[str]:
    manifest = detail.manifest
    if manifest.deviations:
        most = sorted(manifest.deviations.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
        names = words["list.separator"].join(fit(shown(deviation_name(name, words)), 80) for name, _ in most)
        yield words.say("letter.deviations", names=names, **values)
    if manifest.drift:
        names = words["list.separator"].join(fit(shown(name), 40) for name in sorted(manifest.drift)[:_MOST])
        yield words.say("letter.drift", kinds=len(manifest.drift), names=names, **values)

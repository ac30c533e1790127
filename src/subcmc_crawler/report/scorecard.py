"""A scorecard in words: what each check found, on which requests, and how a province repeats them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from subcmc_crawler.conformance.checks import GROUPS, Check, Scorecard
from subcmc_crawler.conformance.planning import active
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import Found, Outcome, Result, Value
from subcmc_crawler.conformance.seeing import Seen
from subcmc_crawler.province.registry import Province
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, fit, shown
from subcmc_crawler.report.reasons import deviation_name, fault_sentence
from subcmc_crawler.report.sentences import clock, duration, epoch_time, size
from subcmc_crawler.spec.datasets import DATASETS

_LONGEST: Final = 200
_SAMPLE: Final = 80
_READ: Final = 2_000  # of a text of any length: far more than is shown
_MENDED: Final = (Outcome.FAIL, Outcome.WARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One request and its answer: the words of a command that repeats it, and what was seen."""

    command: tuple[str, ...]
    seen: str
    source: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """One deviation: its section of the specification, and a sentence with its place."""

    outcome: Outcome
    section: str
    sentence: str
    source: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One check in words, everything fit to be shown."""

    id: str
    group: str
    outcome: Outcome
    section: str
    title: str
    rule: str
    mend: str
    reason: str
    found: tuple[FoundLine, ...]
    left_out: int
    evidence: tuple[Shown, ...]


def items(card: Scorecard, words: Labels) -> tuple[Item, ...]:
    """All checks in their order."""
    return tuple(_item(check, result, card, words) for check, result in card.results.items())


def to_mend(every: Sequence[Item], outcome: Outcome) -> tuple[Item, ...]:
    """The checks that ended so."""
    return tuple(item for item in every if item.outcome is outcome)


def grouped(every: Sequence[Item]) -> Mapping[str, tuple[Item, ...]]:
    """The checks by their group, in its order."""
    return {group: tuple(item for item in every if item.group == group) for group in GROUPS}


def heading(card: Scorecard, words: Labels) -> str:
    """What it is a scorecard of."""
    return words.say("check.heading", **_who(card.province))


def score(card: Scorecard, words: Labels) -> str:
    """How many checks ended how."""
    counts = card.score
    return words.say(
        "check.score",
        total=len(card.results),
        fail=counts[Outcome.FAIL],
        warn=counts[Outcome.WARN],
        passed=counts[Outcome.PASS],
        unchecked=counts[Outcome.UNCHECKED],
    )


def verdict(card: Scorecard, words: Labels) -> str:
    """What the score asks of the province."""
    if card.failed:
        return words["check.mending"]
    return words["check.tolerable" if card.score[Outcome.WARN] else "check.sound"]


def facts(card: Scorecard, words: Labels) -> Sequence[tuple[str, str]]:
    """When, by what and at what cost, each with its name."""
    rate = card.province.pull.requests_per_second
    cost = "check.cost_text" if rate else "check.cost_free"
    codes = active(card.province)
    main = next((str(each.question.address) for each in card.seen if each.question.aim is Aim.FIRST), "")
    told = (
        ("at", clock(card.at, words)),
        ("took", duration(card.seconds, words)),
        ("cost", words.say(cost, asked=len(card.seen), most=card.most, rate=rate)),
        ("address", escaped(main) or words["text.unknown"]),
        ("datasets", words.say("check.datasets_text", count=len(codes), off=len(DATASETS) - len(codes))),
        ("basis", words["check.basis_text"]),
    )
    return [(words[f"check.{name}"], text) for name, text in told]


def beforehand(province: Province, most: int, words: Labels) -> str:
    """What a province has to expect, before anything is sent."""
    rate = province.pull.requests_per_second
    return words.say("check.begins" if rate else "check.begins_free", **_who(province), most=most, rate=rate)


def command(seen: Seen, province: Province) -> tuple[str, ...]:
    """The words of a curl command that repeats a request; variables and file names stand for secrets.

    Neither addresses nor parameters can hold anything that a shell would read.
    """
    question, auth, tls = seen.question, province.auth, province.tls
    words = ["curl", "-sS", "-i", "--compressed"]
    if auth is not None and question.aim is not Aim.ANONYMOUS:
        words += {
            "basic": ["-u", '"$USER_PASSWORD"'],
            "bearer": ["-H", '"Authorization: Bearer $TOKEN"'],
            "header": ["-H", f'"{auth.header}: $TOKEN"'],
        }[auth.kind]
    if question.address.scheme == "https":
        words += ["--cacert", "ca.pem"] if tls.ca_file else []
        words += ["--cert", "client.pem"] if tls.cert_file else []
        words += ["-k"] if not tls.verify and question.aim is not Aim.VERIFIED else []
    words.append("-G")
    for name, value in question.params:
        words += ["-d", f"{name}={value}"]
    return (*words, f"{question.address.base}{question.path}")


def _item(check: Check, result: Result, card: Scorecard, words: Labels) -> Item:
    found = tuple(_line(check, each, words) for each in result.found)
    return Item(
        id=check.id,
        group=check.group,
        outcome=result.outcome,
        section=check.section,
        title=words[f"check.title.{check.id}"],
        rule=words[f"check.rule.{check.id}"],
        mend=words[f"check.mend.{check.id}"] if result.outcome in _MENDED else "",
        reason=_reason(result, found, words),
        found=found,
        left_out=result.left_out,
        evidence=tuple(
            Shown(command=command(each, card.province), seen=seen_sentence(each, words), source=each)
            for each in result.evidence
        ),
    )


def _reason(result: Result, found: Sequence[FoundLine], words: Labels) -> str:
    """One line: the first of what was found and how many more there are, or why there is nothing."""
    if not found:
        return words.say(result.reason, **_told(result.values, words))
    more = len(found) + result.left_out - 1
    first = found[0].sentence
    return words.say("check.more", first=first, count=more) if more else first


def _line(check: Check, found: Found, words: Labels) -> FoundLine:
    text = words.say(found.what, **_told(found.values, words))
    place = dataset_name(found.where, words)
    return FoundLine(
        outcome=found.outcome,
        section=check.section_of(found.where),
        sentence=fit(words.say("check.placed", place=place, text=text), _LONGEST),
        source=found,
    )


def dataset_name(where: str, words: Labels) -> str:
    """The name of a dataset in that language; an address, or anything else, as it is."""
    dataset = DATASETS.get(where)
    if dataset is None:
        return escaped(where)
    return dataset.title if words.lang == "zh" else dataset.title_en


def _told(values: Mapping[str, Value], words: Labels) -> Mapping[str, Value]:
    """Values as sentences take them: a province's own words masked on one line, ours in the language."""
    told: dict[str, Value] = {
        name: fit(shown(value[:_READ]), _SAMPLE) if isinstance(value, str) else value
        for name, value in values.items()
    }
    if "kind" in values:
        told["fault"] = _fault(str(values["kind"]), str(values.get("detail", "")), words)
    if "deviation" in values:
        told["deviation"] = fit(shown(deviation_name(str(values["deviation"])[:_READ], words)), _SAMPLE)
    if "bytes" in values:
        told["bytes"] = size(int(values["bytes"]))
    if "at" in values:
        told["at"] = clock(epoch_time(int(values["at"])), words)
    if "dataset" in values:
        told["dataset"] = dataset_name(str(values["dataset"]), words)
    if "rule" in values:
        told["rule"] = words.word("rule", str(told["rule"]))
    if "reason" in values:
        told["reason"] = words.word("aside", str(told["reason"]))
    if "look" in values:
        told["look"] = words.word("look", str(told["look"]))
    return told


def seen_sentence(seen: Seen, words: Labels) -> str:
    """What one request showed, in one line."""
    milliseconds = round(seen.milliseconds)
    if seen.page is not None:
        total = words["check.seen.undeclared"] if seen.page.total is None else f"{seen.page.total:,}"
        return words.say(
            "check.seen.page",
            status=seen.status,
            milliseconds=milliseconds,
            bytes=size(seen.bytes),
            rows=seen.page.rows,
            total=total,
        )
    fault = _fault(seen.fault, seen.detail, words)
    if seen.status is None:
        return words.say("check.seen.silent", milliseconds=milliseconds, fault=fault)
    if seen.fault.startswith("http-"):
        return words.say("check.seen.refused", milliseconds=milliseconds, fault=fault)
    return words.say("check.seen.fault", status=seen.status, milliseconds=milliseconds, fault=fault)


def _fault(kind: str, detail: str, words: Labels) -> str:
    return fit(shown(fault_sentence(kind[:_READ], detail[:_READ], words)), _LONGEST)


def _who(province: Province) -> Mapping[str, str]:
    return {"province": escaped(province.name), "cmc_id": escaped(province.cmc_id)}

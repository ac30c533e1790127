"""What an answer shows: facts small enough to be kept for sixty pages, and fit to be judged later. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Literal

from subcmc_crawler.conformance.questions import Question
from subcmc_crawler.errors import Answered, Fault, Malformed, Refused, Unreachable
from subcmc_crawler.province.answer import Answer, Secured
from subcmc_crawler.province.page import Page, read
from subcmc_crawler.spec.codes import NONE_SPELLINGS
from subcmc_crawler.spec.datasets import DATASETS, Reference
from subcmc_crawler.spec.envelope import Envelope, document_in, parse
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.personal import one_line
from subcmc_crawler.spec.references import keys_named, value_in

Look = Literal["none", "empty", "object", "json", "html", "text"]
"""What a body is at first sight; "none" where no body came."""

Named = tuple[str, tuple[str | None, ...]]
"""The key of a record, and the keys that it names."""

MOST_ROWS: Final = 20_000
MOST_CHARACTERS: Final = 1_000_000
"""What is kept of the keys of one page: sixty pages are kept at once."""

_CLIP: Final = 120
_TEXT_NONE: Final = frozenset({"-1", "-1L", "-1.0", "null", "NULL", "Null", "None", "undefined", "NaN"})
_NUMBER_NONE: Final = _TEXT_NONE | {""}
_ODD_KINDS: Final = frozenset({"string", "integer", "long"})
_EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01: an earlier collectTime is one in seconds, or none at all
_MOST_ERROR_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The body of a refusal: whether it says what was wrong, in the words of 1.3.3."""

    look: Look = "none"
    coded: bool = False  # a code that is not 0
    spring: bool = False  # status, error and path, as the framework writes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The collectTime of the rows of a page: epoch milliseconds of those that are plausible (2.2.1.2)."""

    earliest: int | None = None
    latest: int | None = None
    odd: int = 0  # rows whose value is there and no time since the year 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSeen:
    """A good page; rules, samples and fields as `spec.records.Checked` names them."""

    total: int | None
    rows: int
    keys: tuple[str | None, ...]  # fewer than rows where a page is far too long
    keyless: Mapping[str, int] = field(default_factory=dict)  # why -> rows
    deviations: tuple[str, ...] = ()
    message: bool = True
    rules: Mapping[str, int] = field(default_factory=dict)  # "field:rule" -> rows
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drift: Mapping[str, int] = field(default_factory=dict)
    stray_keys: int = 0
    key_collisions: int = 0
    odd_nones: Mapping[str, int] = field(
        default_factory=dict
    )  # field -> rows with another "has none" (1.3.5)
    named: Mapping[str, tuple[Named, ...]] = field(default_factory=dict)  # field -> what the rows name
    collected: Collected = Collected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One question and how it ended: `fault` is empty for a good page, else the kind of `errors.Fault`."""

    question: Question
    status: int | None = None
    milliseconds: float = 0.0
    bytes: int = 0  # of the decoded body
    content_type: str = ""
    encoding: str = ""
    secured: Secured | None = None
    silent: bool = False  # no answer came
    fault: str = ""
    detail: str = ""
    shape: Shape = Shape()
    page: PageSeen | None = None


def see(question: Question, outcome: Answer | Fault, cmc_id: str, *, milliseconds: float = 0.0) -> Seen:
    """What one question showed; `milliseconds` is how long it took where no answer came."""
    if isinstance(outcome, Fault):
        return Seen(
            question=question,
            status=200 if isinstance(outcome, Answered) and outcome.kind != "protocol" else None,
            milliseconds=milliseconds,
            silent=isinstance(outcome, Unreachable),
            fault=outcome.kind,
            detail=outcome.detail,
        )
    fault, page, shape = outcome.fault, None, Shape()
    if fault is None:
        try:
            envelope = parse(outcome.body)
        except (Refused, Malformed) as error:
            fault = error.with_traceback(None)
        else:
            page = _page(question.dataset, envelope, cmc_id)
    if fault is not None:
        shape = _shape(outcome.body)
    return Seen(
        question=question,
        status=outcome.status,
        milliseconds=outcome.milliseconds,
        bytes=len(outcome.body),
        content_type=one_line(outcome.headers.get("content-type", ""), _CLIP),
        encoding=one_line(outcome.headers.get("content-encoding", "").strip().lower(), _CLIP),
        secured=outcome.secured,
        fault=fault.kind if fault else "",
        detail=fault.detail if fault else "",
        shape=shape,
        page=page,
    )


def _page(code: str, envelope: Envelope, cmc_id: str) -> PageSeen:
    dataset = DATASETS[code]
    page = read(dataset, envelope, cmc_id)
    checked = page.checked
    return PageSeen(
        total=page.total,
        rows=len(page.records),
        keys=tuple(page.keys[: _kept(len(key or "") for key in page.keys)]),
        keyless=Counter(page.reasons.values()),
        deviations=page.deviations,
        message=bool(envelope.message),
        rules=Counter(flag for flags in checked.flags.values() for flag in flags),
        samples=checked.samples,
        drift=checked.drift,
        stray_keys=checked.stray_keys,
        key_collisions=checked.key_collisions,
        odd_nones=_odd_nones(code, page.records),
        named={each.field: _named(each, page) for each in dataset.references},
        collected=_collected(page.collect_times),
    )


def _named(reference: Reference, page: Page) -> tuple[Named, ...]:
    found = [
        (key, keys_named(value_in(reference, record)))
        for key, record in zip(page.keys, page.records, strict=True)
        if key is not None
    ]
    return tuple(found[: _kept(len(key) + sum(len(name or "") for name in names) for key, names in found)])


def _kept(lengths: Iterable[int]) -> int:
    """How many of so long texts are kept of a page: all, unless it is far longer than any that was asked for."""
    room = MOST_CHARACTERS
    count = 0
    for count, length in enumerate(islice(lengths, MOST_ROWS), 1):
        room -= length
        if room < 0:
            return count - 1
    return count


def _odd_nones(code: str, records: Sequence[Any]) -> Mapping[str, int]:
    """Fields in which a row says "has none" otherwise than 1.3.5 has it for their type."""
    kinds = {each.name: each.kind for each in FIELDS[code]}
    return Counter(
        name
        for record in records
        if isinstance(record, dict)
        for name, value in record.items()
        if (isinstance(value, str) and value in _NUMBER_NONE) or (type(value) is float and value == -1.0)
        if kinds.get(name) in _ODD_KINDS and (kinds[name] != "string" or value in _TEXT_NONE)
    )


def _collected(values: Sequence[Any]) -> Collected:
    present = [value for value in values if value is not None and value not in NONE_SPELLINGS]
    sound = [value for value in present if type(value) is int and _EARLIEST_MS <= value < 2**63]
    return Collected(
        earliest=min(sound, default=None), latest=max(sound, default=None), odd=len(present) - len(sound)
    )


def _shape(body: bytes) -> Shape:
    """What a refusal looks like; a long one is no refusal that anybody would read."""
    if not body.strip():
        return Shape(look="empty")
    try:
        document, _ = document_in(body[:_MOST_ERROR_BYTES], [])
    except Malformed as error:
        return Shape(look=_look(body, error.kind))
    names = {name.strip(): value for name, value in islice(document.items(), 200)}
    code = names.get("code")
    return Shape(
        look="object",
        coded=code not in (None, 0, "0", "", False),
        spring={"status", "error"} <= names.keys() or {"status", "message", "path"} <= names.keys(),
    )


def _look(body: bytes, kind: str) -> Look:
    if kind == "no-envelope":
        return "json"
    return "html" if body.lstrip()[:1] == b"<" else "text"

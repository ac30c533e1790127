"""Between our types and BSON, both ways and without loss."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from itertools import accumulate
from operator import sub
from typing import Any, Final

import bson
import orjson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from subcmc_crawler.model import (
    Acceptance,
    Comparison,
    Counts,
    DifferingKey,
    Manifest,
    RuleBreak,
    RunRecord,
    RunStatus,
    Shards,
    State,
    Verdict,
)

WRAPPED: Final = "$subcmc.json"
"""The one key of a record that BSON cannot hold as it is; its value is the record as JSON text.

So kept: integers over 64 bits, NUL in keys, lone surrogates, nesting deeper than MongoDB takes, bodies that
grow past 16 MB as BSON, and records that have this very key or `$ref`, which the driver takes for its own.
JSON text that grows past 16 MB itself (`1e15` becomes `1000000000000000.0`) is compressed with zlib.
"""

_REFERENCE: Final = "$ref"

_FAST: Final = 2
"""Of zlib: 6 saves a twentieth of a column of keys, and takes three times as long."""

_PLAIN_MAPPINGS: Final = frozenset({"reason_values"})
"""Mappings whose names are words of ours, so that they can be the names of a document."""

_LARGEST: Final = 16 * 1024 * 1024 - 64 * 1024
_EXACT: Final = (int, str, type(None))  # of these, equal values are the same value; 0.0 and -0.0 are not
_DEEPEST: Final = 80


def encode_record(record: Any) -> Any:
    """The record in a form that BSON can hold; the record itself whenever that works."""
    if not isinstance(record, dict) or WRAPPED in record or not _plain(record):
        return wrap(record)
    try:
        return record if len(bson.encode(record)) < _LARGEST else wrap(record)
    except (BSONError, OverflowError, ValueError, TypeError, RecursionError):
        return wrap(record)


def wrap(record: Any) -> dict[str, str | bytes]:
    """The record as JSON text under one key, compressed if it must be."""
    text = dump_json(record)
    return {WRAPPED: text.decode() if len(text) < _LARGEST else zlib.compress(text)}


def decode_record(stored: Any) -> Any:
    """The record as it was served."""
    if isinstance(stored, Mapping) and len(stored) == 1 and WRAPPED in stored:
        text = stored[WRAPPED]
        return json.loads(zlib.decompress(text) if isinstance(text, bytes) else text)
    return stored


def encode_version(document: dict[str, Any]) -> RawBSONDocument:
    """A version document as BSON, its record wrapped only if it must be."""
    record = document["record"]
    if WRAPPED not in record and _REFERENCE not in record and not _nested(record):
        try:
            encoded = bson.encode(document)
            if len(encoded) < _LARGEST:
                return RawBSONDocument(encoded)
        except (BSONError, OverflowError, ValueError, TypeError):
            pass  # wrapped below
    return RawBSONDocument(bson.encode({**document, "record": encode_record(record)}))


def dump_json(value: Any) -> bytes:
    """JSON text of any value that a province can serve, key order kept."""
    try:
        return orjson.dumps(value)
    except TypeError:  # integers over 64 bits, lone surrogates
        ascii_only = _has_surrogates(value)
        return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode()


def pack(values: Sequence[Any]) -> bytes:
    """A column of a page, compressed."""
    return zlib.compress(dump_json(values), _FAST)


def steady(column: Sequence[Any]) -> Sequence[Any]:
    """The column, or its one value when all of its values are the same."""
    kind = type(column[0]) if column else None
    same = kind in _EXACT and column[-1] == column[0] and set(map(type, column)) == {kind}
    return column[:1] if same and column.count(column[0]) == len(column) else column


def unpack(packed: bytes) -> list[Any]:
    """The column that `pack()` was given."""
    column: list[Any] = json.loads(zlib.decompress(packed))
    return column


def pack_times(column: Sequence[Any]) -> bytes:
    """The times of a page, compressed: one alone when all are the same, whole numbers by their steps."""
    column = steady(column)
    if len(column) > 1 and type(column[0]) is int and set(map(type, column)) == {int}:
        steps = [*map(sub, column[1:], column)]
        return zlib.compress(dump_json({"first": column[0], "steps": steps}), _FAST)
    return pack(column)


def unpack_times(packed: bytes) -> list[Any]:
    """The times that `pack_times()` was given; one alone when all are the same."""
    told: Any = unpack(packed)
    return list(accumulate(told["steps"], initial=told["first"])) if isinstance(told, dict) else told


def to_document(value: Any) -> Any:
    """A frozen type of the model as a document: snake_case becomes camelCase, None stays."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            _camel(item.name): dict(getattr(value, item.name))
            if item.name in _PLAIN_MAPPINGS
            else to_document(getattr(value, item.name))
            for item in fields(value)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):  # names of fields may hold dots and dollars, which must not be keys
        return [{"name": str(name), "count": count} for name, count in value.items()]
    if isinstance(value, tuple | list):
        return [to_document(item) for item in value]
    return value


def manifest_of(document: Mapping[str, Any]) -> Manifest:
    """The manifest that a document of `snapshots` holds; what a projection left out has its default."""
    plain = {name: document[camel] for name, camel in _MANIFEST if camel in document}
    counts = plain["counts"]
    accepted = plain.get("accepted")
    return Manifest(
        **{
            **plain,
            "state": State(plain["state"]),
            "verdict": Verdict(plain["verdict"]) if plain.get("verdict") else None,
            "counts": Counts(**{name: counts[camel] for name, camel in _COUNTS if camel in counts}),
            "endings": tuple(plain.get("endings", ())),
            "dead_addresses": tuple(plain.get("dead_addresses", ())),
            "rules": tuple(
                RuleBreak(**{**rule, "samples": tuple(rule["samples"])}) for rule in plain.get("rules", ())
            ),
            "drift": _mapping(plain.get("drift", ())),
            "deviations": _mapping(plain.get("deviations", ())),
            "faults": _mapping(plain.get("faults", ())),
            "reason_values": dict(plain.get("reason_values", {})),
            "accepted": Acceptance(**accepted) if accepted else None,
        }
    )


def run_of(document: Mapping[str, Any]) -> RunRecord:
    """The run that a document of `runs` holds."""
    return RunRecord(
        number=document["_id"],
        status=RunStatus(document["status"]),
        started_at=document["startedAt"],
        finished_at=document.get("finishedAt"),
        summary=_mapping(document.get("summary", [])),
        selection=tuple(document.get("selection", ())),
        registry=document.get("registry", ""),
        version=document.get("version", ""),
        notices=tuple(document.get("notices", ())),
        alerted_at=document.get("alertedAt"),
        shards=_shards_of(document.get("shards")),
        cpu_seconds=document.get("cpuSeconds", 0.0),
    )


def _shards_of(document: Mapping[str, Any] | None) -> Shards | None:
    if document is None:
        return None
    lists = {name: tuple(document[name]) for name in ("order", "joined", "ended", "stopped")}
    return Shards(count=document["count"], registry=document["registry"], **lists)


def comparison_of(document: Mapping[str, Any]) -> Comparison:
    """The comparison that a document of `comparisons` holds."""
    plain = {name: document[camel] for name, camel in _COMPARISON if camel in document}
    differing = plain.get("differing_keys", ())
    return Comparison(
        **{
            **plain,
            "fields": _mapping(plain.get("fields", ())),
            "differing_keys": tuple(DifferingKey(each["key"], tuple(each["fields"])) for each in differing),
            "only_pushed_keys": tuple(plain.get("only_pushed_keys", ())),
            "only_pulled_keys": tuple(plain.get("only_pulled_keys", ())),
            "endings": tuple(plain.get("endings", ())),
        }
    )


def milliseconds(at: datetime) -> datetime:
    """The time as MongoDB keeps it."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@cache
def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _named(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((item.name, _camel(item.name)) for item in fields(kind))


_MANIFEST: Final = _named(Manifest)
_COUNTS: Final = _named(Counts)
_COMPARISON: Final = _named(Comparison)
"""Names here and there, put together once: a page of the dashboard reads thousands of manifests."""


def _mapping(pairs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {pair["name"]: pair["count"] for pair in pairs}


def _nested(record: Mapping[str, Any]) -> bool:
    """Whether a value may hold an object, or something deep: only such records need a closer look."""
    kinds = set(map(type, record.values()))
    if dict in kinds:
        return True
    return list in kinds and any(
        type(item) is dict or type(item) is list
        for value in record.values()
        if type(value) is list
        for item in value
    )


def _plain(value: Any) -> bool:
    """Whether the nesting is not too deep, and no object in it looks like a reference of the driver's."""
    level = [value]
    for _ in range(_DEEPEST):
        if any(isinstance(item, dict) and _REFERENCE in item for item in level):
            return False
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _has_surrogates(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False

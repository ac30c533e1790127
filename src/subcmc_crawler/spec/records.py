"""A page of rows against the field table of its dataset (sections named .2 of chapter 2). Pure.

One compiled pydantic schema a dataset judges a page at once, and only rows that broke something are looked
at in Python. No rule ever drops or mends a row: rows are stored as served, and flagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, TypeGuard

from pydantic_core import CoreConfig, ErrorDetails, SchemaValidator, ValidationError, core_schema

from subcmc_crawler.spec.codes import (
    NONE_SPELLINGS,
    PLATFORM,
    PLATFORM_AREAS,
    SYSTEM_AREA,
    read_code,
    spellings,
)
from subcmc_crawler.spec.columns import INTEGERS, REPORT_TYPES, Columns, suspects
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.fields import FIELDS, Field
from subcmc_crawler.spec.personal import mask_field, one_line
from subcmc_crawler.spec.shapes import Shape, fields_of, is_required, required_of, shapes_of, spelt

_SAMPLES: Final = 3
_CHUNK: Final = 1000  # rows judged at once: bounds the memory of errors on a page of wrong rows
DRIFT_NAMES: Final = 100
OTHER_NAMES: Final = "…"
"""Unknown fields past the first `DRIFT_NAMES` are counted under this."""

_NAME_CLIP: Final = 80
LONGEST_KEY: Final = 1024
"""Characters of a primary key that we index, and so remember; the longest of the specification has 255."""

_KEY_BITS: Final = 1024  # a number of thousands of digits cannot even be printed
_CODE_KIND: Final = "code_kind"
_VALIDATORS: Final = 128  # a province may break other rules on every page


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with the rows of a page.

    `flags`: row index -> sorted "field:rule"; only rows with a broken rule. `samples`: "field:rule" -> up to
    three masked values. `drift`: unknown field -> rows that hold it; names past the first 100 count under
    "…". `stray_keys`: rows with white space around a key. `key_collisions`: rows in which trimming made
    two keys equal, where the exact spelling won, or else the first.
    """

    flags: Mapping[int, tuple[str, ...]]
    samples: Mapping[str, tuple[str, ...]]
    drift: Mapping[str, int]
    stray_keys: int
    key_collisions: int


def check_page(
    dataset: Dataset,
    rows: Sequence[object],
    cmc_id: str,
    shapes: Sequence[Shape | None] | None = None,
    columns: Columns | None = None,
) -> Checked:
    """Every broken rule of every row of `rows`, which the province `cmc_id` served for `dataset`.

    Rules: required, type, range, length, code, items, item-length; also cmcId:other, reportType:deleted (a
    pull never deletes) and area:code for an area that its platform does not have (3.3). Rows that are no
    objects are skipped. Never raises for anything that JSON can hold. `shapes` are those of the rows, where the
    caller has them, and so are `columns`, which come with shapes that are all one, and without half a surrogate pair
    in any text. Of an array without a limit of items (publishScope) the first wrong item alone tells.
    """
    if shapes is None:
        known = shapes_of(dataset.code)
        shapes = [known[tuple(row)] if isinstance(row, dict) else None for row in rows]
    findings = _Findings(dataset, cmc_id)
    if columns is not None and shapes[0] is not None:
        findings.add_alike(list(rows), shapes[0], columns)
        return findings.checked()
    for start in range(0, len(rows), _CHUNK):
        findings.add(start, list(rows[start : start + _CHUNK]), shapes[start : start + _CHUNK])
    return findings.checked()


def key_of(dataset: Dataset, row: object) -> tuple[str | None, str]:
    """The primary key of a row and "", or None and why it has none.

    A number equals its digits as text; a string keeps its exact spelling. The reasons are "not-an-object",
    "missing-key", "empty-key" (null, blank or a "has none" of 1.3.5) and "bad-key" (any other type, a
    number past all reason, text longer than any key, or text that UTF-8 cannot hold).
    """
    if not isinstance(row, dict):
        return None, "not-an-object"
    name = spelt(dataset.key, row)
    return (None, "missing-key") if name is None else usable_key(row[name])


def usable_key(value: object) -> tuple[str | None, str]:
    """The value as a primary key and "", or None and why it is none: "empty-key" or "bad-key"."""
    if type(value) is str and value.isalnum() and value.isascii() and len(value) <= LONGEST_KEY:
        return value, ""
    reason = ""
    if isinstance(value, str):
        if not value or value.isspace() or value in NONE_SPELLINGS:
            reason = "empty-key"
        elif len(value) > LONGEST_KEY or not (value.isascii() or _is_utf8(value)):
            reason = "bad-key"
    elif value is None or (_is_whole(value) and value == -1):
        reason = "empty-key"
    elif not _is_whole(value) or value.bit_length() > _KEY_BITS:
        reason = "bad-key"
    return (None, reason) if reason else (str(value), "")


def _is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; MongoDB gives one past 32 bits back as a kind of int."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Findings:
    """The findings of one page while they are gathered."""

    def __init__(self, dataset: Dataset, cmc_id: str) -> None:
        self._dataset = dataset
        self._cmc_id = cmc_id
        self._fields = fields_of(dataset.code)
        self._required = required_of(dataset.code)
        self._has_area = "area" in self._fields
        self._flags: dict[int, tuple[str, ...]] = {}
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._chunk: dict[int, set[str]] = {}  # as `_flags`, of the rows that are being judged
        self._samples: dict[str, list[str]] = {}
        self._drift: dict[str, int] = {}
        self._stray_keys = 0
        self._key_collisions = 0

    def add(self, start: int, rows: list[Any], shapes: Sequence[Shape | None]) -> None:
        """Judge `rows`, the first of which is number `start` of the page."""
        kinds = {shape for shape in shapes if shape is not None}
        if any(kind.strange for kind in kinds):
            for offset, shape in enumerate(shapes):
                if shape is not None and shape.strange:
                    rows[offset] = self._renamed(rows[offset])
        self._hold_against(_validator(self._dataset.code), start, rows)
        if any(kind.missing for kind in kinds):
            self._look_at_names(start, rows)
        if any(kind.owned or kind.strange for kind in kinds):
            self._look_at_owners(start, rows)
        if self._has_area:
            self._look_at_areas(start, rows)
        self._freeze()

    def add_alike(self, rows: list[Any], shape: Shape, columns: Columns) -> None:
        """Judge all rows of a page: they have the same names, none of which has spaces around it.

        A row is looked at only where its column does not speak for it.
        """
        if shape.strange:
            names = [name for name in columns.values if name not in self._fields]
            self._note_drift(names)
            self._note_drift(names, rows=len(rows) - 1)  # to whom no name is new
        wrong = suspects(self._dataset.code, columns)
        owners = shape.owned and ("cmcId" in wrong or {*columns.values["cmcId"]} != {self._cmc_id})
        areas = self._has_area and not _areas_fit(columns, wrong)
        if not (wrong or shape.missing or owners or areas):
            return
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            if wrong:
                self._hold_against(_validator(self._dataset.code, wrong), start, chunk)
            if shape.missing:
                self._look_at_names(start, chunk)
            if owners:
                self._look_at_owners(start, chunk)
            if areas:
                self._look_at_areas(start, chunk)
            self._freeze()

    def checked(self) -> Checked:
        """What was found."""
        samples = {flag: tuple(values) for flag, values in sorted(self._samples.items())}
        return Checked(self._flags, samples, self._drift, self._stray_keys, self._key_collisions)

    def _freeze(self) -> None:
        """Keeps the flags of a chunk as tuples, one for all rows that have the same: sets take ten times as much."""
        for index, found in sorted(self._chunk.items()):
            flags = tuple(sorted(found))
            self._flags[index] = self._shared.setdefault(flags, flags)
        self._chunk.clear()

    def _renamed(self, row: dict[str, Any]) -> dict[str, Any]:
        """A copy of `row` with trimmed keys; what is stray, colliding or unknown in it is counted."""
        renamed: dict[str, Any] = {}
        stray = collision = False
        for key, value in row.items():
            name = key.strip()
            if name == key:
                renamed[name] = value
                continue
            stray = True
            if name in row or name in renamed:
                collision = True
            else:
                renamed[name] = value
        self._stray_keys += stray
        self._key_collisions += collision
        self._note_drift(name for name in renamed if name not in self._fields)
        return renamed

    def _note_drift(self, names: Iterable[str], rows: int = 1) -> None:
        shown = {one_line(name, _NAME_CLIP) for name in names}
        known = {name for name in shown if name in self._drift}
        for name in known:
            self._drift[name] += rows
        fresh = sorted(shown - known)
        room = max(0, DRIFT_NAMES - len(self._drift))
        for name in fresh[:room]:
            self._drift[name] = rows
        if fresh[room:] and OTHER_NAMES not in known:
            self._drift[OTHER_NAMES] = self._drift.get(OTHER_NAMES, 0) + rows

    def _hold_against(self, judge: SchemaValidator, start: int, rows: list[Any]) -> None:
        try:
            judge.validate_python(rows)
        except ValidationError as error:
            self._collect(start, error.errors(include_url=False, include_context=False))

    def _collect(self, start: int, errors: list[ErrorDetails]) -> None:
        for error in errors:
            match error["loc"]:
                case (int(offset), str(name)):
                    rule = _rule(self._fields[name], error["type"], error["input"])
                case (int(offset), str(name), int()):
                    rule = "item-length" if error["type"] == "string_too_long" else "type"
                case _:  # the row is no object: quarantined by its key
                    continue
            if rule:
                self._flag(start + offset, name, rule, error["input"])

    def _look_at_names(self, start: int, rows: list[Any]) -> None:
        for offset, row in enumerate(rows):
            if isinstance(row, dict) and not row.keys() >= self._required:
                self._flag_missing(start + offset, self._required - row.keys())

    def _look_at_owners(self, start: int, rows: list[Any]) -> None:
        own = self._cmc_id
        for offset, row in enumerate(rows):
            if isinstance(row, dict) and row.get("cmcId", own) != own:
                self._look_at_owner(start + offset, row["cmcId"])

    def _look_at_areas(self, start: int, rows: list[Any]) -> None:
        for offset, row in enumerate(rows):
            if isinstance(row, dict) and not _area_fits(row.get("platform"), row.get("area")):
                self._flag(start + offset, "area", "code", row.get("area"))

    def _flag_missing(self, index: int, names: Iterable[str]) -> None:
        flags = [_flag_of(name, "required") for name in names]
        self._chunk.setdefault(index, set()).update(flags)
        for flag in flags:
            self._samples.setdefault(flag, [])

    def _look_at_owner(self, index: int, value: object) -> None:
        owner = str(value) if _is_whole(value) and abs(value) < 2**63 else value
        if isinstance(owner, str) and owner not in {"", self._cmc_id}:
            self._flag(index, "cmcId", "other", value)

    def _flag(self, index: int, name: str, rule: str, value: object) -> None:
        flag = _flag_of(name, rule)
        self._chunk.setdefault(index, set()).add(flag)
        samples = self._samples.setdefault(flag, [])
        if len(samples) < _SAMPLES:
            sample = mask_field(self._dataset.code, name, value)
            if sample not in samples:
                samples.append(sample)


@cache
def _flag_of(name: str, rule: str) -> str:
    """One text for all rows that break a rule; names are those of the field tables."""
    return f"{name}:{rule}"


def _rule(field: Field, error: str, value: object) -> str | None:
    """The rule that an error of the schema stands for; first match wins.

    | # | condition                                             | rule       |
    |---|-------------------------------------------------------|------------|
    | 1 | null                                                  | required   |
    | 2 | a number field holds a "has none" of 1.3.5            | none       |
    | 3 | reportType is "D"                                     | deleted    |
    | 4 | reportType is anything else                           | code       |
    | 5 | a code field holds a number or text                   | code       |
    | 6 | a number past 32 (Integer) or 64 (Long) bits          | range      |
    | 7 | a text too long, or of a length that is not listed    | length     |
    | 8 | an array too long                                     | items      |
    | 9 | the rest                                              | type       |

    A required field that is absent never comes here: `_Findings.add` sees it by its name alone.
    """
    if value is None:  # 1
        return "required"
    if field.kind in INTEGERS and _is_none_spelling(value):  # 2
        return None
    if field.name == "reportType":  # 3, 4
        return "deleted" if value == "D" else "code"
    if field.table and isinstance(value, int | str) and not isinstance(value, bool):  # 5
        return "code"
    return {  # 6 to 9
        "greater_than_equal": "range",
        "less_than_equal": "range",
        "string_too_long": "length",
        "string_pattern_mismatch": "length",
        "too_long": "items",
    }.get(error, "type")


def _is_none_spelling(value: object) -> bool:
    return value in NONE_SPELLINGS if isinstance(value, str) else isinstance(value, float) and value == -1.0


def _area_fits(platform: object, area: object) -> bool:
    """Whether platform and area go together; what is unreadable in itself is another rule's matter."""
    on, within = read_code(PLATFORM, platform), read_code(SYSTEM_AREA, area)
    return on is None or within is None or within in PLATFORM_AREAS[on]


def _areas_fit(columns: Columns, wrong: frozenset[str]) -> bool:
    """Whether all platforms and areas surely go together; not said of values that are no codes."""
    values = columns.values
    if not values.keys() >= {"platform", "area"}:
        return True
    if wrong & {"platform", "area"}:
        return False
    return all(_area_fits(*pair) for pair in {*zip(values["platform"], values["area"], strict=True)})


@lru_cache(_VALIDATORS)
def _validator(dataset_code: str, names: frozenset[str] | None = None) -> SchemaValidator:
    """The compiled schema of a page, of all fields or of some; its errors hide their input, should one be printed."""
    row = core_schema.typed_dict_schema(
        {
            field.name: core_schema.typed_dict_field(_schema(field), required=False)
            for field in FIELDS[dataset_code]
            if names is None or field.name in names
        },
        extra_behavior="ignore",
        strict=True,
    )
    return SchemaValidator(
        core_schema.list_schema(row, strict=True), CoreConfig(strict=True, hide_input_in_errors=True)
    )


def _schema(field: Field) -> core_schema.CoreSchema:
    schema: core_schema.CoreSchema
    if field.name == "reportType":
        schema = core_schema.literal_schema(list(REPORT_TYPES))
    elif field.table is not None:
        # A literal alone would take true and 1.0 for 1.
        kind = core_schema.union_schema(
            [core_schema.int_schema(strict=True), core_schema.str_schema(strict=True)],
            mode="left_to_right",
            custom_error_type=_CODE_KIND,
            custom_error_message="neither a number nor text",
        )
        schema = core_schema.chain_schema([kind, core_schema.literal_schema(list(spellings(field.table)))])
    elif field.kind in INTEGERS:
        lowest, highest = INTEGERS[field.kind]
        schema = core_schema.int_schema(ge=lowest, le=highest, strict=True)
    elif field.kind == "strings":
        item = core_schema.str_schema(max_length=field.item_max_length, strict=True)
        endless = field.items_max is None  # a million wrong items would be a million errors
        schema = core_schema.list_schema(item, max_length=field.items_max, fail_fast=endless, strict=True)
    elif field.lengths is not None:
        lengths = "|".join(f".{{{length}}}" for length in field.lengths)
        schema = core_schema.str_schema(pattern=rf"(?s)\A(?:{lengths})\z", strict=True)
    else:
        schema = core_schema.str_schema(max_length=field.max_length, strict=True)
    return schema if is_required(field) else core_schema.nullable_schema(schema)

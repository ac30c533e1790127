"""From the bytes of a response to an envelope (sections named .4 of chapter 2). Pure.

A page is read by orjson. Where the body holds a number beyond 64 bits or half a surrogate pair, which
orjson rounds or refuses, the standard library reads it again, exactly.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from subcmc_crawler.errors import Malformed, Refused
from subcmc_crawler.spec.columns import Columns, columns_of
from subcmc_crawler.spec.personal import one_line

MAX_DEPTH: Final = 200
"""Levels of nesting, the envelope's own two included: BSON takes 180 of a record, no table needs four."""

MAX_BRACKETS: Final = 1_000_000
"""Opening brackets in a body: 10 MB of empty objects would be 290 MB of memory."""

MAX_COMMAS: Final = 1_000_000
"""Commas in a body: 10 MB of `"ab",` would be 120 MB of memory as text, and as much again as BSON."""

MAX_ROWS: Final = 100_000
"""Rows of a page, as many as a page can be asked for: 10 MB of `1,` would be 5 million rows to keep aside."""

MAX_TOTAL: Final = 10**12
"""More records than any province can hold: such a total is no declaration."""

_BOM: Final = b"\xef\xbb\xbf"
_DIGITS: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x2E for byte in range(256))
_LONG: Final = b"0" * 19  # -2**63 has 19 digits, 2**64 has 20
_MINUS: Final = 0x2D
_BEFORE_NUMBERS: Final = frozenset(b":,[ \t\r\n")
_LONE_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_TEXT_CLIP: Final = 80
_MESSAGE_CLIP: Final = 200


@dataclass(frozen=True, slots=True)
class Envelope:
    """One good response: `rows` are as served, `total` is None when the province declared nothing usable.

    `deviations` are stable words for what a lenient reader forgave: "bom", "code-string", "key-spaces:K",
    "key-typo:massage", "key-twice:K", "total-absent", "total-negative", "total-string", "total-type",
    "total-absurd", "data-null", "data-absent". `flat` says that no row holds an object, a list, or a name with a
    dollar, beyond doubt. `columns` are those of the rows, where they had to be looked at anyway.
    """

    code: int
    message: str
    total: int | None
    rows: list[Any]
    deviations: tuple[str, ...]
    flat: bool = field(default=False, compare=False)
    columns: Columns | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a body before it is read: opening brackets, and whether a name may have a dollar."""

    objects: int
    arrays: int
    dollars: bool

    @property
    def brackets(self) -> int:
        """Opening brackets of both kinds."""
        return self.objects + self.arrays


def parse(body: bytes) -> Envelope:
    """The envelope in `body`, the decoded bytes of an HTTP 200.

    Raises:
        Refused: kind "code", the province answered with a code that is not 0 (1.3.3).
        Malformed: kind "empty-body", "not-utf8", "not-json", "number", "depth", "amplification",
            "too-many-rows", "no-envelope", "no-code" or "no-data".
    """
    deviations: list[str] = []
    text = _text_in(body, deviations)
    loaded = _loaded(text)
    columns = _plain_columns(loaded)
    if columns is not None:
        document, outline = loaded, Outline(0, 0, _has_dollars(text))
    else:
        document, outline = _judged(text, loaded)
    members = _members(document, deviations)
    message = _message(members.get("message"))
    _check_code(members, message, deviations)
    total = total_of(members.get("total"), deviations)
    rows = _rows(members, total, deviations)
    if len(rows) > MAX_ROWS:
        raise Malformed("too-many-rows", f"{len(rows)} rows on one page")
    check_depth(document, rows, outline)
    return Envelope(0, message, total, rows, tuple(deviations), _is_flat(rows, outline), columns)


def document_in(body: bytes, deviations: list[str]) -> tuple[dict[str, Any], Outline]:
    """The JSON object in a body, and what the body looks like; Malformed as `parse`."""
    return _judged(_text_in(body, deviations))


def _text_in(body: bytes, deviations: list[str]) -> bytes:
    if body.startswith(_BOM):
        body = body[len(_BOM) :]
        deviations.append("bom")
    if not body or body.isspace():
        raise Malformed("empty-body", "the body is empty")
    return body


def _loaded(body: bytes) -> Any:
    """What the fast parser makes of a body too short to be amplified; None where it makes nothing of it."""
    if len(body) > min(MAX_BRACKETS, MAX_COMMAS):
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _plain_columns(document: Any) -> Columns | None:
    """The columns of a page in which nothing is nested, and no number is a float, as which long ones are read.

    Of most pages this is so, and then nothing is left to be looked for in their bytes.
    """
    if type(document) is not dict or type(document.get("data")) is not list:
        return None
    others = {type(value) for name, value in document.items() if name != "data"}
    if others & {float, dict, list}:
        return None
    columns = columns_of(document["data"])
    return columns if columns is not None and columns.are_plain else None


def _judged(body: bytes, loaded: Any = None) -> tuple[dict[str, Any], Outline]:
    """The document of a body, after a look at its bytes; `loaded` is what the fast parser made of it, if asked."""
    outline = Outline(body.count(b"{"), body.count(b"["), _has_dollars(body))
    if outline.brackets > MAX_BRACKETS:
        raise Malformed("amplification", f"{outline.brackets} opening brackets in {len(body)} bytes")
    if len(body) > MAX_COMMAS and (commas := body.count(b",")) > MAX_COMMAS:
        raise Malformed("amplification", f"{commas} commas in {len(body)} bytes")
    document = _load(body, loaded)
    if not isinstance(document, dict):
        raise Malformed("no-envelope", f"JSON, but no object: {_json_type(document)}")
    return document, outline


def _has_dollars(body: bytes) -> bool:
    """Whether a name may begin with a dollar; a single byte is looked for many times faster than two."""
    return (b"$" in body and b'"$' in body) or (b"\\" in body and b"\\u0024" in body)


def _load(body: bytes, loaded: Any) -> Any:
    """The JSON document in `body`, by the fast parser where it is exact.

    The faults are raised outside the handlers: a parser's error holds the whole document.
    """
    if _has_long_number(body):
        return _load_exactly(body)
    if loaded is not None:
        return loaded
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = error.msg
    if "depth" in reason or "ecursion" in reason:
        raise Malformed("depth", "nested too deep")
    if _LONE_SURROGATE.search(body) or "infinity" in reason:
        return _load_exactly(body)
    raise _unreadable(body, reason)


def _has_long_number(body: bytes) -> bool:
    """Whether a number may be beyond 64 bits; runs of digits within a text are none, unless it looks like JSON."""
    digits = body.translate(_DIGITS)
    at = digits.find(_LONG)
    while at >= 0:
        before = body[at - 1] if at else 0
        if before == _MINUS or (before in _BEFORE_NUMBERS and digits[at + 19 : at + 20] == b"0"):
            return True
        at = digits.find(_LONG, at + len(_LONG))
    return False


def _load_exactly(body: bytes) -> Any:
    fault: Malformed | None = None
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_float, parse_int=_integer
        )
    except Malformed as error:
        fault = error.with_traceback(None)
    except RecursionError:
        fault = Malformed("depth", "nested too deep")
    except UnicodeDecodeError:
        fault = _unreadable(body, "")
    except json.JSONDecodeError as error:
        fault = _unreadable(body, f"{error.msg} at character {error.pos}")
    raise fault


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        pass
    raise Malformed("number", f"an integer of {len(digits)} digits")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Malformed("number", "a number beyond every float")
    return number


def _refuse_constant(name: str) -> float:
    raise Malformed("not-json", f"{name} is no JSON number")


def _unreadable(body: bytes, reason: str) -> Malformed:
    """Why `body` is no JSON. JSON that broke is never quoted, for it holds records; a page of text is."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return Malformed("not-json", "cut inside a character")
        return Malformed("not-utf8", f"byte {error.start} is not UTF-8")
    if text.lstrip()[:1] in {"{", "["}:
        return Malformed("not-json", one_line(reason, _TEXT_CLIP))
    return Malformed("not-json", f"starts with {one_line(text, _TEXT_CLIP)}")


_NAMES: Final = {"code": "code", "message": "message", "massage": "message", "total": "total", "data": "data"}


def _members(document: dict[str, Any], deviations: list[str]) -> dict[str, Any]:
    """The members that the specification names, under their right names; the exact spelling wins."""
    members: dict[str, Any] = {
        name: document[name] for name in ("code", "message", "total", "data") if name in document
    }
    for key, value in document.items():
        name = _NAMES.get(key.strip())
        if name is None or key == name:
            continue
        found = [f"key-typo:{key.strip()}" if key.strip() != name else f"key-spaces:{name}"]
        if name in members:
            found.append(f"key-twice:{name}")
        else:
            members[name] = value
        deviations += [word for word in found if word not in deviations]  # once, however many keys there are
    return members


def _message(value: object) -> str:
    return one_line(value, _MESSAGE_CLIP) if isinstance(value, str) else ""


def _check_code(members: dict[str, Any], message: str, deviations: list[str]) -> None:
    code = members.get("code")
    if code is None:
        raise Malformed("no-code", "the envelope has no code")
    if type(code) is int and code == 0:
        return
    if code == "0":
        deviations.append("code-string")
        return
    shown = one_line(code, 32) if isinstance(code, str) else _number(code)
    raise Refused("code", f"code {shown}: {message}" if message else f"code {shown}", status=200)


def _number(value: object) -> str:
    if isinstance(value, int | float) and -MAX_TOTAL < value < MAX_TOTAL:
        return str(value)
    return f"({_json_type(value)})"


def total_of(value: object, deviations: list[str]) -> int | None:
    """The declared total: an integer or its digits. Anything else declares nothing, and says why."""
    if isinstance(value, str):
        value = _total_in(value.strip())
        if isinstance(value, int) and value >= 0:
            deviations.append("total-string")
    total: int | None = None
    if value is None or value == "":
        deviations.append("total-absent")
    elif isinstance(value, bool) or not isinstance(value, int):
        deviations.append("total-type")
    elif value < 0:
        deviations.append("total-negative")
    elif value > MAX_TOTAL:
        deviations.append("total-absurd")
    else:
        total = value
    return total


def _total_in(text: str) -> int | str:
    if text == "-1L":
        return -1
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        return text
    return int(text) if len(digits) <= 18 else MAX_TOTAL + 1


def _rows(members: dict[str, Any], total: int | None, deviations: list[str]) -> list[Any]:
    rows = members.get("data")
    if isinstance(rows, list):
        return rows
    if rows is None and total == 0:
        deviations.append("data-null" if "data" in members else "data-absent")
        return []
    if rows is None:
        raise Malformed("no-data", "the envelope has no data")
    raise Malformed("no-data", f"data is no list: {_json_type(rows)}")


def _is_flat(rows: list[Any], outline: Outline) -> bool:
    """Whether the envelope, its list, and the rows that are objects account for every opening bracket."""
    if outline.dollars or outline.arrays > 1 or outline.objects > len(rows) + 1:
        return False
    return outline.objects <= 1 + sum(type(row) is dict for row in rows)


def check_depth(document: dict[str, Any], rows: list[Any], outline: Outline) -> None:
    """Refuse what is nested deeper than `MAX_DEPTH`, level by level.

    With fewer opening brackets than the limit, those of rows left out, no depth can pass it, which is so for most
    pages, and then no row is looked at. A deeper chain has at most one row in it.
    """
    if outline.brackets < MAX_DEPTH or (
        outline.brackets - sum(type(row) is dict or type(row) is list for row in rows) < MAX_DEPTH
    ):
        return
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise Malformed("depth", f"nested more than {MAX_DEPTH} levels deep")


def _json_type(value: object) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")

"""What people may see of a person: names, telephone and identity numbers masked. Pure.

Nothing here raises, whatever the value, and whatever it returns is one printable line.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from subcmc_crawler.spec.fields import FIELDS, Personal

_CLIP: Final = 40
_KEY_CLIP: Final = 255
_STARS: Final = 20  # more would only tell how long a runaway value is
_READ: Final = 400  # characters of a value that are looked at; a sample shows far fewer

_PERSONAL: Final = {
    (code, field.name): field.personal
    for code, fields in FIELDS.items()
    for field in fields
    if field.personal is not None
}

_BIRTHDAY: Final = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_SENSITIVE: Final = re.compile(
    r"(?<!\d)(?:"
    r"\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx\uff38\uff58]"  # an identity number of 18, also in groups
    rf"|[1-9]\d{{5}}{_BIRTHDAY}\d{{3}}"  # the one of 15 from before 1999
    r"|(?:86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}"  # a mobile number, also with its country code
    r")(?!\d)"
)


def mask(kind: Personal | Literal["other"], value: object) -> str:
    """`value` as a report may show it.

    A name keeps its first character, a number of nine or more characters its first three and last two, a
    shorter one its first at most. Anything else is its repr, numbers inside scrubbed, clipped to 40
    characters; lists and objects show their size alone, since what they hold has no field to judge it by.
    """
    if isinstance(value, list | tuple):
        return f"[{len(value)} item{'' if len(value) == 1 else 's'}]"
    if isinstance(value, dict):
        return f"{{{len(value)} key{'' if len(value) == 1 else 's'}}}"
    if kind == "other" or not isinstance(value, str | int | float) or isinstance(value, bool):
        # Scrubbed before it is escaped: an escape's digits would hide where a number begins.
        return _clip(repr(scrub(value[:_READ])) if isinstance(value, str) else scrub(_repr(value)), _CLIP)
    text = value if isinstance(value, str) else _repr(value)
    if kind == "name" and text:
        return (_printable(text[0]) if len(text) > 1 else "") + "**"
    head, tail = _shown(len(text))
    stars = "*" * min(len(text) - head - tail, _STARS)
    return _printable(text[:head]) + stars + _printable(text[len(text) - tail :])


def mask_field(dataset_code: str, field: str, value: object) -> str:
    """`value` of a field of a dataset, masked as that field asks; an unknown field is no personal one."""
    return mask(_PERSONAL.get((dataset_code, field), "other"), value)


def mask_key(dataset_code: str, key: str) -> str:
    """A primary key as it is, but for identity and mobile numbers in it.

    Fifteen digits are an identity number among users alone; elsewhere they may be an IMEI or a serial.
    """
    if dataset_code == "ua_user" and len(key) == 15 and key.isdecimal():
        return mask("id", key)
    return _clip(_printable(scrub(key)), _KEY_CLIP)


def scrub(text: str) -> str:
    """`text` with every identity number and mobile number in it masked: for log lines and messages."""
    return _SENSITIVE.sub(_starred, text)


def one_line(text: str, limit: int) -> str:
    """At most `limit` characters of a stranger's text, scrubbed, without control and bidi characters."""
    kept = "".join(character for character in text[: limit * 4] if character.isprintable())
    return _clip(scrub(kept), limit)


def _starred(match: re.Match[str]) -> str:
    return mask("id", match.group())


def _shown(length: int) -> tuple[int, int]:
    """How many characters of a number stay at its head and tail: never the whole of it."""
    if length >= 9:
        return 3, 2
    return (1, 0) if length >= 4 else (0, 0)


def _repr(value: object) -> str:
    try:
        return _printable(repr(value)[:_READ])
    except Exception:  # a number of more digits than int may print, or an object that cannot show itself
        return f"<{type(value).__name__}>"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"

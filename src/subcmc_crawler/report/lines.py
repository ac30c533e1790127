"""Lines of text that fit: cell widths, escapes and plain tables.

One Chinese character fills two cells. Only characters whose width every terminal agrees on are drawn, so no
box characters and no ellipsis: their width is ambiguous in Chinese fonts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from rich.cells import get_character_cell_size

from subcmc_crawler.spec.personal import scrub

NO_BREAK: Final = "\u00a0"
"""Holds two words together when a line is wrapped."""

_WIDE_SPACE: Final = "\u3000"
_CONTROLS: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MOST_MARKS: Final = 4
"""Combining marks that a character may carry, as in Vietnamese or Thai; a storm of them covers other lines."""

_MARKS: Final = re.compile(
    "[\u0300-\u2fff\u302a-\u302f\u3099\u309a\ua000-\uabff\ufb1e\ufe00-\ufe2f\U00010000-\U0010ffff]"
)
"""Where combining marks and selectors of variants are, among others: a text without any needs no closer look."""

_STYLES: Final = {"good": "32", "note": "33", "bad": "1;31", "dim": "2", "head": "1"}
_UNITS: Final = ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T"))
_NARROWEST: Final = 20
_BREAKS: Final = " ，。；、："

Align = Literal["left", "right"]
Style = Literal["good", "note", "bad", "dim", "head"]


def escaped(text: str) -> str:
    """The text with every character that could forge a line or turn its direction written out."""
    if text.isprintable() and not _MARKS.search(text):
        return text
    return "".join(_escaped(text))


def shown(text: str) -> str:
    """Province-supplied text as one harmless line: personal data masked, controls and bidi marks escaped."""
    return escaped(scrub(text))


def _escaped(text: str) -> Iterable[str]:
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Mc", "Me") else 0
        drawn = char.isprintable() and not "\ufe00" <= char <= "\ufe0f"  # selectors only choose a variant
        yield char if (drawn and marks <= _MOST_MARKS) or char == _WIDE_SPACE else _written(char)


def _written(char: str) -> str:
    code = ord(char)
    if char in _CONTROLS:
        return _CONTROLS[char]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def width_of(text: str) -> int:
    """Terminal cells of a text: wide characters two, combining marks none."""
    return len(text) if text.isascii() else sum(_cells(char) for char in text)


@lru_cache(maxsize=8_192)
def _cells(char: str) -> int:
    """The wider of two opinions: the tables of rich are of a later Unicode than those of this Python."""
    if unicodedata.category(char) in ("Mn", "Me"):
        return get_character_cell_size(char)
    return max(get_character_cell_size(char), 2 if unicodedata.east_asian_width(char) in "WF" else 1)


def fit(text: str, width: int) -> str:
    """The text cut to `width` cells; a cut one ends in `~`."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        used += _cells(char)
        if used > width - 1:
            break
        kept.append(char)
    return ("".join(kept) + "~")[: max(width, 0)]


def pad(text: str, width: int, align: Align = "left") -> str:
    """The text cut or filled with spaces to exactly `width` cells."""
    text = fit(text, width)
    blank = " " * (width - width_of(text))
    return blank + text if align == "right" else text + blank


def wrap(text: str, width: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """The text as lines of at most `width` cells; breaks after a space or punctuation where one is near.

    A no-break space is drawn as a space. It can only be ours: `escaped()` writes those of others out.
    """
    hanging = indent if hanging is None else hanging
    lines: list[str] = []
    lead, rest = indent, text
    while len(head := _head(rest, width - width_of(lead))) < len(rest):
        lines.append((lead + head).rstrip())
        lead, rest = hanging, rest[len(head) :].lstrip(" ")
    lines = lines if lines and not rest else [*lines, lead + rest]
    return [line.replace(NO_BREAK, " ") for line in lines]


def _head(text: str, width: int) -> str:
    """As much of the text as fits, at least a character; no more of it than that is looked at."""
    used, end = 0, 0
    for end, char in enumerate(text):  # noqa: B007 - the index where the room ends is what we look for
        used += _cells(char)
        if used > width:
            break
    else:
        return text
    end = max(end, 1)
    for back in range(end, end * 2 // 3, -1):
        if text[back - 1] in _BREAKS:
            return text[:back]
    return text[:end]


def wrap_command(words: Sequence[str], width: int, *, indent: str) -> list[str]:
    """A shell command that may be copied: too long for one line, it goes on after a backslash."""
    lines: list[str] = []
    line = indent
    for number, word in enumerate(words):
        if number and width_of(line) + width_of(word) + 1 > width - 2:
            lines.append(f"{line} \\")
            line = f"{indent}  {word}"
        else:
            line = f"{line} {word}" if number else f"{line}{word}"
    return [*lines, line]


def compact(number: int) -> str:
    """A count of at least zero in at most four cells, cut and never rounded up: 9999, 12k, 1.2M."""
    if number < 10_000:
        return str(number)
    unit, letter = next((pair for pair in reversed(_UNITS) if number >= pair[0]), _UNITS[0])
    whole, rest = divmod(number, unit)
    if whole < 10:
        return f"{whole}.{rest * 10 // unit}{letter}"
    return f"{whole}{letter}" if whole < 1_000 else f">1{letter}"


@dataclass(frozen=True, slots=True)
class Paint:
    """ANSI colours, or none at all."""

    on: bool

    def __call__(self, text: str, style: Style) -> str:
        """The text in a style; unchanged without colour."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.on and text.strip() else text


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    aligns: str,
    width: int,
    indent: str = "  ",
) -> list[str]:
    """A plain table, columns cut until it fits; `aligns` has `l` or `r` for each column."""
    grid = [tuple(heads), *(tuple(row) for row in rows)]
    room = width - width_of(indent) - 2 * (len(heads) - 1)
    widths = _widths([max(width_of(row[at]) for row in grid) for at in range(len(heads))], room, aligns)
    return [(indent + "  ".join(_row(row, widths, aligns))).rstrip() for row in grid]


def _row(row: Sequence[str], widths: Sequence[int], aligns: str) -> Iterable[str]:
    for text, width, align in zip(row, widths, aligns, strict=True):
        yield pad(text, width, "right" if align == "r" else "left")


def _widths(widths: list[int], room: int, aligns: str) -> list[int]:
    """Text columns give way first, the last one before the others; numbers only when nothing else is left."""
    for at in reversed(range(len(widths))):
        if aligns[at] == "l":
            widths[at] = max(min(widths[at], _NARROWEST), widths[at] - max(0, sum(widths) - room))
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths

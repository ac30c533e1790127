"""JSON texts by grammar: those that every reader must take and those that none may, each as a row's value."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hostile_answers import page_of, refused, row_with, sound
from hostile_province import Case

_SPACES = ["", "", "", " ", "\t", "\n", "\r\n  "]
_ESCAPES = [
    '\\"',
    "\\\\",
    "\\/",
    "\\b",
    "\\f",
    "\\n",
    "\\r",
    "\\t",
    "\\u0000",
    "\\u00e9",
    "\\uD83D\\uDE00",
    "\\ud800",
]
_CHARACTERS = ["a", "é", "省", "😀", "\u2028", "\x7f", " ", "/", "$", ".", "'", "{", "]", ":", ","]


class Grammar:
    """RFC 8259, spoken at random."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - the same texts in every run

    def value(self, depth: int = 3) -> str:
        kinds = [self.number, self.string, self.word]
        if depth:
            kinds += [lambda: self.array(depth - 1), lambda: self.object(depth - 1)]
        return self.space() + self._random.choice(kinds)() + self.space()

    def space(self) -> str:
        return self._random.choice(_SPACES)

    def word(self) -> str:
        return self._random.choice(["true", "false", "null"])

    def number(self) -> str:
        digits = str(self._random.getrandbits(self._random.choice([1, 4, 31, 53, 64, 70])))
        fraction = self._random.choice(["", "", ".0", ".5", ".10", f".{self._random.getrandbits(60)}"])
        exponent = self._random.choice(["", "", "e0", "E+1", "e-7", "E2"])
        return self._random.choice(["", "-"]) + digits + fraction + exponent

    def string(self) -> str:
        parts = self._random.choices(_ESCAPES + _CHARACTERS, k=self._random.randrange(6))
        return '"' + "".join(parts) + '"'

    def array(self, depth: int) -> str:
        return (
            "["
            + (",".join(self.value(depth) for _ in range(self._random.randrange(4))) or self.space())
            + "]"
        )

    def object(self, depth: int) -> str:
        members = (
            f"{self.space()}{self.string()}{self.space()}:{self.value(depth)}"
            for _ in range(self._random.randrange(4))
        )
        return "{" + (",".join(members) or self.space()) + "}"


_BREAKS = {
    "bare-word": "tru",
    "capital": "True",
    "undefined": "undefined",
    "single-quoted": "'a'",
    "back-quoted": "`a`",
    "unquoted": "a",
    "minus": "-",
    "two-minus": "--1",
    "plus": "+1",
    "leading-zero": "-01",
    "bare-point": "1.",
    "bare-fraction": ".1",
    "two-points": "1.2.3",
    "bare-exponent": "1e",
    "bare-sign": "1e+",
    "exponent-point": "1e1.5",
    "octal": "0o17",
    "binary": "0b1",
    "suffix": "1n",
    "spaced-number": "1 2",
    "comma-first": "[,1]",
    "comma-last": "[1,]",
    "comma-twice": "[1,,2]",
    "comma-alone": "[,]",
    "no-comma": "[1 2]",
    "semicolon": "[1;2]",
    "unclosed-list": "[1",
    "closed-twice": "[1]]",
    "wrong-close": "[1}",
    "unclosed-object": '{"a":1',
    "no-colon": '{"a" 1}',
    "two-colons": '{"a"::1}',
    "equals": '{"a"=1}',
    "no-value": '{"a":}',
    "no-name": "{:1}",
    "bare-name": "{a:1}",
    "number-name": "{1:1}",
    "null-name": "{null:1}",
    "object-comma-last": '{"a":1,}',
    "object-comma-first": '{,"a":1}',
    "spread": "[...a]",
    "comment": "[1/* */]",
    "line-comment": "[1] // x",
    "hash-comment": "[1] # x",
    "escape-x": '"\\x41"',
    "escape-a": '"\\a"',
    "escape-0": '"\\0"',
    "escape-quote": '"\\\'"',
    "escape-short": '"\\u12"',
    "escape-no-hex": '"\\u12G4"',
    "escape-upper": '"\\U00000041"',
    "escape-end": '"\\',
    "unclosed-string": '"a',
    "raw-newline": '"a\nb"',
    "raw-tab": '"a\tb"',
    "raw-nul": '"a\0b"',
    "no-break-space": "[\u00a01]",
    "line-separator": "[\u20281]",
    "form-feed": "[\f1]",
    "vertical-tab": "[\v1]",
    "zero-width": "[\u200b1]",
    "bom-inside": "[\ufeff1]",
    "empty": "",
}


def json_cases(accepted: int = 40, seed: int = 8259) -> Iterator[Case]:
    """`accepted` texts of the grammar in a row each, and every way to break one."""
    grammar = Grammar(seed)
    for number in range(accepted):
        body = page_of(row_with(grammar.value()), '{"userId":"u2"}')
        yield sound(f"json.taken-{number}", body)
    for name, text in _BREAKS.items():
        yield refused(f"json.broken-{name}", page_of(row_with(text)), "not-json")

"""What a province puts into a good answer: encodings, names, numbers, sizes, keys and rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hostile_answers import (
    GOOD,
    REFUSED,
    every,
    page_of,
    refused,
    row_with,
    sound,
)
from hostile_province import Case

from subcmc_crawler.model import Verdict

TEXT = GOOD.decode()
_BOM = b"\xef\xbb\xbf"
_MEGA = 1024 * 1024


def body_cases() -> Iterator[Case]:
    """Every case of a body."""
    yield from _encodings()
    yield from _values()
    yield from _member_names()
    yield from _numbers()
    yield from _sizes()
    yield from _keys()
    yield from _rows()


def _encodings() -> Iterator[Case]:
    text = '{"code":0,"message":"好","total":1,"data":[{"userId":"u1","name":"省厅"}]}'
    yield sound("text.utf-8", text.encode())
    yield sound("text.bom", _BOM + text.encode())
    yield refused("text.two-boms", _BOM * 2 + text.encode(), "not-json")
    yield refused("text.bom-alone", _BOM, "empty-body")
    yield refused("text.bom-inside", text.encode()[:1] + _BOM + text.encode()[1:], "not-json")
    for encoding in (
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
        "gbk",
        "gb18030",
        "big5hkscs",
    ):
        yield refused(f"text.{encoding}", text.encode(encoding, "replace"), "not-utf8|not-json")
    for name, odd in {
        "latin-1": "é".encode("latin-1"),
        "overlong": b"\xc0\xaf",
        "surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
        "past-unicode": b"\xf5\x80\x80\x80",
        "stray-continuation": b"\x80",
        "cut-inside": "省".encode()[:2],
    }.items():
        yield refused(f"text.{name}", page_of(b'{"userId":"u1","name":"' + odd + b'"}'), "not-utf8")
    yield refused(
        "text.cut-at-character", text.encode()[: text.encode().index("省".encode()) + 1], "not-json"
    )
    yield refused("text.utf-7", b"+AHsAIg-" + GOOD, "not-json")
    yield refused("text.nul-after", GOOD + b"\0", "not-json")
    yield refused("text.nul-before", b"\0" + GOOD, "not-json")
    yield refused("text.nuls", bytes(1000), "not-json")


def _values() -> Iterator[Case]:
    for name, value in {
        "lone-high": '"\\ud800"',
        "lone-low": '"\\udfff x"',
        "swapped": '"\\ude00\\ud83d"',
        "pair": '"\\ud83d\\ude00"',
        "half-and-digits": '["\\uD800", 12345678901234567890123]',
        "nul": '"a\\u0000b"',
        "controls": '"\\u0001\\u001f\\u007f\\u0085\\u2028\\u202e"',
        "noncharacters": '"\\uffff\\ufffe"',
        "escapes": '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
        "markup": '"<script>alert(1)</script>{{7*7}}${jndi:ldap://x}"',
        "formula": "\"=cmd|'/C calc'!A0\"",
        "operator-value": '"$_id"',
        "operator": '{"$ne":null,"$where":"sleep(1000)"}',
        "object-id": '{"$oid":"507f1f77bcf86cd799439011"}',
        "reference": '{"$ref":"runs","$id":1,"$db":"admin"}',
        "nested-wrapper": '{"$subcmc.json":"{}"}',
        "lists": "[[],[[]],[{}],{}]",
        "depth-60": "[" * 60 + "]" * 60,
        "depth-190": "[" * 190 + "]" * 190,
        "depth-190-of-objects": '{"a":' * 190 + "1" + "}" * 190,
    }.items():
        yield sound(f"value.{name}", page_of(row_with(value)))
    yield refused("value.control-raw", page_of(b'{"userId":"u\n1"}'), "not-json")
    yield refused("value.nul-raw", page_of(b'{"userId":"u\0001"}'), "not-json")
    for name, value in {
        "depth-199": "[" * 199 + "]" * 199,
        "depth-10000": "[" * 10_000 + "]" * 10_000,
        "depth-10000-of-objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
        "depth-10000-and-digits": "[" * 10_000 + "1" * 30 + "]" * 10_000,
        "depth-10000-unclosed": "[" * 10_000,
        "depth-900000": "[" * 900_000 + "]" * 900_000,
    }.items():
        yield refused(f"value.{name}", page_of(row_with(value)), "depth|not-json")
    outside = TEXT[:-1] + ',"extra":' + "[" * 10_000 + "]" * 10_000 + "}"
    yield refused("value.depth-beside-the-rows", outside.encode(), "depth")


def _member_names() -> Iterator[Case]:
    for name, member in {
        "dollar": '"$":1',
        "dollar-set": '"$set":{"state":"published"}',
        "dotted": '"a.b.c":1',
        "dots": '".":1,"..":2',
        "empty": '"":1',
        "spaces": '" ":1,"  ":2',
        "proto": '"__proto__":{"polluted":true}',
        "dunder": '"__class__":"x","constructor":{"prototype":1}',
        "id": '"_id":"x"',
        "ours": '"cmcId":"other","from":1,"to":0,"hash":"x","record":{}',
        "wrapper": '"$subcmc.json":"{\\"userId\\":\\"forged\\"}"',
        "reference": '"$ref":"runs"',
        "reference-and-id": '"$ref":"runs","$id":"u1"',
        "nul": '"a\\u0000b":1',
        "lone-surrogate": '"\\ud800":1',
        "long": '"' + "k" * 10_240 + '":1',
        "mega": '"' + "k" * _MEGA + '":1',
        "twice": '"a":1,"a":2',
        "twice-in-spaces": '"name":"a"," name ":"b"',
        "time-in-spaces": '" collectTime ":5',
        "time-twice": '"collectTime":1," collectTime":2',
        "time-object": '"collectTime":{"$date":[1,"\\ud800"]}',
        "50000": ",".join(f'"k{number}":{number}' for number in range(50_000)),
    }.items():
        yield sound(f"name.{name}", page_of(f'{{"userId":"u1",{member}}}'))
    alone = '{"$subcmc.json":"{\\"userId\\":\\"forged\\"}"}'
    yield sound("name.wrapper-alone", page_of(alone, '{"userId":"u2"}'), reasons=("missing-key",))
    yield sound("name.key-twice", page_of('{"userId":"u1","userId":"u2"}'))


def _numbers() -> Iterator[Case]:
    for name, number in {
        "2-63-less-1": str(2**63 - 1),
        "2-63": str(2**63),
        "2-64-less-1": str(2**64 - 1),
        "2-64": str(2**64),
        "-2-63": str(-(2**63)),
        "-2-63-less-1": str(-(2**63) - 1),
        "70-bits": str(2**70 - 1),
        "400-digits": "9" * 400,
        "-400-digits": "-" + "9" * 400,
        "4300-digits": "1" * 4300,
        "one-and-float": "[1,1.0,1e0,10e-1]",
        "zeros": "[0,-0,0.0,-0.0,0e5]",
        "largest": "1.7976931348623157e308",
        "smallest": "[5e-324,2.2250738585072014e-308,1e-400]",
        "long-fraction": "0." + "1" * 400,
        "long-float": "1" * 300 + ".5",
        "exponents": "[1E+2,1e-2,1E2]",
    }.items():
        yield sound(f"number.{name}", page_of(row_with(number)))
    for name, number in {
        "nan": "NaN",
        "infinity": "Infinity",
        "-infinity": "-Infinity",
        "nan-and-digits": '[NaN,"' + "1" * 25 + '"]',
        "1e309": "1e309",
        "-1e999999": "-1e999999",
        "4301-digits": "1" * 4301,
        "100000-digits": "1" * 100_000,
        "plus": "+1",
        "leading-zero": "01",
        "hex": "0x1F",
        "bare-point": "1.",
        "no-integer": ".5",
        "underscore": "1_000",
        "long": "1L",
        "full-width": "１",
    }.items():
        yield refused(f"number.{name}", page_of(row_with(number)), "number|not-json")


def _sizes() -> Iterator[Case]:
    yield sound("size.9-mb-row", page_of(row_with('"' + "x" * 9 * _MEGA + '"')))
    yield sound("size.9-mb-of-floats", page_of(row_with("[" + ",".join(["1e15"] * 950_000) + "]")))
    yield sound("size.9-mb-of-halves", page_of(row_with('"' + "\\ud800" * 1_500_000 + '"')))
    for name, body in {
        "16-mb-row": page_of(row_with('"' + "x" * 16 * _MEGA + '"')),
        "16-mb-key": page_of('{"userId":"' + "x" * 16 * _MEGA + '"}'),
        "16-mb-of-space": GOOD + b" " * 16 * _MEGA,
        "11-mb-message": TEXT.replace('"ok"', '"' + "x" * 11 * _MEGA + '"').encode(),
    }.items():
        yield Case(name=f"size.{name}", script=every(body), verdict=REFUSED, fault="too-large")
    yield sound("size.9-mb-message", TEXT.replace('"ok"', '"' + "x" * 9 * _MEGA + '"').encode())
    yield refused("size.3-million-objects", page_of(b"{}," * 3_000_000 + b"{}", total="9"), "amplification")
    yield refused(
        "size.900000-objects", page_of(b"{}," * 900_000 + b"{}", total="9"), "amplification|too-many-rows"
    )
    yield refused("size.5-million-numbers", page_of(b"1," * 5_000_000 + b"1", total="9"), "amplification")
    yield refused("size.9-mb-of-html", b"<p>" * 3 * _MEGA, "not-json")
    yield refused("size.9-mb-unclosed", b'{"code":0,"total":1,"data":["' + b"x" * 9 * _MEGA, "not-json")


def _keys() -> Iterator[Case]:
    aside = {
        "null": ("null", "empty-key"),
        "empty": ('""', "empty-key"),
        "spaces": ('"　 \\t"', "empty-key"),
        "none": ("-1", "empty-key"),
        "none-text": ('"-1L"', "empty-key"),
        "float": ("1.5", "bad-key"),
        "float-whole": ("1.0", "bad-key"),
        "true": ("true", "bad-key"),
        "list": ('["u1"]', "bad-key"),
        "object": ('{"$gt":""}', "bad-key"),
        "10-kb": ('"' + "k" * 10_240 + '"', "bad-key"),
        "lone-surrogate": ('"\\ud800"', "bad-key"),
        "400-digits": ("9" * 400, "bad-key"),
    }
    for name, (key, reason) in aside.items():
        body = page_of(f'{{"userId":{key}}}', '{"userId":"u2"}')
        yield sound(f"key.{name}", body, reasons=(reason,))
    taken = {
        "number": "5",
        "70-bits": str(2**70),
        "slashes": '"a/00000001/b"',
        "dollar": '"$where"',
        "dots": '"../../etc/passwd"',
        "nul": '"a\\u0000b"',
        "lines": '"a\\r\\nb\\u2028"',
        "last-character": '"\\udbff\\udfff"',
        "1024": '"' + "省" * 1024 + '"',
        "regex": '".*"',
        "number-with-space": '" 5"',
    }
    for name, key in taken.items():
        yield sound(f"key.{name}", page_of(f'{{"userId":{key}}}', '{"userId":"u2"}'))
    composed = page_of('{"userId":"\\u00e9"}', '{"userId":"e\\u0301"}', '{"userId":"\\u00c9"}')
    yield sound("key.three-accents", composed)
    yield sound(
        "key.absent", page_of('{"name":"x"}', '{"userid":"x"}', '{"userId":"u2"}'), reasons=("missing-key",)
    )
    yield sound("key.in-spaces", page_of('{" userId ":"u1"}'))
    same = page_of('{"userId":1}', '{"userId":"1"}')
    yield sound(
        "key.number-and-text", same, reasons=("conflicting",), verdict=Verdict.DUPLICATED, most_requests=8
    )


def _rows() -> Iterator[Case]:
    rows = ["null", "0", '"text"', "[]", "true", '["userId"]', "[[{}]]", "1.5", '"\\ud800"', "1" * 30]
    for number, row in enumerate(rows):
        yield sound(f"row.no-object-{number}", page_of(row, '{"userId":"u2"}'), reasons=("not-an-object",))
    yield sound(
        "row.foreign", page_of('{"userId":"u1","cmcId":"wire.utf-8"}', '{"userId":"u2","reportType":"D"}')
    )
    twice = ['{"userId":"u1","a":1}'] * 3
    more: dict[str, Any] = {"verdict": Verdict.DUPLICATED, "most_requests": 8}
    yield sound("row.three-times", page_of(*twice), **more)
    conflict = page_of('{"userId":"u1","a":1}', '{"userId":"u1","a":2}', '{"userId":"u1","a":3}')
    yield sound("row.three-contents", conflict, reasons=("conflicting",), **more)
    and_back = page_of('{"userId":"u1","a":1}', '{"userId":"u1","a":1}', '{"userId":"u1","a":1.0}')
    yield sound("row.one-and-float", and_back, reasons=("conflicting", "repeated"), **more)

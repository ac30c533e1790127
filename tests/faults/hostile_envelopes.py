"""What a province makes of the envelope: its form, its code and its total."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hostile_answers import GOOD, ROWS, SHORT, SURPLUS, every, refused, sound
from hostile_province import Case, envelope

from subcmc_crawler.model import Verdict

SHRUNK = Verdict.SHRUNK
TEXT = GOOD.decode()


def envelope_cases() -> Iterator[Case]:
    """Every case of an envelope."""
    yield from _envelopes()
    yield from _codes()
    yield from _totals()


def _envelopes() -> Iterator[Case]:
    for name, body in {
        "list": json.dumps(ROWS),
        "string": '"ok"',
        "number": "0",
        "null": "null",
        "true": "true",
    }.items():
        yield refused(f"envelope.{name}", body.encode(), "no-envelope")
    for name, body in {
        "empty": "",
        "space": " \r\n\t ",
    }.items():
        yield refused(f"envelope.{name}", body.encode(), "empty-body")
    for name, body in {
        "html": "<!DOCTYPE html><html><body>网关超时</body></html>",
        "xml": "<?xml version='1.0'?><code>0</code>",
        "two": TEXT * 2,
        "lines": TEXT + "\n" + TEXT,
        "jsonp": f"callback({TEXT});",
        "guarded": ")]}',\n" + TEXT,
        "comment": "/* ok */" + TEXT,
        "semicolon": TEXT + ";",
        "quotes": TEXT.replace('"', "'"),
        "bare-names": TEXT.replace('"code"', "code"),
        "comma": TEXT[:-1] + ",}",
        "cut": TEXT[:-1],
        "yaml": "code: 0\ndata: []",
        "form": "code=0&total=0",
        "base64": "eyJjb2RlIjowfQ==",
        "python": "{'code': 0, 'data': None}",
    }.items():
        yield refused(f"envelope.{name}", body.encode(), "not-json")
    for name, body in {
        "upper-case": TEXT.replace('"data"', '"DATA"'),
        "no-data": '{"code":0,"message":"ok","total":2}',
        "data-null": '{"code":0,"message":"ok","total":2,"data":null}',
        "data-object": '{"code":0,"total":2,"data":{"list":[]}}',
        "data-text": '{"code":0,"total":2,"data":"[]"}',
        "data-number": '{"code":0,"total":2,"data":7}',
    }.items():
        yield refused(f"envelope.{name}", body.encode(), "no-data")
    for name, body in {
        "stray-names": TEXT.replace('"code"', '" code "').replace('"total"', '"\\ttotal"'),
        "massage": TEXT.replace('"message"', '"massage"'),
        "message-object": TEXT.replace('"ok"', '{"a":["\\u202e"]}'),
        "message-controls": TEXT.replace('"ok"', '"\\u001b[2J\\r\\nHTTP/1.1 13912345678"'),
        "more-members": TEXT[:-1] + ',"pages":1,"success":false,"__proto__":{}}',
        "data-twice": TEXT.replace('"data"', '"data":[{"userId":"lost"}],"data"'),
        "total-twice": TEXT.replace('"total"', '"total":99,"total"'),
        "code-twice": TEXT.replace('"code"', '"code":500,"code"'),
        "pretty": json.dumps(json.loads(TEXT), indent=4),
        "escaped-names": TEXT.replace('"data"', '"\\u0064ata"'),
    }.items():
        yield sound(f"envelope.{name}", body.encode(), rows=ROWS)


def _codes() -> Iterator[Case]:
    for name, code in {
        "1": "1",
        "-1": "-1",
        "200": "200",
        "text-200": '"200"',
        "00": '"00"',
        "false": "false",
        "true": "true",
        "float": "0.0",
        "list": "[]",
        "object": '{"code":0}',
        "400-digits": "9" * 400,
        "text": '"\\u001b]0;x\\u0007\\n13912345678"',
    }.items():
        yield refused(f"code.{name}", TEXT.replace('"code": 0', f'"code": {code}').encode(), "code")
    yield refused("code.null", TEXT.replace('"code": 0', '"code": null').encode(), "no-code")
    yield refused("code.absent", TEXT.replace('"code": 0', '"status": 0').encode(), "no-code")
    yield refused("code.object-empty", b"{}", "no-code")
    yield sound("code.text-0", TEXT.replace('"code": 0', '"code": "0"').encode())


def _totals() -> Iterator[Case]:
    for name, total in {
        "float": "2.0",
        "negative": "-2",
        "negative-text": '"-1L"',
        "null": "null",
        "true": "true",
        "list": "[2]",
        "object": '{"$numberLong":"2"}',
        "word": '"two"',
        "empty-text": '""',
        "exponent": "2e0",
        "10-18": str(10**18),
        "10-400": "1" + "0" * 400,
        "10-18-text": f'"{10**18}"',
        "full-width": '"２"',
    }.items():
        odd = TEXT.replace('"total": 2', f'"total": {total}').encode()
        yield Case(name=f"total.{name}", script=every(odd), verdict=SHORT, rows=ROWS, most_requests=12)
    absent = TEXT.replace('"total": 2, ', "").encode()
    yield Case(name="total.absent", script=every(absent), verdict=SHORT, rows=ROWS, most_requests=12)
    yield sound("total.text", TEXT.replace('"total": 2', '"total": " 2 "').encode())
    for name, more in (("one-more", 3), ("million", 10**6), ("10-12", 10**12)):
        yield Case(
            name=f"total.{name}",
            script=every(envelope(ROWS, more)),
            verdict=SHORT,
            rows=ROWS,
            most_requests=20,
        )
    yield Case(
        name="total.one-less",
        script=every(envelope(ROWS, 1)),
        verdict=SURPLUS,
        rows=ROWS,
        most_requests=12,
    )
    yield Case(
        name="total.zero",
        script=every(envelope(ROWS, 0)),
        verdict=SURPLUS,
        rows=ROWS,
        most_requests=12,
    )
    for name, body in {
        "nothing": '{"code":0,"message":"ok","total":0,"data":[]}',
        "nothing-null": '{"code":0,"message":"ok","total":0,"data":null}',
        "nothing-absent": '{"code":0,"message":"ok","total":0}',
    }.items():
        yield Case(
            name=f"total.{name}", script=every(body.encode()), verdict=SHRUNK, rows=[], most_requests=12
        )

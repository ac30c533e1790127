"""The ways in which a province of the tests answers: sound pages, one body for all, raw bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from hostile_province import Case, Line, Script, envelope

from subcmc_crawler.model import Verdict

PROVEN, REFUSED, UNREACHABLE = Verdict.PROVEN, Verdict.REFUSED, Verdict.UNREACHABLE
SHORT, SURPLUS, DRIFTING = Verdict.SHORT, Verdict.SURPLUS, Verdict.DRIFTING

ROWS: list[Any] = [{"userId": "u1", "name": "乙"}, {"userId": "u2", "name": "丙"}]
GOOD = envelope(ROWS)
OK = b"HTTP/1.1 200 OK\r\n"
Then = Literal["keep", "close", "reset", "hold"]


def raw(data: bytes, then: Then = "keep") -> Script:
    """The same bytes for every request, and then nothing more."""

    async def script(line: Line) -> None:
        await line.send(data)
        match then:
            case "close":
                await line.close()
            case "reset":
                line.reset()
            case "hold":
                await line.gone()
            case "keep":
                pass

    return script


def http(body: bytes, *headers: bytes) -> bytes:
    """A whole answer as bytes."""
    lines = [OK[:-2], *headers, b"Content-Length: %d" % len(body), b"", b""]
    return b"\r\n".join(lines) + body


def chunks(*pieces: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"


def every(body: bytes, *headers: str, status: str = "200 OK") -> Script:
    """One body for every request."""

    async def script(line: Line) -> None:
        await line.reply(body, *headers, status=status)

    return script


def paged(rows: Sequence[Any], total: Any = None) -> Script:
    """Sound pages over some rows, with any total."""

    async def script(line: Line) -> None:
        start = (line.page_num - 1) * line.page_size
        await line.reply(
            envelope(rows[start : start + line.page_size], len(rows) if total is None else total)
        )

    return script


def page_by(answer: Callable[[Line], bytes]) -> Script:
    """A body for each request as `answer` makes it."""

    async def script(line: Line) -> None:
        await line.reply(answer(line))

    return script


def page_of(*rows: str | bytes, total: str | None = None) -> bytes:
    """A page whose rows are JSON texts."""
    texts = [row.encode() if isinstance(row, str) else row for row in rows]
    declared = str(len(texts)) if total is None else total
    return b'{"code":0,"message":"ok","total":%b,"data":[%b]}' % (declared.encode(), b",".join(texts))


def row_with(value: str | bytes, key: str = "u1") -> bytes:
    """A row with one odd member, as JSON text."""
    text = value.encode() if isinstance(value, str) else value
    return b'{"userId":"%b","odd":%b}' % (key.encode(), text)


def sound(name: str, body: bytes, **more: Any) -> Case:
    """A one-page body that has to come back from `export` as the standard library reads it."""
    rows = json.loads(body.decode("utf-8-sig")) if "rows" not in more else {"data": more.pop("rows")}
    return Case(name=name, script=every(body), verdict=more.pop("verdict", PROVEN), rows=rows["data"], **more)


def refused(name: str, body: bytes, fault: str, **more: Any) -> Case:
    """A body that is no envelope."""
    return Case(name=name, script=every(body), verdict=REFUSED, fault=fault, **more)

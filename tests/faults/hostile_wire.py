"""What a province does to HTTP: framing, heads, statuses, encodings, and how it ends a connection."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from hostile_answers import (
    GOOD,
    OK,
    PROVEN,
    REFUSED,
    ROWS,
    UNREACHABLE,
    Then,
    chunks,
    every,
    http,
    raw,
)
from hostile_province import Case, Line, Script, envelope

from subcmc_crawler.model import Verdict

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HURRY = "request_timeout_seconds = 0.4"
_PACKED = gzip.compress(GOOD)
_RAW_DEFLATE = zlib.compressobj(wbits=-15)
_RAW_DEFLATED = _RAW_DEFLATE.compress(GOOD) + _RAW_DEFLATE.flush()


def wire_cases() -> Iterator[Case]:
    """Every case of the wire."""
    yield from _sound()
    yield from _broken()
    yield from _drips()
    yield from _endless()
    yield from _statuses()
    yield from _kept_connections()


def _good(name: str, data: bytes, then: Then = "keep") -> Case:
    return Case(name=f"wire.{name}", script=raw(data, then), verdict=PROVEN, rows=ROWS)


def _bad(name: str, data: bytes, fault: str, *, then: Then = "close", verdict: Verdict = REFUSED) -> Case:
    return Case(name=f"wire.{name}", script=raw(data, then), verdict=verdict, fault=fault)


def _sound() -> Iterator[Case]:
    """Odd, but an answer: its rows are taken."""
    yield _good("chunks-of-a-byte", CHUNKED + chunks(*(bytes([byte]) for byte in GOOD)))
    yield _good("chunk-extension", CHUNKED + b'%x;a=b;c="d"\r\n%b\r\n0;x\r\n\r\n' % (len(GOOD), GOOD))
    yield _good("chunk-zeros", CHUNKED + b"000000%X\r\n%b\r\n000\r\n\r\n" % (len(GOOD), GOOD))
    yield _good("trailers", CHUNKED + chunks(GOOD)[:-2] + b"X-Sum: 1\r\n\r\n")
    yield _good("no-length-closed", OK + b"\r\n" + GOOD, "close")
    yield _good("unknown-transfer", OK + b"Transfer-Encoding: x\r\n\r\n" + GOOD, "close")
    yield _good("gzip-without-sum", http(_PACKED[:-8], b"Content-Encoding: gzip"))
    yield _good("space-before-colon", OK + b"Content-Length : %d\r\n\r\n" % len(GOOD) + GOOD)
    yield _good("http-1.0", b"HTTP/1.0 200 OK\r\n\r\n" + GOOD, "close")
    yield _good("no-reason", b"HTTP/1.1 200\r\n" + http(GOOD)[len(OK) :])
    yield _good("other-reason", b"HTTP/1.1 200 Not Found \x1b[2J\r\n" + http(GOOD)[len(OK) :])
    yield _good("lower-case-head", http(GOOD).replace(b"Content-Length", b"cOnTeNt-lEnGtH"))
    yield _good("gzip", http(_PACKED, b"Content-Encoding: gzip"))
    yield _good("gzip-chunks-of-a-byte", _chunked_gzip(*(bytes([byte]) for byte in _PACKED)))
    yield _good("GZIP", http(_PACKED, b"Content-Encoding: GZIP"))
    yield _good("deflate-zlib", http(zlib.compress(GOOD), b"Content-Encoding: deflate"))
    yield _good("deflate-raw", http(_RAW_DEFLATED, b"Content-Encoding: deflate"))
    yield _good("identity", http(GOOD, b"Content-Encoding: identity"))
    yield _good("head-of-100-lines", http(GOOD, *(b"X-%d: %d" % (n, n) for n in range(100))))
    yield _good("head-of-one-name", http(GOOD, *(b"Set-Cookie: a=%d" % n for n in range(100))))
    yield _good("bytes-in-head", http(GOOD, b"X-Name: \xff\xfe\x80\xe7\x9c\x81"))
    yield _good("continue-first", b"HTTP/1.1 100 Continue\r\n\r\n" + http(GOOD))
    yield _good("hints-first", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + http(GOOD))
    yield _good("continue-2000-times", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000 + http(GOOD))
    for kind in _CONTENT_TYPES:
        yield _good(f"type-{_CONTENT_TYPES.index(kind)}", http(GOOD, b"Content-Type: " + kind))


_CONTENT_TYPES = [
    b"text/html",
    b"image/png",
    b"application/json; charset=gbk",
    b"application/json; charset=utf-16",
    b"application/json; charset=zlib",
    b"application/json; charset=" + b"x" * 5000,
    b"multipart/form-data; boundary=x",
    b"",
    b"////;;;==",
]


def _broken() -> Iterator[Case]:
    """No answer that can be read."""
    size = len(GOOD)
    yield _bad("length-too-long", OK + b"Content-Length: %d\r\n\r\n" % (size + 1) + GOOD, "cut-body")
    yield _bad(
        "length-too-short", OK + b"Content-Length: %d\r\n\r\n" % (size - 1) + GOOD, "not-json|protocol"
    )
    yield _bad("length-negative", OK + b"Content-Length: -1\r\n\r\n" + GOOD, "protocol")
    yield _bad("length-word", OK + b"Content-Length: many\r\n\r\n" + GOOD, "protocol")
    yield _bad("length-empty", OK + b"Content-Length: \r\n\r\n" + GOOD, "protocol")
    yield _bad("length-past-64-bits", OK + b"Content-Length: 1%b\r\n\r\n" % (b"0" * 30) + GOOD, "protocol")
    yield _bad("length-hex", OK + b"Content-Length: 0x%x\r\n\r\n" % size + GOOD, "protocol")
    yield _bad("length-plus", OK + b"Content-Length: +%d\r\n\r\n" % size + GOOD, "protocol")
    yield _bad("length-list", OK + b"Content-Length: %d, %d\r\n\r\n" % (size, size) + GOOD, "protocol")
    yield _bad("length-twice", http(GOOD, b"Content-Length: %d" % size), "protocol")
    yield _bad("length-two-ways", http(GOOD, b"Content-Length: 5"), "protocol")
    yield _bad("length-zero", OK + b"Content-Length: 0\r\n\r\n", "empty-body")
    yield _bad("length-and-chunked", http(chunks(GOOD), b"Transfer-Encoding: chunked"), "protocol")
    yield _bad("gzip-transfer", http(_PACKED, b"Transfer-Encoding: gzip, chunked"), "protocol")
    yield _bad("length-in-trailers", CHUNKED + chunks(GOOD)[:-2] + b"Content-Length: 5\r\n\r\n", "protocol")
    for name, data in _BROKEN_CHUNKS.items():
        yield _bad(f"chunk-{name}", CHUNKED + data, "cut-body|protocol")
    for name, data in _CUT_PACKINGS.items():
        yield _bad(f"gzip-{name}", http(data, b"Content-Encoding: gzip"), "")
    for encoding in (
        b"br",
        b"zstd",
        b"gzip, gzip",
        b"compress",
        b"x-gzip",
        b"aes128gcm",
        b"\xff",
        b"gzip;q=1",
    ):
        name = encoding.decode("ascii", "replace").replace(", ", "-").replace(";", "-").replace("\ufffd", "x")
        yield _bad(f"encoding-{name.replace('=', '')}", http(_PACKED, b"Content-Encoding: " + encoding), "")
    for name, head in _BROKEN_HEADS.items():
        yield _bad(f"head-{name}", head, "protocol")
    for name, junk in _JUNK.items():
        yield _bad(f"junk-{name}", junk, "protocol")
    endings: list[tuple[str, Then]] = [("fin", "close"), ("reset", "reset")]
    for name, then in endings:
        yield _bad(f"{name}-at-once", b"", "disconnected", then=then, verdict=UNREACHABLE)
        yield _bad(f"{name}-in-head", OK + b"Content-Le", "disconnected", then=then, verdict=UNREACHABLE)
        yield _bad(f"{name}-in-body", http(GOOD)[:-9], "cut-body", then=then)
        yield _bad(f"{name}-in-chunk", CHUNKED + b"%x\r\n" % size + GOOD[:9], "cut-body", then=then)
        yield _bad(f"{name}-in-json", OK + b"\r\n" + GOOD[:-9], "", then=then)


def _chunked_gzip(*pieces: bytes) -> bytes:
    return OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(*pieces)


_BROKEN_CHUNKS = {
    "size-past-64-bits": b"ffffffffffffffffff\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "size-negative": b"-5\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "size-0x": b"0x%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
    "size-word": b"many\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "size-empty": b"\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "size-wrong": b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD) - 3, GOOD),
    "no-last": chunks(GOOD)[:-5],
    "no-line-end": b"%x\r\n%b0\r\n\r\n" % (len(GOOD), GOOD),
    "extension-broken": b"%x;\x00\x01\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
}
_CUT_PACKINGS = {
    "none": GOOD,
    "cut": _PACKED[:-12],
    "head-only": _PACKED[:10],
    "half-head": _PACKED[:4],
    "wrong-sum": _PACKED[:-8] + b"\0" * 8,
    "noise": _PACKED[:12] + b"\xff" * 40,
    "deflate": zlib.compress(GOOD),
}
_BROKEN_HEADS = {
    "long-line": OK + b"X: " + b"x" * 20_000 + b"\r\n\r\n",
    "long-name": OK + b"X" * 20_000 + b": x\r\n\r\n",
    "1000-lines": OK + b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"\r\n",
    "long-reason": b"HTTP/1.1 200 " + b"x" * 20_000 + b"\r\n\r\n",
    "nul": OK + b"X: a\0b\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
    "no-colon": OK + b"nothing\r\n\r\n" + GOOD,
    "space-in-name": OK + b"X Y: 1\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
    "control-in-name": OK + b"X\x07Y: 1\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
}
_JUNK = {
    "http-0.9": GOOD,
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "smtp": b"220 mail.example ESMTP\r\n\r\n",
    "tls-alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "nuls": bytes(4096),
    "noise": bytes(range(256)) * 16,
    "icy": b"ICY 200 OK\r\n\r\n" + GOOD,
    "http-2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),
    "version-9.9": b"HTTP/9.9 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
    "version-word": b"HTTP/one 200 OK\r\n\r\n" + GOOD,
    "status-word": b"HTTP/1.1 two hundred\r\n\r\n" + GOOD,
    "status-20": b"HTTP/1.1 20 OK\r\n\r\n" + GOOD,
    "status-2000": b"HTTP/1.1 2000 OK\r\n\r\n" + GOOD,
    "status-negative": b"HTTP/1.1 -200 OK\r\n\r\n" + GOOD,
    "request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
}


def _hurried(name: str, script: Script, fault: str = "timeout", *, most_requests: int = 4) -> Case:
    verdict = UNREACHABLE if fault == "timeout" else (UNREACHABLE, REFUSED)
    return Case(
        name=f"wire.{name}",
        script=script,
        verdict=verdict,
        fault=fault,
        settings=HURRY,
        most_requests=most_requests,
    )


def _drips() -> Iterator[Case]:
    """Each byte comes in time, the page never does."""

    async def silent(line: Line) -> None:
        await line.gone()

    yield _hurried("silence", silent)
    for name, start, drip in (
        ("status", b"", OK * 9),
        ("head", OK, b"X-A: b\r\n" * 99),
        ("body", http(GOOD)[: -len(GOOD)], GOOD),
        ("chunks", CHUNKED, chunks(*(bytes([byte]) for byte in GOOD))),
        ("extension", CHUNKED + b"1", b";a" * 200),
        ("gzip", OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_PACKED), _PACKED),
        ("trailers", CHUNKED + chunks(GOOD)[:-2], b"X-A: b\r\n" * 99),
        ("continues", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99),
    ):
        yield _hurried(f"drip-{name}", _dripping(start, drip))
    yield _hurried("head-then-silence", raw(http(GOOD)[: -len(GOOD)], "hold"))
    yield _hurried("body-but-its-end", raw(CHUNKED + chunks(GOOD)[:-5], "hold"))


def _dripping(start: bytes, data: bytes) -> Script:
    async def script(line: Line) -> None:
        await line.send(start)
        await line.drip(data)
        await line.gone()

    return script


def _pouring(start: bytes, piece: bytes) -> Script:
    async def script(line: Line) -> None:
        await line.send(start)
        await line.pour(piece)

    return script


def _endless() -> Iterator[Case]:
    """It never stops. What is body is cut at 10 MB, what is not at the timeout or by the library."""
    space = b" " * 65_536
    yield _hurried("endless-head", _pouring(OK, b"X-A: b\r\n" * 1000), "timeout|protocol")
    yield _hurried("endless-name", _pouring(OK, b"x" * 65_536), "timeout|protocol")
    yield _hurried("endless-status", _pouring(b"HTTP/1.1 200 ", b"x" * 65_536), "timeout|protocol")
    yield _hurried("endless-continues", _pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000))
    yield _hurried("endless-extension", _pouring(CHUNKED + b"1;", b"x" * 65_536))
    yield _hurried(
        "endless-trailers",
        _pouring(CHUNKED + chunks(GOOD)[:-2], b"X-A: b\r\n" * 8000),
        "timeout|protocol|cut-body",
    )
    for name, start, piece in (
        ("body", OK + b"\r\n", space),
        ("length", OK + b"Content-Length: 1000000000000\r\n\r\n", space),
        ("chunks", CHUNKED, b"10000\r\n" + space + b"\r\n"),
        ("rows", OK + b'\r\n{"code":0,"total":9,"data":[', b'{"userId":1},' * 5000),
        ("string", OK + b'\r\n{"code":0,"total":9,"data":["', b"x" * 65_536),
        ("brackets", OK + b"\r\n", b"[" * 65_536),
    ):
        yield Case(
            name=f"wire.endless-{name}", script=_pouring(start, piece), verdict=REFUSED, fault="too-large"
        )


def _statuses() -> Iterator[Case]:
    """Success is 200 alone, whatever the body says."""
    again = {408, 429, 503, 509}
    for status in (101, 201, 202, 203, 204, 205, 206, 226, 400, 401, 403, 404, 405, 408, 410, 418, 429, 451):
        yield _status(status, again)
    for status in (500, 501, 502, 503, 504, 507, 509, 599, 600, 700, 999):
        yield _status(status, again)
    for status in (300, 301, 302, 303, 304, 305, 306, 307, 308, 399):
        yield Case(
            name=f"wire.status-{status}",
            script=every(b"" if status == 304 else GOOD, "Location: /elsewhere", status=f"{status} Moved"),
            verdict=REFUSED,
            fault="redirect",
            most_requests=1,
        )


def _status(status: int, again: set[int]) -> Case:
    """Faults of ours are final, all else is asked once more."""
    bodiless = status in (101, 204)
    retry = "Retry-After: 0" if status in again else "X-A: b"
    return Case(
        name=f"wire.status-{status}",
        script=raw(b"HTTP/1.1 %d No\r\n%b\r\n\r\n" % (status, retry.encode()), "close")
        if bodiless
        else every(GOOD, retry, status=f"{status} \x1b[31mNo"),
        verdict=REFUSED,
        fault=f"http-{status}",
        most_requests=1 if 400 <= status < 500 and status not in again else 2,
    )


def _kept_connections() -> Iterator[Case]:
    """Bytes after an answer must not become the answer to the next request."""
    poison = http(b'{"code":0,"message":"ok","total":1,"data":[{"userId":"poison"}]}')
    rows = [{"userId": f"k{number}"} for number in range(10)]

    def glued(after: bytes) -> Script:
        async def script(line: Line) -> None:
            await line.send(http(_page(rows, line)) + after)

        return script

    for name, after in (
        ("second-answer", poison),
        ("ten-answers", poison * 10),
        ("half-answer", poison[:20]),
        ("line-ends", b"\r\n\r\n"),
    ):
        yield Case(name=f"wire.glued-{name}", script=glued(after), verdict=PROVEN, rows=rows, most_requests=8)
    yield _bad("glued-junk", http(GOOD) + b"\0\xff junk", "protocol", then="keep")


def _page(rows: list[dict[str, str]], line: Line) -> bytes:
    start = (line.page_num - 1) * line.page_size
    return envelope(rows[start : start + line.page_size], len(rows))

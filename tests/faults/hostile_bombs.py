"""Answers that are small on the line and large in memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from hostile_answers import GOOD, OK, PROVEN, REFUSED, http, page_of, raw, row_with
from hostile_province import Case, Line, Script

from subcmc_crawler.model import Verdict

_MEGA = 1024 * 1024
_LIMIT = 10 * _MEGA - 1000


def bomb_cases() -> Iterator[Case]:
    """Each of them alone would take hundreds of megabytes of a reader that trusts it."""
    yield from _packed()
    yield from _amplified()


def unpacked_gigabyte(wbits: int) -> bytes:
    """A megabyte of deflate that unpacks to a gigabyte of spaces; `wbits` as zlib has it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    head = packer.compress(b" ") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * _MEGA) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * 1024


def _pour(head: bytes, *pieces: bytes) -> Script:
    """Chunks for as long as somebody reads them."""

    async def script(line: Line) -> None:
        await line.send(OK + head + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            await line.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await line.send(b"0\r\n\r\n")

    return script


def _packed() -> Iterator[Case]:
    def case(name: str, script: Script, fault: str) -> Case:
        return Case(name=f"bomb.{name}", script=script, verdict=REFUSED, fault=fault, most_requests=8)

    packed = unpacked_gigabyte(31)
    yield case("gzip", raw(http(packed, b"Content-Encoding: gzip")), "too-large")
    yield case("gzip-in-chunks", _pour(b"Content-Encoding: gzip\r\n", packed), "too-large")
    members = gzip.compress(b" " * _MEGA) * 64
    yield case("gzip-members", raw(http(members, b"Content-Encoding: gzip")), "too-large|empty-body")
    yield case("deflate", raw(http(unpacked_gigabyte(15), b"Content-Encoding: deflate")), "too-large")
    yield case("deflate-raw", raw(http(unpacked_gigabyte(-15), b"Content-Encoding: deflate")), "too-large")
    nested = gzip.compress(packed)
    yield case("gzip-in-gzip", raw(http(nested, b"Content-Encoding: gzip")), "not-utf8|not-json")
    yield case("gzip-and-gzip", raw(http(nested, b"Content-Encoding: gzip, gzip")), "encoding|protocol")
    # brotli and zstd of nothing but one letter: heads of a stream and blocks that repeat a byte 128 KB a time
    yield case("br", raw(http(b"\x81\x16\x00\x58" * 4096, b"Content-Encoding: br")), "encoding|protocol")
    blocks = b"\x28\xb5\x2f\xfd\x00\x88" + b"\x02\x00\x10 " * 8192
    yield case("zstd", raw(http(blocks, b"Content-Encoding: zstd")), "encoding|protocol")


def _amplified() -> Iterator[Case]:
    def case(name: str, body: bytes, verdict: Verdict, fault: str = "") -> Case:
        assert len(body) <= 10 * _MEGA
        return Case(
            name=f"bomb.{name}", script=raw(http(body)), verdict=verdict, fault=fault, most_requests=12
        )

    def filled(piece: bytes) -> bytes:
        return piece * (_LIMIT // len(piece))

    def most(piece: bytes) -> bytes:
        return piece * min(990_000, _LIMIT // len(piece))

    yield case("objects", page_of(filled(b"{},") + b"{}"), REFUSED, "amplification")
    yield case("objects-under-the-limit", page_of(b"{}," * 990_000 + b"1"), REFUSED, "too-many-rows")
    yield case("number-rows", page_of(filled(b"1,") + b"1"), REFUSED, "amplification")
    yield case("values", page_of(row_with(b"[" + filled(b"1.5,") + b"1]")), REFUSED, "amplification")
    yield case("number-rows-under-the-limit", page_of(b"1," * 990_000 + b"1"), REFUSED, "too-many-rows")
    for name, piece in {
        "texts": b'"abcdef",',
        "numbers": b"100000000,",
        "floats": b"1.5,",
        "long-numbers": b"1" * 30 + b",",
        "halves": b'"\\ud800",',
        "huge-numbers": b"7" * 4300 + b",",
    }.items():
        yield case(name, page_of(row_with(b"[" + most(piece) + b"1]")), PROVEN)
    yield case("lists", page_of(row_with(b"[" + b"[]," * 990_000 + b"1]")), PROVEN)
    names = b",".join(b'"%d":1' % number for number in range(900_000))
    yield case("names", page_of(row_with(b"{" + names + b"}")), PROVEN)
    rows = b",".join(b'{"userId":"%d"}' % number for number in range(100_000))
    yield case("rows", page_of(rows, total="100000"), PROVEN)
    odd = b",".join(b'{"userId":"%d","new%d":1}' % (number, number) for number in range(100_000))
    yield case("rows-of-new-fields", page_of(odd, total="100000"), PROVEN)
    yield case("rows-without-key", page_of(b"{}," * 99_999 + b"{}", total="100000"), PROVEN)
    same = b",".join(b'{"userId":"1","a":%d}' % number for number in range(100_000))
    yield case("rows-of-one-key", page_of(same, total="100000"), Verdict.DUPLICATED)
    stray = b",".join(b'"%b":1' % _spaces(number) for number in range(350_000))
    yield case("stray-names", GOOD[:-1] + b"," + stray + b"}", PROVEN)


def _spaces(number: int) -> bytes:
    """`code` with white space before it, another for each number."""
    digits = (number // 12**place % 12 for place in range(6))
    return "".join(chr(0x2000 + digit) if digit < 11 else " " for digit in digits).encode() + b"code"

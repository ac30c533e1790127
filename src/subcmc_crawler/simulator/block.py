"""Many rows as JSON in one buffer, so that any page of them is one slice."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import islice, pairwise

import orjson

from subcmc_crawler.simulator.records import Row

_AT_ONCE = 256  # rows encoded before they are copied: small objects that live on scatter over the memory


class Block:
    """Rows in order, immutable."""

    def __init__(self, rows: Iterable[Row]) -> None:
        buffer = bytearray()
        ends = array("Q", [0])
        source = iter(rows)
        while chunk := [orjson.dumps(row) for row in islice(source, _AT_ONCE)]:
            at = len(buffer)
            for row in chunk:
                at += len(row) + 1
                ends.append(at)
            buffer += b",".join(chunk)
            buffer += b","
        self._buffer = bytes(buffer)
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends) - 1

    def page(self, start: int, stop: int) -> bytes:
        """The rows from `start` up to `stop` with commas between them."""
        return self._buffer[self._ends[start] : max(self._ends[start], self._ends[stop] - 1)]

    def split(self, start: int, stop: int) -> list[bytes]:
        """The same rows, each on its own."""
        ends = self._ends[start : stop + 1]
        return [self._buffer[begin : end - 1] for begin, end in pairwise(ends)]

    def rows(self) -> list[Row]:
        """All rows as fresh values."""
        found: list[Row] = orjson.loads(b"[" + self.page(0, len(self)) + b"]")
        return found

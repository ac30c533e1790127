"""Numbers that look like chance and are the same on every machine, for every Python."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

_SALT_BYTES: Final = 16


def salt(*parts: object) -> bytes:
    """16 bytes that stand for `parts`; other parts, other bytes."""
    text = "\x1f".join(str(part) for part in parts)
    return blake2b(text.encode(), digest_size=_SALT_BYTES).digest()


class Chance:
    """A stream of numbers named by `parts`.

    Not `random`: only its `random()` promises the same numbers in the next Python, `sample` does not.
    """

    def __init__(self, *parts: object) -> None:
        self._salt = salt(*parts)
        self._block = 0
        self._pool: list[int] = []

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        if not self._pool:
            block = blake2b(self._salt + self._block.to_bytes(8, "little")).digest()
            self._block += 1
            self._pool = [int.from_bytes(block[at : at + 8], "little") for at in range(0, 64, 8)]
        return self._pool.pop() % limit

    def share(self, count: int, part: float) -> int:
        """`count` times `part` as a whole number; the fraction is a chance of one more."""
        whole, fraction = divmod(count * part, 1)
        return int(whole) + (self.below(1 << 32) < fraction * (1 << 32))

    def distinct(self, limit: int, count: int) -> list[int]:
        """`count` different numbers below `limit` in ascending order, at most all of them."""
        count = min(count, limit)
        if count * 2 > limit:  # drawing what stays out ends sooner
            left_out = set(self.distinct(limit, limit - count))
            return [number for number in range(limit) if number not in left_out]
        found: set[int] = set()
        while len(found) < count:
            found.add(self.below(limit))
        return sorted(found)

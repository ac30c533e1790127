"""The rows of a base that a walk has yet to meet, kept column by column: a night has millions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import ne

from subcmc_crawler.store.order import Key


class Awaited:
    """What is known of the rows that were read ahead: their keys, and their hashes where those are sure."""

    def __init__(self) -> None:
        self._hashes: dict[Key, bytes | None] = {}

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, keys: Sequence[Key], hashes: Sequence[bytes | None], *, unsure: set[str]) -> None:
        """More rows; those without a key are nobody's, and the hashes of `unsure` keys do not count."""
        self._hashes.update(zip(keys, hashes, strict=True))
        self._hashes.pop(None, None)
        self._hashes.update(dict.fromkeys(unsure.intersection(keys)))

    def meet(self, keys: Sequence[str], hashes: Sequence[bytes]) -> list[bool]:
        """Which of these rows are not surely as they were awaited; none of them is awaited any more."""
        return [*map(ne, map(self._hashes.pop, keys, repeat(None)), hashes)]

    def unmet(self) -> list[str]:
        """The keys that are awaited still."""
        return [key for key in self._hashes if key is not None]

    def clear(self) -> None:
        """Awaits nothing."""
        self._hashes.clear()

"""The rows of a base that a walk has yet to meet, kept column by column: a night has millions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import ne
from typing import NamedTuple

from subcmc_crawler.store.order import Key


class Met(NamedTuple):
    """Some rows that were met: which are not surely as they were, and the hashes that they surely had."""

    differ: Sequence[bool]
    held: Sequence[bytes | None]


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

    def meet(self, keys: Sequence[str], hashes: Sequence[bytes]) -> Met:
        """How these rows stand to what was awaited; none of them is awaited any more."""
        held = [*map(self._hashes.pop, keys, repeat(None))]
        return Met([*map(ne, held, hashes)], held)

    def unmet(self) -> list[str]:
        """The keys that are awaited still."""
        return [key for key in self._hashes if key is not None]

    def clear(self) -> None:
        """Awaits nothing."""
        self._hashes.clear()

"""What was pushed against what was pulled, record by record, by primary key. Pure.

Of the pushed records only fingerprints are kept, so that memory grows with keys and not with records: 8 bytes for the
whole and 4 for each field, from Python's own hash, which is salted anew in each process and never leaves it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from struct import Struct
from typing import Any, Final

from subcmc_crawler.spec.normal import compared_fields, normal

MOST_SAMPLES: Final = 20
"""Keys of each kind that are named."""

_WHOLE_BYTES: Final = 8
_FIELD_BYTES: Final = 4
_FIELD_MASK: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How the pushed records of a dataset stand to the pulled ones; counts are keys, samples the first in order.

    `pushed = equal + differing + only_pushed`, `pulled = equal + differing + only_pulled`.
    """

    equal: int = 0
    differing: int = 0
    only_pushed: int = 0
    only_pulled: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)  # field -> records that differ in it, most first
    differing_keys: tuple[tuple[str, tuple[str, ...]], ...] = ()  # each with the fields in which it differs
    only_pushed_keys: tuple[str, ...] = ()
    only_pulled_keys: tuple[str, ...] = ()


class Comparing:
    """Takes every pushed record, then every pulled one in the order of their keys, then tells what differs."""

    def __init__(self, dataset_code: str) -> None:
        self._code = dataset_code
        self._fields = compared_fields(dataset_code)
        self._pack = Struct(f"<q{len(self._fields)}I").pack
        self._pushed: dict[str, bytes] = {}
        self._equal = 0
        self._differing: list[tuple[str, tuple[str, ...]]] = []
        self._more_differing = 0
        self._by_field: Counter[str] = Counter()
        self._only_pulled: list[str] = []
        self._more_only_pulled = 0

    @property
    def pushed(self) -> int:
        """Distinct keys that were pushed and not pulled so far: before the first `pull`, all of them."""
        return len(self._pushed)

    def push(self, key: str, record: Mapping[str, Any]) -> None:
        """A record that was pushed; a later one of the same key takes its place."""
        self._pushed[key] = self._fingerprint(record)

    def pull(self, key: str, record: Mapping[str, Any]) -> None:
        """A record that was pulled, once each key."""
        pushed = self._pushed.pop(key, None)
        if pushed is None:
            if len(self._only_pulled) < MOST_SAMPLES:
                self._only_pulled.append(key)
            else:
                self._more_only_pulled += 1
            return
        pulled = self._fingerprint(record)
        if pushed == pulled:
            self._equal += 1
            return
        fields = self._differing_fields(pushed, pulled)
        self._by_field.update(fields)
        if len(self._differing) < MOST_SAMPLES:
            self._differing.append((key, fields))
        else:
            self._more_differing += 1

    def differences(self) -> Differences:
        """What came of it, after all records."""
        return Differences(
            equal=self._equal,
            differing=len(self._differing) + self._more_differing,
            only_pushed=len(self._pushed),
            only_pulled=len(self._only_pulled) + self._more_only_pulled,
            fields=dict(sorted(self._by_field.items(), key=lambda item: (-item[1], item[0]))),
            differing_keys=tuple(self._differing),
            only_pushed_keys=tuple(nsmallest(MOST_SAMPLES, self._pushed)),
            only_pulled_keys=tuple(self._only_pulled),
        )

    def _fingerprint(self, record: Mapping[str, Any]) -> bytes:
        values = normal(self._code, record)
        return self._pack(hash(values), *[hash(value) & _FIELD_MASK for value in values])

    def _differing_fields(self, one: bytes, other: bytes) -> tuple[str, ...]:
        places = range(_WHOLE_BYTES, len(one), _FIELD_BYTES)
        return tuple(
            name
            for name, at in zip(self._fields, places, strict=True)
            if one[at : at + _FIELD_BYTES] != other[at : at + _FIELD_BYTES]
        )

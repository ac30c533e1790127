"""Faults of content: what is wrong with the rows that a centre holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from types import MappingProxyType
from typing import Final

from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.spec.datasets import DATASETS

FOREIGN_CMC_ID: Final = "999999"
UNKNOWN_FIELD: Final = "extDeptCode"
_FOREIGN_ROWS: Final = 5

_MISSING: Final = object()
_BREAKS: Final[Mapping[str, tuple[tuple[str, object], ...]]] = MappingProxyType(
    {
        "ua_org": (("orgName", "长" * 256), ("contactPhone", "1" * 21), ("orgName", _MISSING)),
        "ua_user": (("policeNo", "12345678"), ("userType", 9), ("name", _MISSING), ("position", "长" * 33)),
        "mdm_device": (("brand", "长" * 51), ("status", 7), ("imei", _MISSING), ("terminalType", 99)),
        "infr_network": (("operator", "长" * 101), ("netType", 77), ("networkType", _MISSING)),
        "hardware": (("macAddress", "0" * 51), ("importantLevel", 9), ("assetDesc", _MISSING)),
        "appspt_system": (("vendor", "长" * 51), ("interconnStatus", 5), ("systemName", _MISSING)),
        "pm_app": (
            ("version", "1" * 51),
            ("status", 8),
            ("pkgName", _MISSING),
            ("publishScope", ["长" * 51]),
        ),
        "pm_service": (("languages", ["Java"] * 11), ("haStatus", 9), ("middlewares", _MISSING)),
        "mr_resservice": (("version", "1" * 51), ("serviceType", 9), ("vendor", _MISSING)),
    }
)
"""Dataset -> field and a value that its table forbids: too long, unknown code, missing, wrong length."""

OTHER_CONTENT: Final[Mapping[str, tuple[str, object]]] = MappingProxyType(
    {
        "ua_org": ("description", "另一份机构描述"),
        "ua_user": ("position", "调研员"),
        "mdm_device": ("model", "另一型号"),
        "infr_network": ("operator", "另一运营商"),
        "hardware": ("depositPlace", "另一机房"),
        "appspt_system": ("vendor", "另一开发单位"),
        "pm_app": ("vendor", "另一开发单位"),
        "pm_service": ("languages", ["COBOL"]),
        "mr_resservice": ("vendor", "另一开发单位"),
    }
)
"""Dataset -> field and a value that no sound row holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is damaged: `spare(n)` is row n of those the centre does not hold, `salt` picks the rows."""

    dataset: str
    salt: bytes
    spare: Callable[[int], Row]

    @property
    def key(self) -> str:
        """The field of the primary key."""
        return DATASETS[self.dataset].key

    def lot(self, row: Row, kind: str) -> int:
        """A number that this row draws for a kind of fault, the same as long as its key is."""
        text = f"{kind} {row[self.key]}".encode()
        return int.from_bytes(blake2b(self.salt + text, digest_size=8).digest(), "big")

    def picked(self, rows: Sequence[Row], fault: Fault, count: int) -> list[int]:
        """Positions of `count` rows: the same rows on every night, as long as they are held."""
        return nsmallest(count, range(len(rows)), key=lambda at: self.lot(rows[at], fault.kind))


def damaged(rows: list[Row], faults: Sequence[Fault], site: Site) -> list[Row]:
    """`rows` with every fault of content done to it; `rows` itself may change."""
    for kind, damage in _DAMAGES.items():
        for fault in faults:
            if fault.kind == kind:
                rows = damage(rows, fault, site)
    return rows


def _shrink(rows: list[Row], fault: Fault, _site: Site) -> list[Row]:
    return rows[: len(rows) - len(rows) * fault.count // 100]


def _empty(_rows: list[Row], _fault: Fault, _site: Site) -> list[Row]:
    return []


def _break_rules(rows: list[Row], fault: Fault, site: Site) -> list[Row]:
    breaks = _BREAKS[site.dataset]
    for number, position in enumerate(site.picked(rows, fault, fault.count)):
        field, value = breaks[number % len(breaks)]
        if value is _MISSING:
            del rows[position][field]
        else:
            rows[position][field] = value
    return rows


def _disown(rows: list[Row], fault: Fault, site: Site) -> list[Row]:
    for position in site.picked(rows, fault, fault.count or _FOREIGN_ROWS):
        rows[position]["cmcId"] = FOREIGN_CMC_ID
    return rows


def _extend(rows: list[Row], _fault: Fault, _site: Site) -> list[Row]:
    for row in rows:
        row[UNKNOWN_FIELD] = "0101"
    return rows


def _duplicate(rows: list[Row], fault: Fault, site: Site) -> list[Row]:
    return _repeat(rows, fault, site, {})


def _conflict(rows: list[Row], fault: Fault, site: Site) -> list[Row]:
    return _repeat(rows, fault, site, dict([OTHER_CONTENT[site.dataset]]))


def _repeat(rows: list[Row], fault: Fault, site: Site, changes: Row) -> list[Row]:
    """Rows of the first half once more in the second, so that one page seldom holds both."""
    half = len(rows) // 2
    for position in site.picked(rows[:half], fault, fault.count):
        row = rows[position]
        rows.insert(half + 1 + site.lot(row, fault.kind) % (len(rows) - half), {**row, **changes})
    return rows


def _add_keyless(rows: list[Row], fault: Fault, site: Site) -> list[Row]:
    for number in range(fault.count):
        row = site.spare(number)
        at = 1 + site.lot(row, fault.kind) % len(rows) if rows else 0
        if number % 3 == 0:
            del row[site.key]
        else:
            row[site.key] = "" if number % 3 == 1 else None
        rows.insert(at, row)
    return rows


def _stray(rows: list[Row], _fault: Fault, site: Site) -> list[Row]:
    stray = (f" {site.key}", f" {site.key} ")
    return [
        {stray[number % 2] if name == site.key else name: value for name, value in row.items()}
        for number, row in enumerate(rows)
    ]


_DAMAGES: Final[Mapping[str, Callable[[list[Row], Fault, Site], list[Row]]]] = MappingProxyType(
    {
        "shrunk": _shrink,
        "empty": _empty,
        "badrows": _break_rules,
        "foreign": _disown,
        "unknown-fields": _extend,
        "duplicates": _duplicate,
        "conflicts": _conflict,
        # From here on a row may have no key to pick it by.
        "nokey": _add_keyless,
        "stray-keys": _stray,
    }
)
"""Kind -> what it does, in the order in which faults are done."""

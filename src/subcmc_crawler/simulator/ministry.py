"""The ministry's own platform (chapter 4): what the provinces pushed, behind its query interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from subcmc_crawler.simulator.answers import Answer, Answers, Query, spring_error
from subcmc_crawler.simulator.block import Block
from subcmc_crawler.simulator.chance import Chance
from subcmc_crawler.simulator.damage import OTHER_CONTENT
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.records import FIRST_NIGHT_MS, Row
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.fields import FIELDS, Field

SHAPES: Final[Mapping[str, tuple[bytes, bytes, bytes]]] = MappingProxyType(
    {
        "pull": (b'{"code":0,"message":"ok","total":', b',"data":[', b"]}"),
        "records": (b'{"code":0,"data":{"total":', b',"records":[', b"]}}"),
        "list": (b'{"code":"0","data":{"total":', b',"list":[', b"]}}"),
        "rows": (b'{"code":200,"msg":"ok","total":', b',"rows":[', b"]}"),
        "spring": (b'{"totalElements":', b',"content":[', b"]}"),
        "own": (b'{"code":0,"result":{"page":{"count":', b'},"items":[', b"]}}"),
    }
)
"""Name -> what stands before the total, between total and rows, and after the rows; "own" is nobody's habit."""

_PATHS: Final = {f"/mpscmc{each.path.removeprefix('/subcmc')}": each.code for each in DATASETS.values()}
_NONES: Final[Mapping[str, tuple[object, ...]]] = {
    "string": ("", None),
    "integer": (-1, "-1L", None),
    "long": (-1.0, "-1L", -1),
    "strings": ([], None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What the specification leaves open: the number of the first page, `/page` or not, and where the rows are.

    With `lenient`, a page below the first is the first; else it is HTTP 400. With `token`, nobody else is let in.
    """

    first_page: int = 0
    suffix: str = "/page"
    shape: str = "records"
    lenient: bool = True
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """How many rows of a dataset were pushed otherwise than they are pulled.

    With `respelled`, all others are pushed in another spelling of the same: codes as padded text, "has none" in the
    forms of 1.3.5, arrays turned round, another collectTime, fields of the platform's own.
    """

    missing: int = 0  # never pushed
    extra: int = 0  # pushed, and not pulled
    changed: int = 0  # pushed with other content
    respelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The keys that a comparison must find."""

    only_pushed: frozenset[str]
    only_pulled: frozenset[str]
    differing: frozenset[str]
    field: str  # in which they differ


class MinistryPlatform:
    """Answers queries about what every centre has pushed. `faults` are those of the wire, for its own answers.

    `planted` is by `CMCID/DATASET`, `DATASET` or `*`, the most particular first.
    """

    def __init__(
        self,
        centres: Sequence[Centre],
        *,
        manner: Manner = Manner(),
        planted: Mapping[str, Planted] = MappingProxyType({}),
        faults: Sequence[Fault] = (),
    ) -> None:
        self.manner = manner
        self.requests: list[tuple[str, str, str]] = []  # path, pageNum, pageSize
        self.on_request: Callable[[], None] = lambda: None
        self._pushed = {centre.cmc_id: _Pushed(centre, planted, faults) for centre in centres}
        self._night = 1
        self._answers: dict[str, Answers] = {}

    def turn_to(self, night: int) -> None:
        """Holds what was pushed by that night; forgets every count."""
        self._night = night
        self._answers = {}

    def expected(self, cmc_id: str, dataset: str) -> Expected:
        """What a comparison with the pull of this night must find."""
        pushed = self._pushed[cmc_id]
        pushed.encoded(dataset, self._night)
        return pushed.expected[dataset, self._night]

    def answer(self, path: str, asked: Mapping[str, str], authorization: str = "") -> Answer:
        """The answer to a GET of that path with those parameters."""
        page_num, page_size = asked.get("pageNum", ""), asked.get("pageSize", "")
        self.requests.append((path, page_num, page_size))
        self.on_request()
        code = _PATHS.get(path.removesuffix(self.manner.suffix)) if self.manner.suffix else _PATHS.get(path)
        query = Query(
            dataset=code or "ua_org", cmc_id=asked.get("cmcId", ""), page_num=page_num, page_size=page_size
        )
        if self.manner.token and authorization != f"Bearer {self.manner.token}":
            return spring_error(401, query)
        if code is None or not path.endswith(self.manner.suffix):
            return spring_error(404, query)
        pushed = self._pushed.get(query.cmc_id)
        number, size = query.page
        if pushed is None or number is None or size is None or size > 5000:
            return spring_error(400, query)
        counted = number - self.manner.first_page + 1
        counted = max(1, counted) if self.manner.lenient else counted
        answers = self._answers.setdefault(query.cmc_id, Answers(pushed, self._night, wrap=self._wrap))
        return answers.answer(replace(query, page_num=str(counted) if counted > 0 else "0"))

    def _wrap(self, kinds: Mapping[str, Fault], total: int | str | None, data: bytes) -> bytes:
        del kinds
        head, middle, tail = SHAPES[self.manner.shape]
        return head + orjson.dumps(total) + middle + data + tail


class _Pushed:
    """What one centre has pushed; in the place of a centre, for its answers."""

    def __init__(self, centre: Centre, planted: Mapping[str, Planted], faults: Sequence[Fault]) -> None:
        self.cmc_id = centre.cmc_id
        self.spare = centre.spare
        self.leaf = centre.leaf
        self.expected: dict[tuple[str, int], Expected] = {}
        self._centre = centre
        self._planted = planted
        self._faults = faults
        self._encoded: dict[tuple[str, int], Block] = {}

    def active(self, dataset: str, night: int) -> tuple[Fault, ...]:
        return tuple(
            fault for fault in self._faults if fault.holds(cmc_id=self.cmc_id, dataset=dataset, night=night)
        )

    def encoded(self, dataset: str, night: int = 1) -> Block:
        at = (dataset, night)
        if at not in self._encoded:
            self._encoded[at] = Block(self._made(dataset, night))
        return self._encoded[at]

    def _made(self, dataset: str, night: int) -> list[Row]:
        names = (f"{self.cmc_id}/{dataset}", dataset, "*")
        planted = next((self._planted[name] for name in names if name in self._planted), Planted())
        key = DATASETS[dataset].key
        rows = _by_key(key, self._centre.rows(dataset, night))
        chance = Chance(self.cmc_id, dataset, "pushed")
        picked = chance.distinct(len(rows), planted.missing + planted.changed)
        gone = {str(rows[at][key]) for at in picked[: planted.missing]}
        changed = {str(rows[at][key]) for at in picked[planted.missing :]}
        spare = [self._centre.spare(dataset, night, number) for number in range(planted.extra)]
        name, value = OTHER_CONTENT[dataset]
        self.expected[dataset, night] = Expected(
            only_pushed=frozenset(str(row[key]) for row in spare),
            only_pulled=frozenset(gone),
            differing=frozenset(changed),
            field=name,
        )
        kept = [{**row, name: value} if row[key] in changed else row for row in rows if row[key] not in gone]
        kept += spare
        return [_respelled(dataset, row, at) for at, row in enumerate(kept)] if planted.respelled else kept


def _by_key(key: str, rows: Sequence[Row]) -> list[Row]:
    """The rows as a platform holds them: one a key, none without one, no blanks around names."""
    plain = ({name.strip(): value for name, value in row.items()} for row in rows)
    return list({str(row[key]): row for row in plain if row.get(key)}.values())


def _respelled(dataset: str, row: Row, number: int) -> Row:
    """The same record in another spelling, keys in another order."""
    key = DATASETS[dataset].key
    spelt: Row = {"id": number, "gmtCreate": "2026-01-01 00:00:00"}
    for field in reversed(FIELDS[dataset]):
        value = row.get(field.name)
        if field.name == key:
            spelt[key] = row[key]
        elif field.name not in ("cmcId", "reportType", "collectTime"):
            spelt[field.name] = _otherwise(field, value, number)
    return {**spelt, "cmcId": row["cmcId"], "reportType": "U", "collectTime": FIRST_NIGHT_MS + number}


def _otherwise(field: Field, value: Any, number: int) -> object:
    if value is None or value in ("", -1, []):
        if field.default is not None:
            return field.default
        nones = _NONES[field.kind]
        return nones[number % len(nones)]
    if field.table is not None and isinstance(value, int):
        digits = str(value)
        return (value, digits, digits.zfill(len(digits) + len(digits) % 2))[number % 3]
    if isinstance(value, list):
        return value[::-1]
    return value

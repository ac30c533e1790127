"""One provincial centre over its nights: which rows it holds, in which order, and how they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from subcmc_crawler.simulator.block import Block
from subcmc_crawler.simulator.chance import Chance, salt
from subcmc_crawler.simulator.damage import Site, damaged
from subcmc_crawler.simulator.faults import CONTENT, Fault
from subcmc_crawler.simulator.records import Records, Row, sizes, stable
from subcmc_crawler.spec.codes import AREAS

_KEPT_NIGHTS: Final = 2
_REFERRED_TO: Final = frozenset({"ua_org", "hardware"})
_LIFE_SHARED_WITH: Final = {"pm_service": "pm_app"}  # an app and its service come and go together


class _Population:
    """The indices of one dataset in served order, and how often each row changed, on one night."""

    def __init__(self, size: int, *, change: float, removable: Callable[[int], bool]) -> None:
        self.night = 1
        self.indices = list(range(size))
        self.revisions: dict[int, int] = {}
        self.next_index = size
        self._change = change
        self._removable = removable

    def advance(self, chance: Chance) -> None:
        """One night on: of the rows that change, 1 in 10 goes, 1 in 10 is new, the others are revised."""
        self.night += 1
        gone: set[int] = set()
        added = 0
        for position in chance.distinct(len(self.indices), chance.share(len(self.indices), self._change)):
            fate = chance.below(10)
            if fate == 0:
                gone.add(self._leaver(position, gone))
            elif fate == 1:
                added += 1
            else:
                index = self.indices[position]
                self.revisions[index] = self.revisions.get(index, 0) + 1
        self.indices = [index for position, index in enumerate(self.indices) if position not in gone]
        # At the end, where an organisation's parent has already been served.
        self.indices.extend(range(self.next_index, self.next_index + added))
        self.next_index += added

    def _leaver(self, position: int, gone: set[int]) -> int:
        """The first position from here on whose row may leave; -1, which is none, when all must stay."""
        count = len(self.indices)
        for step in range(count):
            candidate = (position + step) % count
            if candidate not in gone and self._removable(self.indices[candidate]):
                return candidate
        return -1


class Centre:
    """A provincial centre: what it holds on each night, by seed.

    `change` is the share of rows that change from one night to the next. `faults` may name other centres
    too; only its own are taken. With `weighted`, its size follows its population.
    """

    def __init__(
        self,
        cmc_id: str,
        name: str,
        *,
        seed: int = 1,
        scale: float = 0.01,
        change: float = 0.01,
        faults: Sequence[Fault] = (),
        weighted: bool = False,
    ) -> None:
        self.cmc_id = cmc_id
        self.name = name
        self.seed = seed
        self.change = change
        self.faults = tuple(fault for fault in faults if fault.cmc_id in {"*", cmc_id})
        self.sizes: Mapping[str, int] = sizes(scale, area_code=cmc_id if weighted else None)
        self._records = Records(seed=seed, cmc_id=cmc_id, name=name, sizes=self.sizes)
        self._populations: dict[str, _Population] = {}
        self._encoded: dict[int, dict[str, Block]] = {}

    def active(self, dataset: str, night: int) -> tuple[Fault, ...]:
        """The faults of that dataset on that night."""
        return tuple(f for f in self.faults if f.holds(cmc_id=self.cmc_id, dataset=dataset, night=night))

    def rows(self, dataset: str, night: int = 1) -> list[Row]:
        """The rows that an ideal walk of that night receives, in order: a fresh copy."""
        return self.encoded(dataset, night).rows()

    def encoded(self, dataset: str, night: int = 1) -> Block:
        """The same rows as JSON; those of the last two nights asked for are kept."""
        kept = self._encoded.setdefault(night, {})
        if dataset not in kept:
            kept[dataset] = self._encode(dataset, night)
        while len(self._encoded) > _KEPT_NIGHTS:
            del self._encoded[next(other for other in self._encoded if other != night)]
        return kept[dataset]

    def spare(self, dataset: str, night: int, number: int) -> Row:
        """Row `number` of those that the centre does not hold on that night.

        An organisation among them is directly below the root, so that it fits anywhere behind it.
        """
        population = self._population(dataset, night)
        row = self._records.record(dataset, population.next_index + number, night=night)
        if dataset == "ua_org":
            row["parentOrgId"] = self._records.record("ua_org", 0)["orgId"]
        return row

    def leaf(self, dataset: str, night: int) -> int:
        """The position of the first row that may leave without leaving a reference behind."""
        indices = self._population(dataset, night).indices
        if dataset not in _REFERRED_TO:
            return 0
        return next((at for at, index in enumerate(indices) if _unreferred(index)), len(indices) - 1)

    def _encode(self, dataset: str, night: int) -> Block:
        population = self._population(dataset, night)
        record, revisions = self._records.record, population.revisions
        made = (record(dataset, index, revisions.get(index, 0), night=night) for index in population.indices)
        faults = [fault for fault in self.active(dataset, night) if fault.kind in CONTENT]
        if not faults:
            return Block(made)
        site = Site(
            dataset=dataset,
            salt=salt(self.seed, self.cmc_id, dataset, "damage"),  # every night the same
            spare=lambda number: self.spare(dataset, night, number),
        )
        return Block(damaged(list(made), faults, site))

    def _population(self, dataset: str, night: int) -> _Population:
        if night < 1:
            raise ValueError(f"nights count from 1, not {night}")
        population = self._populations.get(dataset)
        if population is None or population.night > night:
            removable = _unreferred if dataset in _REFERRED_TO else _any
            population = _Population(self.sizes[dataset], change=self.change, removable=removable)
            self._populations[dataset] = population
        life = _LIFE_SHARED_WITH.get(dataset, dataset)
        while population.night < night:
            population.advance(Chance(self.seed, self.cmc_id, life, "night", population.night + 1))
        return population


def _unreferred(index: int) -> bool:
    return stable(index) != index


def _any(_index: int) -> bool:
    return True


def standard_centres(
    *,
    seed: int = 1,
    scale: float = 0.01,
    change: float = 0.01,
    faults: Sequence[Fault] = (),
    weighted: bool = False,
) -> list[Centre]:
    """All 35 provincial centres in the order of table 3.14; a fault of an unknown centre is a ValueError."""
    for fault in faults:
        if fault.cmc_id != "*" and fault.cmc_id not in AREAS:
            raise ValueError(f"fault {str(fault)!r} names no centre; cmcId is an area code such as 620000")
    return [
        Centre(code, name, seed=seed, scale=scale, change=change, faults=faults, weighted=weighted)
        for code, name in AREAS.items()
    ]

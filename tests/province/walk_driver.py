"""An in-memory province and a driver loop without IO, for the properties of the walk."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from subcmc_crawler.model import Ending
from subcmc_crawler.province.page import probe as look
from subcmc_crawler.province.page import read
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.province.walking import Ask, End, Pass, PassFacts, Probe, Take, advance
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope

DATASET = DATASETS["infr_network"]
Row = dict[str, Any]
PastEnd = Literal["empty", "echo", "error", "first"]
Total = int | Literal["absent", "moving"]


def row(number: int, content: int = 0) -> Row:
    """A row whose key is `number`."""
    return {"netId": f"k{number}", "operator": content, "collectTime": 1}


def keyless(number: int) -> Row:
    return {"operator": number}


@dataclass(frozen=True, kw_only=True)
class Insert:
    at: int

    def __call__(self, rows: list[Row], fresh: int) -> None:
        rows.insert(self.at % (len(rows) + 1), row(fresh))


@dataclass(frozen=True, kw_only=True)
class Delete:
    at: int

    def __call__(self, rows: list[Row], fresh: int) -> None:
        if rows:
            del rows[self.at % len(rows)]


Change = Insert | Delete


@dataclass(kw_only=True)
class World:
    """A province: what it holds, how it pages, and which changes come before which request (from 0)."""

    rows: list[Row]
    clamp: int = 0  # pageSize is cut before the offset is computed; 0: not at all
    clamp_limit: int = 0  # only the rows of a page are cut
    total: Total = 0  # off by that much, absent, or moving
    past_end: PastEnd = "empty"
    ignore_page: bool = False
    most: int = 0  # weight of the largest page; 0: no limit
    weights: Mapping[int, int] = field(default_factory=dict)  # key number -> weight, else 1
    refuse: int = -1  # the number of a request that is refused
    changes: Mapping[int, Sequence[Change]] = field(default_factory=dict)
    served: int = 0
    states: list[list[str | None]] = field(default_factory=list)  # the keys after each change

    def __post_init__(self) -> None:
        self._fresh = 10_000
        self._note()

    def _note(self) -> None:
        self.states.append([each.get("netId") for each in self.rows])

    def ask(self, page_num: int, page_size: int) -> Answer:
        for change in self.changes.get(self.served, ()):
            self._fresh += 1
            change(self.rows, self._fresh)
        if self.served in self.changes:
            self._note()
        number, self.served = self.served, self.served + 1
        if number == self.refuse:
            return "refused"
        bounds = self._bounds(page_num, page_size)
        if bounds is None:
            return "refused"
        page = [dict(each) for each in self.rows[slice(*bounds)]]
        if self.most and sum(self._weight(each) for each in page) > self.most:
            return "too-large"
        return Envelope(0, "", self._declares(), page, ())

    def _bounds(self, page_num: int, page_size: int) -> tuple[int, int] | None:
        if self.clamp:
            page_size = min(page_size, self.clamp)
        if self.ignore_page:
            page_num = 1
        last = max(1, -(-len(self.rows) // page_size))
        if page_num > last:
            if self.past_end == "error":
                return None
            if self.past_end == "echo":
                page_num = last
            if self.past_end == "first":
                page_num = 1
        start = (page_num - 1) * page_size
        return start, start + (min(page_size, self.clamp_limit) if self.clamp_limit else page_size)

    def _declares(self) -> int | None:
        if self.total == "absent":
            return None
        if self.total == "moving":
            return len(self.rows) + self.served
        return max(0, len(self.rows) + self.total)

    def _weight(self, each: Row) -> int:
        return self.weights.get(int(str(each.get("netId", "k-1"))[1:]), 1)


Answer = Envelope | Literal["refused", "too-large"]


@dataclass(slots=True)
class _OnItsWay:
    page_num: int
    page_size: int
    answer: Answer | None


@dataclass(kw_only=True)
class Walked:
    """What a pass found: the rows that were counted, in order, and everything that was taken."""

    ending: Ending
    state: Pass
    tally: Tally
    rows: list[Row]
    taken: list[Envelope]  # counted pages, in order
    asked: list[tuple[int, int]]  # page number and size of each
    probe: Envelope | None
    looks: dict[tuple[int, int], Envelope]  # what came of other pages that were asked for again at the end
    steps: int
    most_in_flight: int

    @property
    def keys(self) -> list[str | None]:
        return [each.get("netId") for each in self.rows]

    def facts(self) -> PassFacts:
        content = b"".join(b"".join(_read(page).hashes) for page in self.taken)
        return PassFacts(
            ending=self.ending,
            totals=self.state.totals,
            received=self.state.received,
            content=blake2b(content).digest(),
            clamped=self.state.clamped,
        )


def walked(  # noqa: PLR0912, PLR0915 - a step a case
    world: World,
    *,
    page_size: int,
    max_in_flight: int = 1,
    realign: bool = True,
    tolerance: int = 0,
    early: Sequence[bool] = (True,),
    most_steps: int = 100_000,
) -> Walked:
    """One pass over `world`. `early` says of each request whether it is answered at once or when it is taken."""
    state = Pass(asked_size=page_size, max_in_flight=max_in_flight, tolerance=tolerance, realign=realign)
    tally = Tally()
    ways: deque[_OnItsWay] = deque()
    kept: list[Row] = []
    taken: list[Envelope] = []
    sizes: list[tuple[int, int]] = []
    probe: Envelope | None = None
    looks: dict[tuple[int, int], Envelope] = {}
    most = asked = 0
    for steps in range(1, most_steps):
        match advance(state):
            case End(ending):
                return Walked(
                    ending=ending,
                    state=state,
                    tally=tally,
                    rows=kept,
                    taken=taken,
                    asked=sizes,
                    probe=probe,
                    looks=looks,
                    steps=steps,
                    most_in_flight=most,
                )
            case Ask(page_num, size):
                answer = world.ask(page_num, size) if early[asked % len(early)] else None
                asked += 1
                ways.append(_OnItsWay(page_num, size, answer))
                state = state.asked()
                most = max(most, len(ways))
                assert len(ways) == state.in_flight
            case Probe(page_num, size):
                ways.clear()
                answer = world.ask(page_num, size)
                if isinstance(answer, Envelope):
                    if probe is None:
                        probe = answer
                    else:
                        looks[page_num, size] = answer
                    state = state.probed(look(DATASET, answer))
                else:
                    state = state.lost(refused=False)
            case Take():
                way = ways.popleft()
                answer = way.answer or world.ask(way.page_num, way.page_size)
                if answer == "refused":
                    state = state.lost(refused=True)
                elif answer == "too-large":
                    halved = state.halved()
                    state = halved or state.lost(refused=False)
                    if halved:
                        ways.clear()
                elif isinstance(answer, Envelope):
                    page = _read(answer)
                    facts = page.facts()
                    if state.is_echo(facts):
                        state = state.took_echo(facts)
                        continue
                    before = tally.repeated + tally.conflicting
                    rows = tally.sort(page, len(taken))
                    taken.append(answer)
                    sizes.append((way.page_num, way.page_size))
                    kept += answer.rows
                    repeats = tally.repeated + tally.conflicting > before
                    state = state.took(facts, fresh=rows.fresh, repeats=repeats)
    raise AssertionError(f"no end after {most_steps} steps: {state}")


def _read(envelope: Envelope) -> Any:
    return read(DATASET, envelope, "620000")

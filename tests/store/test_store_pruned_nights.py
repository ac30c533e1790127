"""The random nights of test_store_nights.py once more, with an operator who prunes, and is killed while at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from store_cases import everything
from store_tripwire import Killed, Mode, Tripwire
from test_store_nights import CELLS, LONG_HUNT, Nights

from subcmc_crawler.store.pruning import prune


class PrunedNights(Nights):
    """Every invariant of the nights holds for what a prune leaves."""

    pruned: ClassVar[int] = 0

    @precondition(lambda self: self.truth or self.held)
    @rule(data=st.data(), keep=st.integers(1, 3))
    def an_operator_prunes(self, data: st.DataObject, keep: int) -> None:
        at = data.draw(st.one_of(st.just(0), st.integers(1, 12)), label="killed at write")
        mode: Mode = data.draw(st.sampled_from(["before", "after", "half"]), label="killed")
        wire = Tripwire(self.db, at=at, mode=mode)
        self.touched = set(CELLS)
        try:
            self.do(prune(wire.database, keep))
        except Killed:
            self.do(prune(self.db, keep))
        self.do(self.only_what_is_seen_is_left(keep))

    async def only_what_is_seen_is_left(self, keep: int) -> None:
        runs = [run["_id"] for run in await everything(self.db, "runs")]
        assert len(runs) <= keep
        oldest = min(runs)
        self.held = {cell: held for cell, held in self.held.items() if held[0].run >= oldest}
        kept = {}
        for (run, cell), rows in self.truth.items():
            later = [other for other, of in self.truth if of == cell and run < other <= oldest]
            if run >= oldest or not later:
                kept[run, cell] = rows
        self.gone |= set(self.truth) - set(kept)
        type(self).pruned += len(self.truth) - len(kept)
        self.truth = kept
        for cell in CELLS:
            seen = [run for run, of in kept if of == cell]
            seen += [self.held[cell][0].run] if cell in self.held else []
            broken = self.broken[0] if self.broken and cell in self.broken[1] else None
            for version in await everything(self.db, cell[1]):
                if version["cmcId"] == cell[0] and broken not in (version["from"], version["to"]):
                    assert any(version["from"] <= run < version["to"] for run in seen), version
        models = {
            (found["likeRun"], (found["cmcId"], found["dataset"]))
            for found in await everything(self.db, "snapshots")
        }
        for entry in [*await everything(self.db, "ledger"), *await everything(self.db, "quarantine")]:
            told = (entry["run"], (entry["cmcId"], entry["dataset"]))
            assert entry["run"] >= oldest or told in kept or (told in models and "raw" not in entry)


@pytest.fixture
def machine(mongod_uri: str, prepared: str) -> Iterator[type[PrunedNights]]:
    PrunedNights.uri, PrunedNights.name = mongod_uri, prepared
    PrunedNights.killed = PrunedNights.walked = PrunedNights.resumed = PrunedNights.pruned = 0
    yield PrunedNights
    del PrunedNights.uri, PrunedNights.name


def test_whatever_happens_a_prune_leaves_every_kept_night_as_it_was(machine: type[PrunedNights]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=LONG_HUNT or 8,
            stateful_step_count=25,
            deadline=None,
            derandomize=not LONG_HUNT,
            phases=[Phase.generate, Phase.shrink] if LONG_HUNT else [Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.pruned > 10, "the examples must prune published snapshots"

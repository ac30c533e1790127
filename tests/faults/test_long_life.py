"""Night after night in one process. `make soak` lives for 60 of them."""

from __future__ import annotations

import asyncio

import pytest
from long_life import Life, live

NIGHTS = 8
KEEP = 3


@pytest.fixture(scope="module")
def life(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Life:
    folder = tmp_path_factory.mktemp("life")
    # a driver that may open as many connections as it likes opens one more whenever a machine is slower than before
    few = f"{mongod_uri}?maxPoolSize=2"
    living = live(few, "test_long_life", folder, nights=NIGHTS, keep=KEEP, scale=0.001)
    return asyncio.run(living)


def test_a_process_holds_no_more_after_many_nights_than_after_a_few(life: Life) -> None:
    """A leak of one a night would show: the driver opens its second connection when two walks write at once."""
    early, late = life.mornings[:4], life.mornings[4:]
    assert len(late) == NIGHTS - 4
    assert max(each.tasks for each in late) == 0
    assert max(each.descriptors for each in late) < max(each.descriptors for each in early) + len(late)


def test_the_store_grows_by_what_changed_and_by_nothing_else(life: Life) -> None:
    assert [morning.grown for morning in life.mornings] == [morning.new for morning in life.mornings]
    assert life.mornings[0].new > 5 * life.mornings[1].new > 0


def test_a_prune_gives_back_what_nobody_sees_and_keeps_every_kept_night_exact(life: Life) -> None:
    assert life.faults == ()
    assert life.kept == KEEP * 2 * 9
    assert life.versions_before - life.versions_after == sum(life.pruned.versions.values()) > 0
    assert life.bytes_after < life.bytes_before

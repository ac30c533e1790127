"""Rows are met column by column as they would be one by one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.store.awaited import Awaited
from subcmc_crawler.store.order import hashes_of

KEYS = st.sampled_from([f"k{number}" for number in range(8)])
HASHES = st.sampled_from([b"a", b"b"])
READ = st.lists(st.tuples(st.none() | KEYS, st.none() | HASHES), max_size=8)
MET = st.lists(st.tuples(KEYS, HASHES), max_size=8)


@given(st.lists(st.tuples(READ, MET), max_size=5), st.sets(KEYS))
def test_rows_are_met_as_they_would_be_one_by_one(
    steps: list[tuple[list[Any], list[Any]]], unsure: set[str]
) -> None:
    awaited = Awaited()
    waiting: dict[str, bytes | None] = {}
    for read, met in steps:
        awaited.add([key for key, _ in read], [content for _, content in read], unsure=unsure)
        for key, content in read:
            if key is not None:
                waiting[key] = None if key in unsure else content
        assert len(awaited) == len(waiting)
        held = [waiting.pop(key, None) for key, _ in met]
        differ = [before != content for before, (_, content) in zip(held, met, strict=True)]
        assert awaited.meet([key for key, _ in met], [content for _, content in met]) == (differ, held)
        assert awaited.unmet() == [*waiting]
    awaited.clear()
    assert awaited.unmet() == []


@given(st.lists(st.binary(min_size=16, max_size=16)), st.binary(min_size=1, max_size=15))
def test_the_hashes_of_a_page_come_back(hashes: list[bytes], more: bytes) -> None:
    joined = b"".join(hashes)
    assert hashes_of({"hashes": joined}) == hashes
    assert hashes_of({"hashes": joined + more}) == hashes_of({}) == []

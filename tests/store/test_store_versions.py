"""What the rows of a page begin and end is what each of them would by itself."""

from __future__ import annotations

from typing import Any

import bson
from hypothesis import given
from hypothesis import strategies as st
from store_cases import CMC, page_of, row

from subcmc_crawler.model import OPEN_END
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.store.codec import encode_version
from subcmc_crawler.store.counting import Changes
from subcmc_crawler.store.versions import Previous, turnover

ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from([None, *"abcdef"]),
        st.sampled_from(["", "x", 7, "y" * 300, {"deep": []}, {"$ref": 1}, 1 << 70]),
    ),
    max_size=8,
)


def one_by_one(page: Page, position: int, previous: Previous) -> tuple[list[bytes], list[str]]:
    """The version that a row begins, and the id of the one that it ends."""
    key, content = page.keys[position], page.hashes[position]
    assert key is not None
    before = previous.get(key)
    if before is not None and before["hash"] == content:
        return [], []
    version: dict[str, Any] = {
        "_id": f"620000/00000007/{key}",
        "cmcId": "620000",
        "key": key,
        "from": 7,
        "to": OPEN_END,
        "hash": content,
        "flags": list(page.checked.flags.get(position, ())),
        "record": page.records[position],
    }
    ended = [] if before is None else [f"620000/{before['from']:08d}/{key}"]
    return [bson.encode(encode_version(version))], ended


@given(ROWS, st.dictionaries(st.sampled_from("abcdefg"), st.tuples(st.integers(1, 6), st.booleans())))
def test_rows_begin_and_end_what_each_would(rows: list[Any], held: dict[str, tuple[int, bool]]) -> None:
    page = page_of(rows)
    hashes = dict(zip(page.keys, page.hashes, strict=True))
    previous = {
        key: {"key": key, "from": start, "hash": hashes.get(key, b"") if same else b"other"}
        for key, (start, same) in held.items()
    }
    positions = Tally().sort(page, 0).store
    found = turnover(page, positions, previous, cmc_id="620000", run=7)
    expected = [one_by_one(page, position, previous) for position in positions]
    begun = [bson.encode(encode_version(each) if isinstance(each, dict) else each) for each in found.begun]
    assert begun == [each for some, _ in expected for each in some]
    assert [*found.ended] == [each for _, some in expected for each in some]
    changes = Changes(1, 1, 1)
    changes.count(rows=len(positions), begun=len(found.begun), ended=len(found.ended))
    kept = sum(not some for some, _ in expected)
    assert changes == Changes(1 + len(begun) - len(found.ended), 1 + len(found.ended), 1 + kept)


@given(st.lists(st.sampled_from([1, None, "1", 1.5, True, "", -1.0, {}, 1 << 70, 1 << 63]), min_size=2))
def test_the_flags_of_a_version_say_nothing_that_another_night_may_unsay(times: list[object]) -> None:
    begun = [turnover(page_of([row("a", 7, time)]), [0], {}, cmc_id=CMC, run=1).begun[0] for time in times]
    assert len({version["hash"] for version in begun}) == 1
    assert {tuple(version["flags"]) for version in begun} == {("orgName:type", "parentOrgId:required")}


def test_a_version_without_collect_time_says_so() -> None:
    served = {"orgId": "a", "orgName": "x", "parentOrgId": "b"}
    page = page_of([served, {**served, "orgId": "c", " collectTime": "soon"}])
    absent, stray = turnover(page, [0, 1], {}, cmc_id=CMC, run=1).begun
    assert absent["flags"] == ["collectTime:required"]
    assert page.checked.flags[1] == ("collectTime:type",)
    assert stray["flags"] == []

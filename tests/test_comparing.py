"""Comparing by fingerprint says what comparing by hand says."""

from __future__ import annotations

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.comparing import MOST_SAMPLES, Comparing, Differences
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.normal import compared_fields, normal

Records = dict[str, dict[str, Any]]

VALUES = st.sampled_from([None, "", -1, "-1L", 0, 1, "1", "01", 2, "a", "b", [], ["a", "b"], ["b", "a"]])
FIELDS = st.sampled_from(
    ["haStatus", "hosts", "languages", "middlewares", "collectTime", "reportType", "own"]
)
RECORDS = st.dictionaries(
    st.text("abcdefghij", min_size=1, max_size=2), st.dictionaries(FIELDS, VALUES), max_size=60
)


def compared(pushed: Records, pulled: Records) -> Differences:
    comparing = Comparing("pm_service")
    for key, record in pushed.items():
        comparing.push(key, record)
    assert comparing.pushed == len(pushed)
    for key, record in sorted(pulled.items()):
        comparing.pull(key, record)
    return comparing.differences()


def by_hand(pushed: Records, pulled: Records) -> Differences:
    def fields(key: str) -> tuple[str, ...]:
        sides = (normal("pm_service", pushed[key]), normal("pm_service", pulled[key]))
        names = compared_fields("pm_service")
        return tuple(name for name, one, other in zip(names, *sides, strict=True) if one != other)

    both = {key: fields(key) for key in sorted(pushed.keys() & pulled.keys())}
    differing = {key: names for key, names in both.items() if names}
    counts: dict[str, int] = {}
    for names in differing.values():
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    return Differences(
        equal=len(both) - len(differing),
        differing=len(differing),
        only_pushed=len(pushed.keys() - pulled.keys()),
        only_pulled=len(pulled.keys() - pushed.keys()),
        fields=counts,
        differing_keys=tuple(differing.items())[:MOST_SAMPLES],
        only_pushed_keys=tuple(sorted(pushed.keys() - pulled.keys())[:MOST_SAMPLES]),
        only_pulled_keys=tuple(sorted(pulled.keys() - pushed.keys())[:MOST_SAMPLES]),
    )


@given(RECORDS, RECORDS)
def test_it_agrees_with_comparing_by_hand(pushed: Records, pulled: Records) -> None:
    found = compared(pushed, pulled)
    assert found == by_hand(pushed, pulled)
    assert found.equal + found.differing + found.only_pushed == len(pushed)
    assert found.equal + found.differing + found.only_pulled == len(pulled)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_same_records_in_any_order_do_not_differ(records: Records, chance: Any) -> None:
    shuffled = list(records.items())
    chance.shuffle(shuffled)
    assert compared(dict(shuffled), records) == Differences(equal=len(records))


def test_the_last_push_of_a_key_counts() -> None:
    comparing = Comparing("ua_org")
    comparing.push("a", {"orgName": "old"})
    comparing.push("a", {"orgName": "new"})
    comparing.pull("a", {"orgName": "new"})
    assert comparing.differences() == Differences(equal=1)


def test_fields_come_with_the_most_frequent_first() -> None:
    pushed: Records = {"a": {"haStatus": 1}, "b": {"haStatus": 1, "hosts": ["x"]}, "c": {"hosts": ["x"]}}
    pushed["d"] = {"hosts": ["x"]}
    found = compared(pushed, {key: {} for key in pushed})
    assert list(found.fields.items()) == [("hosts", 3), ("haStatus", 2)]


def test_memory_grows_with_keys_and_not_with_records() -> None:
    rows = Centre("620000", "甘肃省", scale=0.1).rows("mdm_device")
    comparing = Comparing("mdm_device")
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for row in rows:
        comparing.push(str(row["terminalId"]), row)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == comparing.pushed == 5000
    assert (after - before) / len(rows) < 250  # bytes; a record as Python holds it takes more than 1,000

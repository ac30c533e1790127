"""Every manifest goes to MongoDB and comes back equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.collection import Collection

from subcmc_crawler.model import (
    Acceptance,
    Counts,
    Ending,
    Manifest,
    RuleBreak,
    RunRecord,
    RunStatus,
    State,
    Verdict,
)
from subcmc_crawler.store.codec import manifest_of, run_of, to_document

counted = st.integers(0, 2**40)
maybe = st.one_of(st.none(), counted)
lines = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
odd_names = st.one_of(st.sampled_from(["", ".", "a.b", "$set", "$", "a\0b", "\0", "_id", "…"]), lines)
tallies = st.dictionaries(odd_names, st.integers(1, 10**6), max_size=5)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone comes next
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)
seconds = st.floats(0, 1e6, allow_nan=False)

manifest_fields: dict[str, st.SearchStrategy[Any]] = {
    "run": st.integers(1, 10**6),
    "cmc_id": lines,
    "province": lines,
    "dataset": lines,
    "state": st.sampled_from(State),
    "like_run": maybe,
    "like_pass": maybe,
    "verdict": st.one_of(st.none(), st.sampled_from(Verdict)),
    "reason": lines,
    "reason_code": lines,
    "reason_values": st.dictionaries(st.sampled_from(["missing", "fault"]), st.one_of(counted, lines)),
    "counts": st.builds(
        Counts,
        declared=maybe,
        declared_first=maybe,
        received=counted,
        distinct=counted,
        repeated=counted,
        conflicting=counted,
        quarantined=counted,
        flagged=counted,
        stored=maybe,
        pushed=maybe,
        added=counted,
        changed=counted,
        removed=counted,
        unchanged=counted,
    ),
    "base": maybe,
    "passes": counted,
    "stored_pass": maybe,
    "endings": st.lists(st.sampled_from([ending.value for ending in Ending]), max_size=3).map(tuple),
    "pages": counted,
    "attempts": counted,
    "bytes": counted,
    "seconds": seconds,
    "address": st.one_of(st.none(), lines),
    "digest": st.one_of(st.none(), lines),
    "collect_time_min": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    "collect_time_max": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    "rules": st.lists(
        st.builds(
            RuleBreak,
            field=odd_names,
            rule=lines,
            rows=counted,
            samples=st.lists(lines, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    "drift": tallies,
    "deviations": tallies,
    "faults": tallies,
    "rest_seconds": seconds,
    "dead_addresses": st.lists(lines, max_size=3).map(tuple),
    "page_size": maybe,
    "clamped": st.booleans(),
    "slowest_rate": st.one_of(st.none(), seconds),
    "started_at": st.one_of(st.none(), moments),
    "finished_at": st.one_of(st.none(), moments),
    "accepted": st.one_of(st.none(), st.builds(Acceptance, by=lines, at=moments, reason=lines)),
}
manifests = st.builds(Manifest, **manifest_fields)

runs = st.builds(
    RunRecord,
    number=st.integers(1, 10**6),
    status=st.sampled_from(RunStatus),
    started_at=moments,
    finished_at=st.one_of(st.none(), moments),
    summary=tallies,
    selection=st.lists(lines, max_size=3).map(tuple),
    registry=lines,
    version=lines,
    notices=st.lists(lines, max_size=3).map(tuple),
)


@pytest.fixture(scope="module")
def shelf(mongod_uri: str) -> Iterator[Collection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        yield client.get_database("test_manifests", CodecOptions(tz_aware=True))["shelf"]
        client.drop_database("test_manifests")


def through_mongodb(shelf: Collection[dict[str, Any]], document: dict[str, Any]) -> dict[str, Any]:
    shelf.delete_many({})
    shelf.insert_one({**document, "_id": document.get("_id", "1")})
    found = shelf.find_one({})
    assert found is not None
    return found


def test_no_field_is_forgotten_here() -> None:
    assert manifest_fields.keys() == {field.name for field in fields(Manifest)}


@settings(max_examples=250, deadline=None, derandomize=True)
@given(manifest=manifests)
def test_a_manifest_comes_back_equal(shelf: Collection[dict[str, Any]], manifest: Manifest) -> None:
    found = manifest_of(through_mongodb(shelf, to_document(manifest)))
    assert found == manifest
    assert list(found.drift) == list(manifest.drift), "the names keep their order"
    assert type(found.state) is State
    assert manifest.verdict is None or type(found.verdict) is Verdict


@settings(max_examples=100, deadline=None, derandomize=True)
@given(run=runs)
def test_a_run_comes_back_equal(shelf: Collection[dict[str, Any]], run: RunRecord) -> None:
    document = to_document(run)
    document["_id"] = document.pop("number")
    assert run_of(through_mongodb(shelf, document)) == run


def test_the_names_in_mongodb_are_those_of_the_design() -> None:
    document = to_document(Manifest(run=1, cmc_id="620000", province="x", dataset="ua_org", state=State.HELD))
    assert {"run", "cmcId", "dataset", "state", "verdict", "storedPass", "collectTimeMin"} <= document.keys()
    assert {"declared", "declaredFirst", "received", "distinct"} <= document["counts"].keys()

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from report_cases import HOSTILE, IDENTITY, PHONE, any_manifests, manifest_of, night_report, run_record

from subcmc_crawler.model import Acceptance, Counts, Manifest, RuleBreak, State, Verdict
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.night import build
from subcmc_crawler.report.schemas import schema

PROMISED = {
    "cmcId", "province", "dataset", "verdict", "state", "declared", "declaredFirst", "received", "distinct",
    "repeated", "conflicting", "quarantined", "flagged", "missing", "stored", "added", "changed", "removed",
    "unchanged", "pushed", "passes", "pages", "attempts", "bytes", "seconds", "address", "digest", "reason",
}  # fmt: skip


def written(*manifests: Manifest, **run: object) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(to_json(build(run_record(**run), manifests)))  # type: ignore[arg-type]
    return document


def valid(document: object) -> None:
    Draft202012Validator(schema("report")).validate(document)


def test_the_schema_is_a_schema_and_lets_fields_be_added() -> None:
    Draft202012Validator.check_schema(schema("report"))
    assert schema("report")["additionalProperties"] is True
    valid({**written(manifest_of()), "added": "later"})


def test_a_night_has_the_promised_fields() -> None:
    document = orjson.loads(to_json(night_report()))
    valid(document)
    assert document["schema"] == "subcmc.report/1"
    assert {"number", "startedAt", "finishedAt", "status"} <= set(document["run"])
    assert set(document["summary"]) == set(Verdict)
    assert len(document["cells"]) == 315
    assert all(set(cell) >= PROMISED for cell in document["cells"])


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_manifests, max_size=3, unique_by=lambda m: (m.cmc_id, m.dataset)))
def test_any_night_is_valid(manifests: list[Manifest]) -> None:
    valid(json.loads(to_json(build(run_record(), manifests))))


def test_times_carry_the_offset_of_beijing() -> None:
    document = written(manifest_of())
    assert document["run"]["startedAt"] == "2026-03-05T01:00:03.000+08:00"
    assert document["cells"][0]["collectTimeMax"] == "2026-03-05T08:00:00.000+08:00"


def test_a_time_without_a_zone_is_utc() -> None:
    began = datetime(2026, 3, 4, 17, 0)  # noqa: DTZ001 - what a driver hands out unless told otherwise
    assert written(started_at=began, finished_at=None)["run"]["startedAt"] == "2026-03-05T01:00:00.000+08:00"


def test_a_collect_time_that_no_calendar_has_is_null() -> None:
    assert written(manifest_of(collect_time_max=2**62))["cells"][0]["collectTimeMax"] is None


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.PUBLISHED, "published"), (State.HELD, "held"), (State.ROLLED_BACK, "rolled-back"),
        (State.NONE, "none"), (State.COLLECTING, "none"), (State.ROLLING_BACK, "rolled-back"),
    ],
)  # fmt: skip
def test_states_are_the_four_of_the_contract(state: State, said: str) -> None:
    assert written(manifest_of(state=state))["cells"][0]["state"] == said


def test_a_number_of_any_length_does_not_lose_the_report() -> None:
    document = json.loads(to_json(build(run_record(), [manifest_of(counts=Counts(declared=10**30))])))
    valid(document)
    assert document["cells"][0]["declared"] == 10**30


def test_personal_data_and_control_characters_do_not_pass() -> None:
    text = f"{HOSTILE} {IDENTITY} {PHONE}"
    manifest = manifest_of(
        reason=text,
        rules=(RuleBreak(field="phone", rule="length", rows=1, samples=(PHONE, IDENTITY)),),
        drift={text: 1},
        deviations={text: 1},
        faults={text: 1},
        accepted=Acceptance(by=text, at=run_record().started_at, reason=text),
    )
    raw = to_json(build(run_record(notices=(text,)), [manifest])).decode()
    assert IDENTITY not in raw
    assert PHONE not in raw
    cell = orjson.loads(raw)["cells"][0]
    assert cell["reason"].isprintable()
    assert "\\u202e" in cell["reason"]

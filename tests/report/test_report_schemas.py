"""The JSON Schemas that ship; documents are held against them wherever tests make one (`shaped`)."""

from __future__ import annotations

from importlib import resources

import pytest
from jsonschema import Draft202012Validator, ValidationError

from shapes import shaped
from subcmc_crawler.report.schemas import NAMES, schema


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema_and_names_its_document(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["properties"]["schema"] == {"const": f"subcmc.{name}/1"}
    assert schema(name)["$id"] == f"urn:subcmc:{name}:1"


def test_all_that_ship_have_a_name() -> None:
    folder = resources.files("subcmc_crawler.report") / "schema"
    assert sorted(each.name for each in folder.iterdir()) == [f"{name}-1.json" for name in NAMES]


def test_a_field_that_no_schema_names_is_seen() -> None:
    shaped({"schema": "subcmc.runs/1", "runs": []})
    with pytest.raises(ValidationError):
        shaped({"schema": "subcmc.runs/1", "runs": [], "more": 1})
    with pytest.raises(ValidationError):
        shaped({"schema": "subcmc.runs/1"})

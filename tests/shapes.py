"""What tests of JSON hold every document against: the schema that ships for it, with nothing in it unnamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from subcmc_crawler.report.schemas import NAMES, schema


def closed(node: Any) -> Any:
    """A schema that admits no field that it does not name."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {name: closed(each) for name, each in node.items()}
    return {**kept, "additionalProperties": False} if kept.get("additionalProperties") is True else kept


def shaped(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, which is as the schema that it names says."""
    name, _, version = document["schema"].removeprefix("subcmc.").partition("/")
    assert name in NAMES
    assert version == "1"
    Draft202012Validator(closed(schema(name))).validate(document)
    return document

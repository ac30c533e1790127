"""The JSON Schemas (draft 2020-12) of all that programs receive, as they ship with the package."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

import orjson

NAMES: Final = (
    "alert",
    "capacity",
    "census",
    "check",
    "comparison",
    "diff",
    "history",
    "plan",
    "prune",
    "report",
    "runs",
)
"""`subcmc.NAME/1` is what a document of `schema/NAME-1.json` calls itself."""


def schema(name: str) -> dict[str, Any]:
    """The schema of `subcmc.NAME/1`."""
    loaded: dict[str, Any] = orjson.loads(
        resources.files(__package__).joinpath(f"schema/{name}-1.json").read_bytes()
    )
    return loaded

"""Rows of one dataset, and pages of them, for whoever tests what becomes of pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from subcmc_crawler.province.page import Page, read
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope

NETWORK = DATASETS["infr_network"]
CMC_ID = "620000"
LONE_SURROGATE = "\ud800"


def page(rows: Sequence[Any], total: int | None = None) -> Page:
    return read(NETWORK, Envelope(0, "", total, list(rows), ()), CMC_ID)


def row(key: Any, content: Any = "a", **more: Any) -> dict[str, Any]:
    return {"netId": key, "operator": content, **more}


def sound(key: str, content: str = "a") -> dict[str, Any]:
    """A row that breaks no rule."""
    (made, *_) = Centre(CMC_ID, "甘肃省").rows("infr_network")
    made |= {"netId": key, "operator": content}
    return made

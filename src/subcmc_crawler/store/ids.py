"""Deterministic identifiers: a batch that is sent twice is stored once, and a prefix is a range."""

from __future__ import annotations

from typing import Any


def version_id(cmc_id: str, run: int, key: str) -> str:
    """The version of `key` that begins with `run`."""
    return f"{cmc_id}/{run:08d}/{key}"


def versions_after(cmc_id: str, run: int, upto: int | None = None) -> dict[str, Any]:
    """The versions of a province that begin after `run`, with `upto` no later than that, as a range.

    "0" follows "/", and no cmcId has a "/" in it.
    """
    end = f"{cmc_id}0" if upto is None else version_id(cmc_id, upto + 1, "")
    return {"_id": {"$gte": version_id(cmc_id, run + 1, ""), "$lt": end}}


def manifest_id(run: int, cmc_id: str, dataset: str) -> str:
    """The manifest of one snapshot."""
    return f"{run:08d}/{cmc_id}/{dataset}"


def ledger_id(run: int, cmc_id: str, dataset: str, walk_pass: int, entry: str) -> str:
    """One entry of the ledger or of the quarantine."""
    return f"{manifest_id(run, cmc_id, dataset)}/{walk_pass:03d}/{entry}"


def ledger_of(
    run: int, cmc_id: str, dataset: str, walk_pass: int | None = None, kind: str = ""
) -> dict[str, Any]:
    """All entries of a walk, or of one pass, or of one kind (`p` pages, `a` attempts) of one pass, as a range."""
    prefix = manifest_id(run, cmc_id, dataset)
    if walk_pass is not None:
        prefix = f"{prefix}/{walk_pass:03d}"
    return {"_id": {"$gte": f"{prefix}/{kind}", "$lt": f"{prefix}/{kind}\U0010ffff"}}


def ledger_of_province(run: int, cmc_id: str) -> dict[str, Any]:
    """All entries of a province in a run, as a range: "0" follows "/". Its manifests, too."""
    return {"_id": {"$gte": f"{run:08d}/{cmc_id}/", "$lt": f"{run:08d}/{cmc_id}0"}}


def run_of_ledger(run: int) -> dict[str, Any]:
    """All entries of a run, as a range: "0" follows "/"."""
    return {"_id": {"$gte": f"{run:08d}/", "$lt": f"{run:08d}0"}}


END_ENTRY = "end"
"""The entry that a pass leaves when it has come to its end."""

END_OF_PAGES = "q"
"""Follows every page entry and every row entry."""


def page_entry(ordinal: int) -> str:
    """The page that was taken as number `ordinal` of its pass, from 0."""
    return f"p{ordinal:06d}"


def attempt_entry(sequence: int) -> str:
    """The attempt that was made as number `sequence` of its walk, from 1."""
    return f"a{sequence:06d}"


def row_entry(ordinal: int, position: int) -> str:
    """The row at `position` of a page."""
    return f"{page_entry(ordinal)}/{position:06d}"

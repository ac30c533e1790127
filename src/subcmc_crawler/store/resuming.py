"""What the ledger still knows of a walk that was broken off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import ASCENDING

from subcmc_crawler.model import Ending, Manifest
from subcmc_crawler.province.walking import PassFacts
from subcmc_crawler.store.driver import Database
from subcmc_crawler.store.ids import ledger_of


@dataclass(frozen=True, slots=True)
class OpenPass:
    """The last pass, whose rows are staged, and the address that it is on."""

    number: int
    address: str
    page_size: int  # of its first page


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """A walk that goes on: what an earlier process of the same run left."""

    manifest: Manifest | None = None
    last_pass: int = 0
    passes: tuple[PassFacts, ...] = ()  # those that ended, without the failed ones
    endings: tuple[Ending, ...] = ()  # of all that ended
    open_pass: OpenPass | None = None
    attempts: int = 0
    bytes: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)


async def read_ledger(db: Database, run: int, cmc_id: str, dataset: str) -> Reopened:
    """Everything that the ledger has of a walk, but for the rows."""
    attempts, body_bytes, faults = 0, 0, Counter[str]()
    first_pages: dict[int, OpenPass] = {}
    ends: dict[int, PassFacts] = {}
    last = 0
    entries = db["ledger"].find(
        ledger_of(run, cmc_id, dataset), {"keys": 0, "times": 0}, sort=[("_id", ASCENDING)]
    )
    async for entry in entries:
        number = entry["pass"]
        last = max(last, number)
        if entry["kind"] == "attempt":
            attempts += 1
            body_bytes += entry["bytes"]
            faults.update([entry["fault"]] if entry["fault"] else [])
        elif entry["kind"] == "end":
            ends[number] = _facts(entry)
        else:
            first_pages.setdefault(number, OpenPass(number, entry["address"], entry["pageSize"]))
    # the rows of a pass that ended well are still staged: its closing probe alone is asked for again
    repeatable = last not in ends or ends[last].ending not in (Ending.FAILED, Ending.STOPPED)
    earlier = [facts for number, facts in ends.items() if number != last or not repeatable]
    return Reopened(
        last_pass=last,
        passes=tuple(facts for facts in earlier if facts.ending is not Ending.FAILED),
        endings=tuple(facts.ending for facts in earlier),
        open_pass=first_pages.get(last) if repeatable else None,
        attempts=attempts,
        bytes=body_bytes,
        faults=dict(faults),
    )


def _facts(entry: Mapping[str, Any]) -> PassFacts:
    return PassFacts(
        ending=Ending(entry["ending"]),
        totals=tuple(entry["totals"]),
        received=entry["received"],
        content=entry["content"],
        clamped=entry["clamped"],
    )

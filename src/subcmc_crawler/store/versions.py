"""The versions that the rows of a page begin, and those that they end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bson.raw_bson import RawBSONDocument

from subcmc_crawler.model import OPEN_END
from subcmc_crawler.province.page import Page, volatile_name
from subcmc_crawler.province.tally import at, keys_at
from subcmc_crawler.spec.datasets import VOLATILE
from subcmc_crawler.store.codec import encode_version
from subcmc_crawler.store.driver import Document
from subcmc_crawler.store.ids import version_id

Previous = Mapping[str, Document]
"""`key`, `from` and `hash` of versions, by key."""

_OF_COLLECT_TIME: Final = f"{VOLATILE}:"


class Turnover(NamedTuple):
    """The versions that begin, and the ids of those that end for them."""

    begun: Sequence[Document | RawBSONDocument]
    ended: Sequence[str]


def turnover(page: Page, positions: Sequence[int], previous: Previous, *, cmc_id: str, run: int) -> Turnover:
    """What the rows at these positions change, of which the versions that hold are known; each has a key."""
    ended: list[str] = []
    if previous:
        positions = [each for each in positions if _differs(previous.get(page.keys[each] or ""), page, each)]
        held = [previous[key] for key in keys_at(page, positions) if key in previous]
        ended = [version_id(cmc_id, version["from"], version["key"]) for version in held]
    begun = _begun(page, positions, cmc_id, run)
    return Turnover(begun if page.flat else [*map(encode_version, begun)], ended)


def _differs(version: Document | None, page: Page, position: int) -> bool:
    return version is None or bool(version["hash"] != page.hashes[position])


def _begun(page: Page, positions: Sequence[int], cmc_id: str, run: int) -> list[Document]:
    prefix = version_id(cmc_id, run, "")
    unflagged: list[str] = []  # one for all: they are only encoded
    keys, hashes, records = keys_at(page, positions), at(page.hashes, positions), at(page.records, positions)
    versions = [
        {
            "_id": prefix + key,
            "cmcId": cmc_id,
            "key": key,
            "from": run,
            "to": OPEN_END,
            "hash": content,
            "flags": unflagged,
            "record": record,
        }
        for key, content, record in zip(keys, hashes, records, strict=True)
    ]
    if flags := page.checked.flags:
        for position, version, record in zip(positions, versions, records, strict=True):
            version["flags"] = _lasting(flags.get(position, ()), record)
    return versions


def _lasting(flags: Sequence[str], record: Any) -> list[str]:
    """The rules that a record breaks for as long as its version holds: those of what the hash covers.

    What a collectTime breaks may be over the next night, without a new version; that one is absent lasts.
    """
    if not flags or volatile_name(record) is None:
        return [*flags]
    return [flag for flag in flags if not flag.startswith(_OF_COLLECT_TIME)]

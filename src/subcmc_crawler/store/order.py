"""The order in which rows were served, told by what it has in common with that of an earlier night.

A province mostly serves the same keys in the same order, so that a page is a few numbers: take the next 700 keys of
that night's pass, pass over one, a new key, take 298 more. The pass that is referred to stands by itself, so that
there is never more than one step from a page to its keys.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, count
from operator import ne
from struct import iter_unpack
from typing import Any, Final

from pymongo import ASCENDING

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import Manifest, State
from subcmc_crawler.province.page import HASH_BYTES
from subcmc_crawler.store.codec import pack, unpack
from subcmc_crawler.store.driver import Database, Document
from subcmc_crawler.store.ids import ledger_id, ledger_of, page_entry

Key = str | None
Token = int | Key
"""n takes the next n keys of the other order, -n passes over n of them, anything else is a key itself."""

_AHEAD: Final = 200
"""Keys that may be passed over at once: what moved further is told by itself."""

_STRETCH: Final = 64
"""Keys that are compared at once: most are equal, and where one is not the few are searched for it."""

_PAGES_AT_ONCE: Final = 8
_NIGHTS: Final = 30
"""Runs after which a walk stands by itself again: what came and went since then is told on each of its pages."""


def in_terms_of(keys: Sequence[Key], other: Sequence[Key]) -> tuple[list[Token], int]:
    """`keys` as tokens, and how many of the `other` keys they have used."""
    keys, other = list(keys), list(other)
    if other[: len(keys)] == keys:
        return [len(keys)] if keys else [], len(keys)
    places = dict(zip(reversed(other), range(len(other) - 1, -1, -1), strict=True))  # the first of each
    tokens: list[Token] = []
    place = at = same = 0
    while place < len(keys):
        key = keys[place]
        if at < len(other) and other[at] == key:
            alike = _alike(keys, place, other, at)
            place, at, same = place + alike, at + alike, same + alike
            continue
        place += 1
        ahead = places.get(key, -1) - at if key is not None else -1
        if same:
            tokens.append(same)
        if 0 < ahead <= _AHEAD:
            tokens.append(-ahead)
            at, same = at + ahead + 1, 1
        else:
            tokens.append(key)
            same = 0
    return [*tokens, same] if same else tokens, at


def _alike(keys: list[Key], place: int, other: list[Key], at: int) -> int:
    """How many keys from a place on are those of the other order from a place of it on, compared many at once."""
    begin = place
    while some := keys[place : place + _STRETCH]:
        others = other[at : at + _STRETCH]
        if some != others:
            return place - begin + next(compress(count(), map(ne, some, others)), min(len(some), len(others)))
        place, at = place + len(some), at + len(some)
    return place - begin


def spelt_out(tokens: Sequence[Token], other: Sequence[Key]) -> tuple[list[Key], int]:
    """The keys that tokens stand for, and how many of the `other` keys they have used."""
    keys: list[Key] = []
    at = 0
    for token in tokens:
        if not isinstance(token, int):
            keys.append(token)
            continue
        if token > 0:
            keys += other[at : at + token]
        at += abs(token)
    return keys, at


def hashes_out(tokens: Sequence[Token], other: Sequence[bytes | None]) -> list[bytes | None]:
    """The hashes that tokens stand for, where `other` are those of the other keys; None for a key told by itself."""
    hashes: list[bytes | None] = []
    at = 0
    for token in tokens:
        if not isinstance(token, int):
            hashes.append(None)
            continue
        if token > 0:
            hashes += other[at : at + token]
        at += abs(token)
    return hashes


class NotAsServed(StoreLost):
    """What the ledger tells of a page cannot be had from the store; mostly, the pass was broken off there."""


@dataclass(frozen=True, slots=True)
class Model:
    """The pass whose order others are told by."""

    run: int
    walk_pass: int


def model_for(base: Manifest | None, run: int) -> Model | None:
    """What the order of a walk is told by: the pass that its base refers to, else that of the base; None at times.

    After so many nights a walk stands by itself.
    """
    if base is None or base.state is not State.PUBLISHED or not base.stored_pass:
        return None
    if base.like_run is None or base.like_pass is None:
        return Model(base.run, base.stored_pass)
    return Model(base.like_run, base.like_pass) if run - base.like_run < _NIGHTS else None


class Order:
    """The keys of a model from some place on, read as they are needed; `hashes`: those of its rows, too."""

    def __init__(
        self, db: Database, model: Model, cmc_id: str, dataset: str, *, hashes: bool = False
    ) -> None:
        self.model = model
        self.at = 0  # the place in the model of the first key of `_keys`
        self.used = False  # whether a page is told by it
        self._db = db
        self._cell = (model.run, cmc_id, dataset, model.walk_pass)
        self._keys: list[Key] = []
        self._hashes: list[bytes | None] | None = [] if hashes else None
        self._pages = 0
        self._ended = False

    async def told(self, keys: Sequence[Key], hashes: Sequence[bytes]) -> Document:
        """What the ledger keeps of the keys of the next page: its fields `keys` and `like`, or `hashes`."""
        await self._have(len(keys) + _AHEAD)
        tokens, used = in_terms_of(keys, self._keys[: len(keys) + _AHEAD])
        if 2 * len(tokens) > len(keys) + 2:
            self._drop(min(len(keys), len(self._keys)))  # a page of another night that came in its place
            return spelt(keys, hashes)
        like = {"run": self.model.run, "pass": self.model.walk_pass, "at": self.at, "used": used}
        self._drop(used)
        self.used = True
        return {"keys": pack(tokens), "like": like}

    async def rows_of(self, page: Document) -> tuple[list[Key], list[bytes | None]]:
        """Keys and hashes of a page that is told by this order; pages come in the order in which they were written.

        Without `hashes` there are none. A key that is told by itself has None.
        """
        like = page["like"]
        await self.go_to(like["at"])
        await self._have(like["used"])
        tokens = unpack(page["keys"])
        keys, used = spelt_out(tokens, self._keys)
        hashes = hashes_out(tokens, self._hashes) if self._hashes is not None else []
        if used != like["used"] or len(keys) != page["rows"]:
            raise NotAsServed(f"{page['_id']}: the order of run {like['run']}, by which it is told, is gone")
        self._drop(used)
        return keys, hashes

    async def go_to(self, place: int) -> None:
        """Goes on from a place that is not behind."""
        while self.at < place:
            await self._have(1)
            if not self._keys:
                return
            self._drop(min(place - self.at, len(self._keys)))

    async def go_on(self, place: int) -> None:
        """Goes on where an earlier process of the run was broken off."""
        self.used = True
        await self.go_to(place)

    def rewind(self) -> None:
        """Begins again."""
        self.at, self._keys, self._pages, self._ended = 0, [], 0, False
        if self._hashes is not None:
            self._hashes = []

    def _drop(self, count: int) -> None:
        del self._keys[:count]
        if self._hashes is not None:
            del self._hashes[:count]
        self.at += count

    async def _have(self, count: int) -> None:
        """Reads on until so many keys are here, or there are no more. No cursor is kept open: a rest may be long."""
        while len(self._keys) < count and not self._ended:
            wanted = ledger_of(*self._cell, "p")
            wanted["_id"]["$gte"] = ledger_id(*self._cell, page_entry(self._pages))
            fields = {"keys": 1} if self._hashes is None else {"keys": 1, "hashes": 1}
            found = self._db["ledger"].find(wanted, fields, sort=[("_id", ASCENDING)], limit=_PAGES_AT_ONCE)
            pages = [page async for page in found]
            self._pages += len(pages)
            self._ended = len(pages) < _PAGES_AT_ONCE
            for page in pages:
                keys = unpack(page["keys"])
                self._keys += keys
                if self._hashes is not None:
                    self._hashes += hashes_of(page) or [None] * len(keys)


def spelt(keys: Sequence[Key], hashes: Sequence[bytes]) -> Document:
    """What the ledger keeps of keys that are told by themselves, with the hashes of their rows for later nights."""
    return {"keys": pack(keys), "hashes": b"".join(hashes)}


def hashes_of(page: Document) -> list[bytes]:
    """The hashes of the rows of a page that stands by itself; none when it does not, or is old or damaged."""
    joined: bytes = page.get("hashes", b"")
    return [] if len(joined) % HASH_BYTES else [*chain.from_iterable(iter_unpack(f"{HASH_BYTES}s", joined))]


async def served_pages(
    db: Database, run: int, cmc_id: str, dataset: str, walk_pass: int
) -> AsyncIterator[tuple[Document, list[Any]]]:
    """The pages of a pass in the order in which they were walked, each with its keys in served order."""
    order: Order | None = None
    pages = ledger_of(run, cmc_id, dataset, walk_pass, "p")
    found = db["ledger"].find(pages, {"hashes": 0}, sort=[("_id", ASCENDING)])
    async for page in found:
        like = page.get("like")
        if like is None:
            yield page, unpack(page["keys"])
            continue
        if order is None:
            order = Order(db, Model(like["run"], like["pass"]), cmc_id, dataset)
        keys, _ = await order.rows_of(page)
        yield page, keys

"""The content digest of a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import chain, repeat
from typing import Final

from subcmc_crawler.province.page import HASH_BYTES
from subcmc_crawler.spec.records import LONGEST_KEY


class SnapshotDigest:
    """The content digest of a snapshot: over the BSON documents {key, hash} of its records, in the order of the keys.

    So what MongoDB sends can be digested as it comes.
    """

    def __init__(self) -> None:
        self._total = blake2b(digest_size=HASH_BYTES)

    def add(self, key: str, content: bytes) -> None:
        """The next record; keys come in ascending order of their UTF-8 bytes, as an index gives them."""
        self.add_all((key,), (content,))

    def add_all(self, keys: Sequence[str], hashes: Iterable[bytes]) -> None:
        """The next records."""
        self.add_encoded(_in_columns(keys, hashes) if _alike(keys) else _one_by_one(keys, hashes))

    def add_encoded(self, documents: bytes | bytearray) -> None:
        """The next records, as BSON."""
        self._total.update(documents)

    def __str__(self) -> str:
        return self._total.hexdigest()


def _alike(keys: Sequence[str]) -> bool:
    """Whether all keys have as many bytes, one a character, and there are enough of them for columns to pay."""
    return len(set(map(len, keys))) == 1 and len(keys) > 2 * len(keys[0]) and all(map(str.isascii, keys))


def _in_columns(keys: Sequence[str], hashes: Iterable[bytes]) -> bytearray:
    """What `_one_by_one()` gives for keys that are alike, without a step for each.

    The documents are put together around blanks, into which go all first characters, all second ones, and so on.
    """
    size = len(keys[0])
    head = _HEADS[size]
    before = head + bytes(size) + _HASH
    documents = bytearray().join((before, (_END + before).join(hashes), _END))
    characters = "".join(keys).encode()
    for place in range(size):
        documents[len(head) + place :: len(before) + HASH_BYTES + len(_END)] = characters[place::size]
    return documents


def _one_by_one(keys: Iterable[str], hashes: Iterable[bytes]) -> bytes:
    """The documents of any keys."""
    texts = [*map(str.encode, keys)]
    heads = map(_HEADS.__getitem__, map(len, texts))
    return b"".join(chain.from_iterable(zip(heads, texts, repeat(_HASH), hashes, _ENDS)))


class _Heads(dict[int, bytes]):
    """What comes before the text of a key in the BSON of {key, hash}, by the bytes of the text."""

    def __missing__(self, size: int) -> bytes:
        whole = 4 + len(b"\x02key\0") + 4 + size + len(_HASH) + HASH_BYTES + len(_END)
        head = b"%b\x02key\0%b" % (_int32(whole), _int32(size + 1))
        if size <= LONGEST_KEY:
            self[size] = head
        return head


def _int32(number: int) -> bytes:
    return number.to_bytes(4, "little")


_HASH: Final = b"\0\x05hash\0%b\0" % _int32(HASH_BYTES)
_END: Final = b"\0"
_ENDS: Final = repeat(_END)
_HEADS: Final = _Heads()

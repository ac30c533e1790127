"""Ways of deviating: how a test makes a sound centre answer otherwise, or hold other rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from centre import NOW, Asked, Centre, Deviate, Reply, Row, page

NOW_MS = int(NOW.timestamp() * 1000)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of deviating: how answers change, or how rows do, or what is registered."""

    outcome: str
    deviate: Deviate = lambda asked, reply: None
    prepare: Callable[[Centre], None] = lambda centre: None
    addresses: int = 1
    more: str = ""
    extra: tuple[str, ...] = ()
    also: Mapping[str, str] | None = None  # what cannot be helped


def fail(deviate: Deviate = lambda asked, reply: None, **more: Any) -> Way:
    return Way(outcome="fail", deviate=deviate, **more)


def warn(deviate: Deviate = lambda asked, reply: None, **more: Any) -> Way:
    return Way(outcome="warn", deviate=deviate, **more)


def on(code: str, change: Callable[[Reply], Reply | None]) -> Deviate:
    """The change to every page of one dataset."""

    def deviate(asked: Asked, reply: Reply) -> Reply | None:
        return change(reply) if asked.code == code and reply.rows else None

    return deviate


def everywhere(change: Callable[[Reply], Reply | None]) -> Deviate:
    """The change to every good page."""
    return lambda asked, reply: change(reply) if "data" in (reply.document or {}) else None


def put(**members: Any) -> Callable[[Reply], None]:
    """Members of the envelope, written over."""
    return lambda reply: reply.document.update(members)


def renamed(old: str, new: str) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        reply.document = {new if name == old else name: value for name, value in reply.document.items()}

    return change


def without(name: str) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        del reply.document[name]

    return change


def headed(
    headers: Mapping[str, str] | None = None, *, packed: bool = True, cut: bool = False
) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        reply.headers.update(headers or {})
        reply.packed, reply.cut = packed, cut

    return change


def marked(reply: Reply) -> None:
    reply.raw = b"\xef\xbb\xbf" + json.dumps(reply.document).encode()


def row(code: str, **values: Any) -> Callable[[Centre], None]:
    """Values of one row, written over."""
    return lambda centre: centre.rows[code][2].update(values)


def rows(code: str, change: Callable[[list[Row]], None]) -> Callable[[Centre], None]:
    return lambda centre: change(centre.rows[code])


def raw(text: bytes, **headers: str) -> Reply:
    return Reply(raw=text, headers={"Content-Type": "application/json", **headers})


def instead(code: str, reply: Callable[[], Reply]) -> Deviate:
    """Another answer to page 2 of a dataset, which every reader of it asks for."""

    def deviate(asked: Asked, sound: Reply) -> Reply | None:
        del sound
        return reply() if asked.code == code and asked.page[0] == 2 and asked.page[1] == 40 else None

    return deviate


def slices(
    code: str, start: Callable[[int, int], int], length: Callable[[int], int] = lambda size: size
) -> Deviate:
    """Pages of a dataset that begin elsewhere, or have another length."""

    def deviate(asked: Asked, reply: Reply) -> Reply | None:
        if asked.code != code or "data" not in reply.document:
            return None
        number, size = asked.page
        every = Centre().rows[code]
        at = start(number, size)
        return page(every[at : at + length(size)], len(every))

    return deviate


def clamp(number: int, size: int) -> int:
    return (number - 1) * min(size, 35)


def padded(size: int) -> Deviate:
    def deviate(asked: Asked, reply: Reply) -> Reply | None:
        if asked.code != "ua_user" or asked.page != (1, 40):
            return None
        body = json.dumps(reply.document).encode()
        return raw(body.ljust(size))

    return deviate


def odd(**wanted: str) -> Callable[[Asked], bool]:
    return lambda asked: all(asked.params.get(name) == value for name, value in wanted.items())


def served_when(asked_for: Callable[[Asked], bool], rows: int = 3) -> Deviate:
    """A good page where there should be a refusal."""

    def deviate(asked: Asked, reply: Reply) -> Reply | None:
        if asked.code and asked_for(asked):
            every = Centre().rows[asked.code]
            return page(every[:rows], len(every))
        return None

    return deviate


def refusal(reply: Callable[[], Reply]) -> Deviate:
    """Another body for each refusal of a parameter."""
    return lambda asked, sound: reply() if sound.status == 400 else None


def zero(pages: Callable[[Asked], list[Row]]) -> Deviate:
    def deviate(asked: Asked, reply: Reply) -> Reply | None:
        if asked.code and asked.params.get("pageNum") == "0":
            return page(pages(asked), len(Centre().rows[asked.code]))
        return None

    return deviate


def again_of(code: str, change: Callable[[Reply], Reply | None]) -> Deviate:
    """The change to the second answer for page 1 at the configured size."""
    count = 0

    def deviate(asked: Asked, reply: Reply) -> Reply | None:
        nonlocal count
        if asked.code != code or asked.page != (1, 40):
            return None
        count += 1
        return change(reply) if count == 2 else None

    return deviate


def shuffled(reply: Reply) -> None:
    reply.rows.reverse()


def others(reply: Reply) -> Reply:
    every = Centre().rows["ua_user"]
    return page([*reply.rows[1:], every[-1]], len(every))


def others_and_total(reply: Reply) -> Reply:
    found = others(reply)
    found.document["total"] = 131
    return found


def overlapping(asked: Asked, reply: Reply) -> None:
    if asked.code == "mdm_device" and asked.page == (2, 40):
        reply.rows[:2] = Centre().rows["mdm_device"][38:40]


def total_of(change: Callable[[Asked, int], object]) -> Deviate:
    def deviate(asked: Asked, reply: Reply) -> None:
        if asked.code == "ua_user" and "data" in reply.document:
            reply.document["total"] = change(asked, reply.document["total"])

    return deviate


def second_address(change: Callable[[Reply], None]) -> Deviate:
    return lambda asked, reply: change(reply) if asked.address == 2 else None


def more_rows(count: int) -> Callable[[Reply], None]:
    def change(reply: Reply) -> None:
        reply.document["total"] += count

    return change


def orphan(every: list[Row]) -> None:
    every[-1]["parentOrgId"] = "620000999999"


def child_first(every: list[Row]) -> None:
    every[1], every[20] = every[20], every[1]


def old(every: list[Row]) -> None:
    for each in every:
        each["collectTime"] = NOW_MS - 8 * 86_400_000


def dropped_names(every: list[Row]) -> None:
    for each in every:
        each[" userId"] = each.pop("userId")

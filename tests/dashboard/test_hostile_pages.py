"""What a province writes stays text on every page of the dashboard: no markup, no script, no mark of direction.

Two real nights of a province whose keys, values, field names and messages are what `report/hostile.py` has; then
every page that links lead to. Looking at them writes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import web
from hostile import TEXTS
from nights import FAST, Ministry

from subcmc_crawler.dashboard.application import serving
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.province.registry import parse
from subcmc_crawler.simulator.answers import Answer
from subcmc_crawler.simulator.block import Block
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.store import Database

PLACE = "620000"
PLAIN = tuple(f"plain {number}" for number in range(20))
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
MOST_PAGES = 150


class Writing(Centre):
    """A centre whose users, and devices without a key, are made of texts."""

    texts: Sequence[str] = PLAIN

    def encoded(self, dataset: str, night: int = 1) -> Block:
        rows = super().encoded(dataset, night).rows()
        if dataset in ("ua_user", "mdm_device"):
            rows = [*rows, *self._written(dataset, rows[0], night)]
        return Block(rows)

    def _written(self, dataset: str, row: Row, night: int) -> list[Row]:
        if dataset == "mdm_device":
            return [{**row, "terminalId": "", "brand": text, "phoneNumber": text} for text in self.texts]
        return [
            {
                **row,
                "userId": f"{text[:60]}{at}",
                "position": f"{text}{night}",
                "userType": text,
                text[:60]: text,
            }
            for at, text in enumerate(self.texts)
        ]


class Telling(Simulator):
    """Answers for three datasets with an error whose message is a text."""

    texts: Sequence[str] = PLAIN

    async def _deliver(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        for code, path in enumerate(("/hardware", "/pm/app", "/infr/network")):
            if path in request.path:
                body = json.dumps({"code": 1001 + code, "message": self.texts[code % len(self.texts)]})
                return await super()._deliver(request, Answer(body=body.encode()))
        return await super()._deliver(request, answer)


class Shape(HTMLParser):
    """Tags with the names of their attributes, and where links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[tuple[str, ...]] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add((tag, *sorted(name for name, _ in attrs)))
        self.targets |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


async def pages(db: Database, texts: Sequence[str]) -> dict[str, str]:
    """Every page of two nights, by its path."""
    centre = Writing(PLACE, "甘肃省", scale=0.0004)
    centre.texts = texts
    found: dict[str, str] = {}
    async with Telling([centre]) as simulator:
        simulator.texts = texts
        house = Ministry(db, simulator, parse(simulator.registry(defaults=FAST)))
        for night in (1, 2):
            await house.night(night, balanced=False)
    before = (await db.command("dbHash"))["md5"]
    async with (
        serving(Site(db=db, lang="zh"), Guard(), host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        keys = [each["key"] async for each in db["ua_user"].find({"cmcId": PLACE}, {"key": 1})]
        for key in keys[-30:]:
            query = {"cell": f"{PLACE}/ua_user", "key": key}
            async with client.get("/record", params=query) as answer:
                found[f"/record {key!r}"] = await answer.text()
                assert answer.status == 200, key
        waiting = ["/"]
        while waiting and len(found) < MOST_PAGES:
            path = waiting.pop()
            if path in found:
                continue
            async with client.get(path) as answer:
                assert answer.status in (200, 404), path
                found[path] = await answer.text()
            links = re.findall(r'href="(/[^"#]*)', found[path])
            waiting += [unescape(urljoin(path, link)) for link in links if "lang=" not in link]
    assert (await db.command("dbHash"))["md5"] == before  # looking writes nothing
    return found


@pytest.fixture
async def plain_tags(db: Database) -> set[tuple[str, ...]]:
    shape = Shape()
    for text in (await pages(db, PLAIN)).values():
        shape.feed(text)
    for name in await db.list_collection_names(filter={"type": "collection"}):
        if name != "schema" and not name.startswith("system."):
            await db[name].delete_many({})
    return shape.tags


async def test_no_text_of_a_province_does_harm_on_a_page(
    db: Database, plain_tags: set[tuple[str, ...]]
) -> None:
    texts = [text.replace("\x00", "") for kind, some in TEXTS.items() if kind != "long" for text in some]
    texts = [text for text in texts if not any("\ud800" <= each <= "\udfff" for each in text)]
    found = await pages(db, [*texts, "长" * 3_000])
    assert {f"/runs/2/{PLACE}/ua_user", f"/runs/2/{PLACE}/hardware", "/live", "/windows"} <= set(found)
    shape = Shape()
    for path, page in found.items():
        assert not FORBIDDEN.search(page), path
        shape.feed(page)
    assert "&lt;script&gt;" in "".join(found.values())
    assert shape.tags - plain_tags == set()
    assert [each for each in shape.targets if not each.startswith(("/", "#", "data:,"))] == []

"""Whatever JSON a province serves comes back equal from `export`: over HTTP, through BSON, and out again.

Equal as text of Python values: 1 is not 1.0, and keys keep their order. More examples, other ones each time:
`HOSTILE_CASES=2000 pytest tests/faults/test_values.py --hypothesis-profile=explore`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from hostile_json import Grammar
from hostile_province import Case, HostileProvince, Line, registry_text, run_night, served
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from subcmc_crawler.model import Verdict
from subcmc_crawler.province.registry import Registry, parse
from subcmc_crawler.store import Database, open_store
from subcmc_crawler.store.reading import export, to_lines
from subcmc_crawler.store.runs import manifests_of

EXAMPLES = int(os.environ.get("HOSTILE_CASES", "20"))
ROWS = 40  # of an example: one walk carries them all
NAME = "620000"

# without shrinking, which would repeat a walk some hundred times
walked = settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
odd_names = st.sampled_from(
    [
        "",
        " ",
        "$",
        "$ref",
        "$id",
        "$db",
        "$subcmc.json",
        "a.b",
        ".",
        "_id",
        "__proto__",
        "\0",
        "\ud800",
        "collectTime",
    ]
)
names = st.one_of(odd_names, st.text(st.characters(), max_size=8))
numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**399]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5).map(float),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(st.characters(), max_size=20))
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)


def nested(depth: int, inner: Any) -> Any:
    """A value deep in lists and objects by turns."""
    for level in range(depth):
        inner = [inner] if level % 2 else {"": inner}
    return inner


deep = st.builds(nested, st.integers(0, 190), leaves)
records = st.dictionaries(names, st.one_of(values, values, values, deep), max_size=5)


class Centre:
    """A province that serves what it is given, and a ministry that asks for it night after night."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.body = b""
        self.run = 0
        self.db: Database
        self.registry: Registry
        self.folder: Path

    async def answer(self, line: Line) -> None:
        await line.reply(self.body)

    async def open(self, stack: AsyncExitStack, uri: str, database: str, folder: Path) -> None:
        trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
        case = Case(name=NAME, script=self.answer, verdict=Verdict.PROVEN)
        provinces: list[HostileProvince] = await stack.enter_async_context(served([case]))
        provinces[0].night = True
        self.db = await stack.enter_async_context(open_store(uri, database=database))
        self.registry = parse(registry_text(provinces).replace("page_size = 4", "page_size = 100"))
        self.folder = folder

    def exported(self, rows: list[bytes]) -> list[Any]:
        """What `export` prints of a night in which these rows were served, read again."""
        return self.runner.run(self._exported(rows))

    async def _exported(self, rows: list[bytes]) -> list[Any]:
        self.body = b'{"code":0,"message":"ok","total":%d,"data":[%b]}' % (len(rows), b",".join(rows))
        self.run += 1
        await run_night(self.db, self.registry, self.folder)
        (manifest,) = await manifests_of(self.db, self.run)
        assert manifest.verdict is Verdict.PROVEN, manifest
        assert manifest.counts.imbalances() == ()
        return [json.loads(to_lines([row])) async for row in export(self.db, manifest)]


@pytest.fixture(scope="module")
def centre(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    name = f"test_{uuid4().hex}"
    with asyncio.Runner() as runner:
        made, stack = Centre(runner), AsyncExitStack()
        runner.run(made.open(stack, mongod_uri, name, tmp_path_factory.mktemp("registry")))
        yield made
        runner.run(stack.aclose())
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(name)


@walked
@given(
    held=st.lists(records, min_size=ROWS // 2, max_size=ROWS),
    large=st.text(st.characters(), min_size=1, max_size=9),
    ascii_only=st.booleans(),
)
def test_any_record_comes_back_equal(
    centre: Centre, held: list[dict[str, Any]], large: str, ascii_only: bool
) -> None:
    rows = [{**row, "userId": f"{centre.run}.{number}"} for number, row in enumerate(held)]
    rows[0]["large"] = large * 50_000
    texts = [_spelled(row, ascii_only) for row in rows]
    exported = centre.exported(texts)
    assert repr(exported) == repr([json.loads(text) for text in texts]) == repr(rows)


@walked
@given(seed=st.integers(0, 2**32))
def test_any_text_of_the_grammar_comes_back_equal(centre: Centre, seed: int) -> None:
    grammar = Grammar(seed)
    texts = [
        f'{{{grammar.space()}"userId":"{centre.run}.{number}","odd":{grammar.value(5)}}}'.encode()
        for number in range(ROWS)
    ]
    assert repr(centre.exported(texts)) == repr([json.loads(text) for text in texts])


def test_the_same_night_again_is_unchanged_and_one_for_1_is_a_change(centre: Centre) -> None:
    def night(value: str) -> tuple[int, int]:
        (row,) = centre.exported([f'{{"userId":"same","v":{value}}}'.encode()])
        assert repr(row["v"]) == repr(json.loads(value))
        (manifest,) = centre.runner.run(manifests_of(centre.db, centre.run))
        return manifest.counts.changed, manifest.counts.unchanged

    night("1")
    assert night("1") == (0, 1)
    for value in (
        "1.0",
        "true",
        '"1"',
        "[1]",
        "1",
        str(2**70),
        str(2**70 + 1),
        "null",
        '"\\ud800"',
        '"\\ud801"',
    ):
        assert night(value) == (1, 0)
        assert night(value) == (0, 1)


def _spelled(row: dict[str, Any], ascii_only: bool) -> bytes:
    """The row as JSON, in escapes where UTF-8 cannot hold it."""
    try:
        return json.dumps(row, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return json.dumps(row).encode()

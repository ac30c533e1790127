"""Names, telephone and identity numbers that provinces serve: whole in the store and in an export, nowhere else.

Two nights over real sockets, with what is personal wherever a province can put it; then everything that the
program prints, writes or logs is searched for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from aiohttp import ClientSession, web
from pymongo import MongoClient
from typer.testing import CliRunner, Result

from shapes import shaped
from shells import turn
from subcmc_crawler.cli.app import app
from subcmc_crawler.config import read_registry
from subcmc_crawler.dashboard.application import serving
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.simulator.answers import Answer
from subcmc_crawler.simulator.block import Block
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.store import open_store
from subcmc_crawler.store.codec import decode_record
from workbooks import xlsx_members

PLACE = "620000"
NAMES = ("欧阳震华", "司马相如", "诸葛孔明", "上官婉儿", "慕容复兴", "东方不败", "令狐楚材", "尉迟敬德")
IDENTITIES = (
    "620102199003071234", "62010219850412567X", "620102197811233456", "620104196602144321", "620105200107152468",
    "620111198909091357", "620121197512059876", "620122199404048642", "620102683301123",
)  # fmt: skip
PHONES = (
    "13893112766", "13919225877", "15009338988", "18609440199", "17709551200", "13109662311", "15293773422",
    "18893884533", "13659995644", "14793106755",
)  # fmt: skip
LONG_NAME = "百里奚" + "屠呦呦" * 100
_MOST_PAGES = 300
DEFAULTS = """
page_size = 10
requests_per_second = 0
max_attempts = 2
cool_down_seconds = 0.01
request_timeout_seconds = 60
"""


def planted(dataset: str, rows: list[Row], night: int) -> list[Row]:
    """The rows of a centre with what is personal in every place that a row has."""
    if dataset == "ua_user":
        return _users(rows, night)
    if dataset == "ua_org":
        rows[0] |= {"contact": NAMES[0], "contactPhone": f"{PHONES[0]}转88888888"}
        rows[1] |= {"contact": NAMES[1] * 9, "contactPhone": PHONES[1], "orgName": [NAMES[2], IDENTITIES[0]]}
    if dataset == "mdm_device":
        rows[0] |= {"terminalId": PHONES[2], "phoneNumber": int(PHONES[2]), "imei": None}
        rows[1] |= {
            "imei": int(IDENTITIES[2]),
            "brand": f"机主{PHONES[3]}" + "长" * 50,
            "status": int(PHONES[3]),
        }
        rows[2] |= {
            "phoneNumber": {PHONES[4]: IDENTITIES[3]},
            "extOwner": PHONES[4],
            PHONES[4]: IDENTITIES[3],
        }
    if dataset == "hardware":
        rows[0] |= {
            "responsiblePerson": NAMES[3],
            "responsiblePhone": [PHONES[5]],
            "importantLevel": PHONES[5],
        }
        rows[1] |= {"maintenancePerson": [NAMES[4]], "macAddress": f"证件 {IDENTITIES[4]} " + "0" * 50}
    return rows


def _users(rows: list[Row], night: int) -> list[Row]:
    rows[0] |= {"name": NAMES[5], "idNo": IDENTITIES[5], "mobile": PHONES[6], "policeNo": IDENTITIES[5] + "9"}
    rows[1] |= {"userId": IDENTITIES[6], "name": LONG_NAME, "idNo": int(IDENTITIES[6]), "userType": PHONES[7]}
    rows[2] |= {"userId": int(PHONES[7]), "position": f"{IDENTITIES[7]}、{PHONES[7]}" + "长" * 33}
    rows[3] |= {"userId": IDENTITIES[8], "orgId": IDENTITIES[0], "gender": IDENTITIES[1]}
    rows[4] |= {"userId": PHONES[8], "name": NAMES[6] if night == 1 else NAMES[7], "cmcId": PHONES[8]}
    rows[5] |= {f" {PHONES[9]} ": NAMES[0], "position": f"night {night}"}
    conflicting = {**rows[1], "name": NAMES[7], "idNo": IDENTITIES[7]}
    keyless = {**rows[2], "userId": "", "name": NAMES[6], "mobile": PHONES[9]}
    kept = rows if night == 1 else [row for row in rows if row["userId"] != IDENTITIES[8]]
    return [*kept, dict(rows[4]), conflicting, keyless, [NAMES[0], PHONES[0]]]  # type: ignore[list-item]


class _Planted(Centre):
    def encoded(self, dataset: str, night: int = 1) -> Block:
        return Block(planted(dataset, super().encoded(dataset, night).rows(), night))


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


TOLD = (
    f"联系人电话 {PHONES[0]}，证件 {IDENTITIES[1]}\r\n手机 {PHONES[1][:3]} {PHONES[1][3:7]} {PHONES[1][7:]}"
)
INSTEAD = {
    "infr_network": Answer(body=_json({"code": 1001, "message": TOLD})),
    "appspt_system": Answer(status=500, reason=f"Error {PHONES[2]}", body=_json({"message": TOLD})),
    "pm_app": Answer(body=f"{IDENTITIES[2]} {TOLD}".encode(), content_type="text/html"),
    "pm_service": Answer(body=_json({"code": PHONES[3], "massage ": TOLD, PHONES[3]: 1, f"{PHONES[4]} ": 2})),
    "mr_resservice": Answer(status=302, reason="Found", headers={"Location": f"/login?id={IDENTITIES[3]}"}),
}
"""Dataset -> what its interface answers in place of a page."""


class _Leaky(Simulator):
    async def _deliver(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        code = next(code for code, each in DATASETS.items() if request.path.endswith(each.path))
        return await super()._deliver(request, INSTEAD.get(code, answer))


@dataclass
class Centres:
    """A simulator in a thread of its own, and the registry that names it."""

    simulator: Simulator
    registry: Path


@pytest.fixture
def centres(tmp_path: Path) -> Iterator[Centres]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    simulator = _Leaky([_Planted(PLACE, "甘肃省", scale=0.0004)])
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(timeout=30)
    registry = tmp_path / "provinces.toml"
    contact = f'contact = "{NAMES[3]}"\nphone = "{PHONES[5]}"\nmobile = "{PHONES[6]}"\n'
    registry.write_text(simulator.registry(defaults=DEFAULTS) + contact, encoding="utf-8")
    yield Centres(simulator, registry)
    asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(timeout=30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=30)
    loop.close()


@pytest.fixture
def command(centres: Centres, mongod_uri: str, database: str) -> Iterator[Any]:
    """Runs `subcmc` in this process; gives what it wrote."""
    environment = {
        "MONGODB_URI": mongod_uri, "SUBCMC_DATABASE": database, "SUBCMC_REGISTRY": str(centres.registry),
    }  # fmt: skip
    root, handlers, level = logging.getLogger(), logging.root.handlers[:], logging.root.level

    def run(*arguments: str) -> Result:
        done = CliRunner(env=environment).invoke(app, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
        assert done.exit_code in (0, 1), (arguments, done.output)
        return done

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


def secrets_of(simulator: Simulator) -> set[str]:
    """What may be shown nowhere: what was planted, and every personal value that is served."""
    secrets = {*NAMES, *IDENTITIES, *PHONES, LONG_NAME[:3], LONG_NAME[1:5]}
    for dataset, fields in FIELDS.items():
        personal = [field.name for field in fields if field.personal]
        for row in simulator.rows(PLACE, dataset):
            if isinstance(row, dict):
                values = (str(row.get(name) or "") for name in personal)
                secrets |= {value for value in values if len(value) >= 2 and not value.startswith(("[", "{"))}
    return secrets


def leaks(text: str, secrets: set[str]) -> list[str]:
    """The secrets that a text holds; of a number nine digits in a row are too much, blanks between or not."""
    close = re.sub(r"(?<=\d)[ -](?=\d)", "", text)
    found = []
    for secret in secrets:
        parts = (
            [secret] if not secret[:9].isdecimal() else [secret[at : at + 9] for at in range(len(secret) - 8)]
        )
        found += [secret for part in parts if part in text or part in close]
    return found


def plain(value: Any, *, without: frozenset[str] = frozenset()) -> str:
    """A document of MongoDB as text."""
    kept = {name: each for name, each in value.items() if name not in without}
    return json.dumps(kept, ensure_ascii=False, default=str)


COMMANDS = (
    ("runs",), ("plan",), ("verify",), ("status", "--max-age", "26h"), ("diff", "1", "2"),
    ("crawl", "--now", "--dry-run"), ("alert", "1", "--dry-run"), ("alert", "2", "--dry-run"),
    ("prune", "--keep-runs", "1", "--dry-run"),
    *(("history", f"{PLACE}/ua_user", key) for key in (PHONES[7], PHONES[8], IDENTITIES[6], IDENTITIES[8])),
    *(("show", run, f"{PLACE}/{dataset}") for run in "12" for dataset in DATASETS),
    *(("report", run, "--format", "text") for run in "12"),
)  # fmt: skip
IN_JSON = {"runs", "plan", "diff", "history", "show", "alert", "prune"}


def renderings(command: Any) -> Iterator[tuple[str, str]]:
    """Everything that people or programs are shown of the two nights, by the command that shows it."""
    for lang in ("zh", "en"):
        for arguments in COMMANDS:
            chosen = arguments if arguments[0] in ("verify", "status") else (*arguments, "--lang", lang)
            yield " ".join(chosen), command(*chosen).output
            if arguments[0] in IN_JSON and lang == "en":
                told = command(*arguments, "--format", "json")
                shaped(json.loads(told.stdout))
                yield " ".join((*arguments, "json")), told.output
        for run in "12":
            for kind in ("json", "csv", "html", "xlsx"):
                done = command("report", run, "--format", kind, "--lang", lang)
                raw = done.stdout_bytes
                parts = xlsx_members(raw) if kind == "xlsx" else {"": raw}
                for name, part in parts.items():
                    yield f"report {run} {kind} {lang} {name}", part.decode("utf-8-sig")


async def pages(uri: str, database: str, registry: Path) -> dict[str, str]:
    """Every page of the dashboard that links lead to, by its path, in both languages."""
    found: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_store(uri, database=database))
        site = Site(db=db, lang="zh", registry=lambda: read_registry(registry))
        port = await stack.enter_async_context(serving(site, Guard(), host="127.0.0.1", port=0))
        client = await stack.enter_async_context(ClientSession(f"http://127.0.0.1:{port}"))
        waiting = ["/", "/?lang=en", "/metrics", "/healthz"]
        while waiting and len(found) < _MOST_PAGES:
            path = waiting.pop()
            if path in found:
                continue
            async with client.get(path) as answer:
                found[path] = await answer.text() if answer.content_type != "text/event-stream" else ""
            links = re.findall(r'href="([^"#]+)', found[path])
            here = (unescape(urljoin(path, unescape(link))) for link in links)
            waiting += [link for link in here if link.startswith("/") and link not in found]
    return found


def test_nothing_personal_is_shown_logged_or_kept_in_reports(
    centres: Centres, command: Any, mongod_uri: str, database: str
) -> None:
    metrics = centres.registry.with_name("subcmc.prom")
    first = command("crawl", "--now", "--metrics-file", str(metrics))
    secrets = secrets_of(centres.simulator)
    turn(centres.simulator.port, 2)
    second = command("crawl", "--now", "--metrics-file", str(metrics))
    secrets |= secrets_of(centres.simulator)
    assert len(secrets) > 60
    told = {"crawl, night 1": first.output, "crawl, night 2": second.output, **dict(renderings(command))}
    told["metrics"] = metrics.read_text("utf-8")
    visited = asyncio.run(pages(mongod_uri, database, centres.registry))
    assert {f"/runs/{run}/{PLACE}/{dataset}" for run in "12" for dataset in DATASETS} <= set(visited)
    told |= visited
    assert "HTTP 500" in told[f"show 1 {PLACE}/appspt_system --lang zh"]
    assert "code" in told[f"show 1 {PLACE}/infr_network --lang zh"]
    assert {name: found for name, text in told.items() if (found := leaks(text, secrets))} == {}

    with MongoClient[dict[str, Any]](mongod_uri) as client:
        store = client[database]
        assert store["quarantine"].count_documents({}) > 0
        assert store["ledger"].count_documents({"fault": {"$ne": None}}) > 0
        for name in sorted(set(store.list_collection_names(filter={"type": "collection"})) - set(DATASETS)):
            kept = {"ledger": {"keys", "times"}, "quarantine": {"raw", "key"}}.get(name, set())
            for document in store[name].find({}):
                assert leaks(plain(document, without=frozenset(kept)), secrets) == [], name


def test_the_store_and_an_export_hold_all_of_it(
    centres: Centres, command: Any, mongod_uri: str, database: str
) -> None:
    command("crawl", "--now", "--dataset", "ua_user")
    exported = command("export", f"{PLACE}/ua_user", "--run", "1").stdout
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        records = [decode_record(each["record"]) for each in client[database]["ua_user"].find({})]
        aside = [decode_record(each["raw"]) for each in client[database]["quarantine"].find({})]
    assert NAMES[5] in exported
    assert IDENTITIES[5] in exported
    assert any(record["name"] == NAMES[5] for record in records)
    assert [NAMES[0], PHONES[0]] in aside


def test_the_search_finds_what_is_there() -> None:
    secrets = {NAMES[0], PHONES[0], IDENTITIES[1]}
    assert leaks(f"<td>{NAMES[0]}</td>", secrets) == [NAMES[0]]
    assert leaks(f"{PHONES[0][:3]} {PHONES[0][3:7]}-{PHONES[0][7:]}", secrets)
    assert leaks(f"{IDENTITIES[1][:12]}******", secrets)
    assert leaks("138******66 620***********7X 欧**", secrets) == []

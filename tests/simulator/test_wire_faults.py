"""Every fault of the wire, through real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from subcmc_crawler.simulator.faults import WIRE, Fault
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS

KEY = "userId"
ROWS = 250  # of ua_user at scale 0.005


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.body)
        return parsed

    @property
    def keys(self) -> list[str]:
        return [row[KEY] for row in self.json["data"]]


def params(**changes: str) -> dict[str, str]:
    """Those of page 1, some of them changed; an empty one is left out."""
    whole = {"cmcId": "620000", "pageNum": "1", "pageSize": "100", **changes}
    return {name: value for name, value in whole.items() if value}


class Asker:
    def __init__(self, simulator: Simulator, session: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.session = session

    async def page(self, number: int, size: int = 100, *, code: str = "ua_user", address: int = 1) -> Reply:
        return await self.asked(params(pageNum=str(number), pageSize=str(size)), code=code, address=address)

    async def asked(self, query: dict[str, str], *, code: str = "ua_user", address: int = 1) -> Reply:
        url = self.simulator.address("620000", address) + DATASETS[code].path
        async with self.session.get(url, params=query, allow_redirects=False) as response:
            return Reply(response.status, await response.read(), dict(response.headers))

    async def raw(self, number: int, size: int = 100, *, address: int = 1) -> bytes:
        """All that comes until the connection ends; the client library would ask again in silence."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.simulator.port)
        path = self.simulator.address("620000", address).partition(str(self.simulator.port))[2]
        query = f"cmcId=620000&pageNum={number}&pageSize={size}"
        writer.write(f"GET {path}/subcmc/v1/ua/user?{query} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        received = b""
        try:
            while part := await reader.read(65_536):
                received += part
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
        return received

    def truth(self, code: str = "ua_user") -> list[Row]:
        return self.simulator.rows("620000", code)

    def truth_keys(self) -> list[str]:
        return [str(row[KEY]) for row in self.truth()]


@asynccontextmanager
async def asking(*texts: str, night: int = 1, mirrors: int = 1, scale: float = 0.005) -> AsyncIterator[Asker]:
    faults: Sequence[Fault] = [Fault.parse(f"620000{text}") for text in texts]
    centre = Centre("620000", "甘肃省", scale=scale, faults=faults)
    async with (
        Simulator([centre], night=night, mirrors=mirrors) as simulator,
        aiohttp.ClientSession() as session,
    ):
        yield Asker(simulator, session)


async def test_a_sound_walk_receives_the_truth() -> None:
    async with asking() as ask:
        pages = [await ask.page(number) for number in (1, 2, 3, 4)]
        assert [reply.status for reply in pages] == [200] * 4
        assert [len(reply.keys) for reply in pages] == [100, 100, 50, 0]
        assert {reply.json["total"] for reply in pages} == {ROWS}
        assert [row for reply in pages for row in reply.json["data"]] == ask.truth()
        assert all((reply.json["code"], reply.json["message"]) == (0, "ok") for reply in pages)


async def test_drift_repeats_a_row_then_loses_one_and_its_total_moves() -> None:
    async with asking(":drift;every=1") as ask:
        first, second, third = [await ask.page(number) for number in (1, 2, 3)]
        assert [reply.json["total"] for reply in (first, second, third)] == [ROWS, ROWS + 1, ROWS]
        assert first.keys[-1] == second.keys[0]
        walked = first.keys + second.keys + third.keys
        assert len(walked) == ROWS
        assert len(set(walked)) == ROWS - 1


async def test_a_bounded_drift_heals_and_the_truth_knows_the_new_row() -> None:
    async with asking("/ua_user:drift=1") as ask:
        before = ask.truth_keys()
        first, second, third = [await ask.page(number) for number in (1, 2, 3)]
        assert second.keys[-1] == third.keys[0]  # after two pages, unless told otherwise
        again = [key for number in (1, 2, 3) for key in (await ask.page(number)).keys]
        assert again == ask.truth_keys()
        assert again[1:] == before
        assert first.keys[0] == again[1]


async def test_drift_of_organisations_keeps_parents_first() -> None:
    async with asking("/ua_org:drift=1;every=1", scale=0.02) as ask:
        await ask.page(1, 10, code="ua_org")
        rows = ask.truth("ua_org")
        assert len(rows) == 31
        seen = {""}
        for row in rows:
            assert row["parentOrgId"] in seen
            seen.add(str(row["orgId"]))


async def test_grow_adds_a_row_behind_all_others() -> None:
    async with asking("/ua_user:grow=1;every=1") as ask:
        before = ask.truth_keys()
        first = await ask.page(1)
        assert first.json["total"] == len(before)
        assert ask.truth_keys()[:-1] == before
        again = await ask.page(1)
        assert (again.json["total"], again.keys) == (len(before) + 1, first.keys)


@pytest.mark.parametrize("code", DATASETS)
async def test_swap_keeps_the_total_and_page_one_shows_it(code: str) -> None:
    async with asking(f"/{code}:swap=1;every=1", scale=0.1) as ask:
        key = DATASETS[code].key
        count = len(ask.truth(code))
        size = -(-count // 2) - 1 if count < 60 else 25
        first = await ask.page(1, size, code=code)
        later = [await ask.page(number, size, code=code) for number in range(2, -(-count // size) + 1)]
        probe = await ask.page(1, size, code=code)
        assert {reply.json["total"] for reply in (first, *later, probe)} == {count}
        walked = [row[key] for reply in (first, *later) for row in reply.json["data"]]
        assert len(walked) == len(set(walked)) == count
        assert set(walked) != {row[key] for row in ask.truth(code)}
        assert probe.json["data"] != first.json["data"]


async def test_clamp_cuts_the_size_before_the_offset() -> None:
    async with asking(":clamp=60") as ask:
        assert (await ask.page(1)).keys == ask.truth_keys()[:60]
        assert (await ask.page(2)).keys == ask.truth_keys()[60:120]
        assert (await ask.page(2, 20)).keys == ask.truth_keys()[20:40]


async def test_clamp_limit_leaves_holes() -> None:
    async with asking(":clamp-limit=60") as ask:
        assert (await ask.page(1)).keys == ask.truth_keys()[:60]
        assert (await ask.page(2)).keys == ask.truth_keys()[100:160]


async def test_ignore_page() -> None:
    async with asking(":ignore-page") as ask:
        assert (await ask.page(1)).keys == (await ask.page(9)).keys == ask.truth_keys()[:100]


async def test_ignore_size() -> None:
    async with asking(":ignore-size") as ask:
        assert (await ask.page(1)).keys == ask.truth_keys()
        assert (await ask.page(2)).keys == []


async def test_echo_last() -> None:
    async with asking(":echo-last") as ask:
        assert (await ask.page(4)).keys == (await ask.page(3)).keys == ask.truth_keys()[200:]


async def test_error_past_end() -> None:
    async with asking(":error-past-end") as ask:
        assert (await ask.page(3)).status == 200
        reply = await ask.page(4)
        assert reply.status == 400
        assert "code" not in reply.json
        assert reply.json["errors"][0]["field"] == "pageNum"


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 503, 509])
async def test_statuses_as_often_as_asked(status: int) -> None:
    async with asking(f":{status}=2;retry-after=1") as ask:
        replies = [await ask.page(1) for _ in range(3)]
        assert [reply.status for reply in replies] == [status, status, 200]
        assert [reply.headers.get("Retry-After") for reply in replies] == ["1", "1", None]
        assert replies[0].json["status"] == status
        assert "code" not in replies[0].json


async def test_a_status_for_ever_from_the_third_request_on() -> None:
    async with asking(":500;after=2") as ask:
        assert [(await ask.page(1)).status for _ in range(6)] == [200, 200, 500, 500, 500, 500]


async def test_times_count_over_the_datasets_that_a_fault_names() -> None:
    async with asking(":509=1", "/hardware:503=1") as ask:
        assert (await ask.page(1, code="ua_org")).status == 509
        assert (await ask.page(1, code="ua_user")).status == 200
        assert [(await ask.page(1, code="hardware")).status for _ in range(2)] == [503, 200]


async def test_code() -> None:
    async with asking(":code=1001;times=1") as ask:
        first, second = await ask.page(1), await ask.page(1)
        assert (first.status, first.json["code"]) == (200, 1001)
        assert set(first.json) == {"code", "message"}
        assert second.json["code"] == 0


async def test_html() -> None:
    async with asking(":html=1") as ask:
        first, second = await ask.page(1), await ask.page(1)
        assert first.status == 200
        assert first.headers["Content-Type"].startswith("text/html")
        assert first.body.startswith(b"<!DOCTYPE html>")
        assert second.json["code"] == 0


async def test_redirect() -> None:
    async with asking(":redirect") as ask:
        reply = await ask.page(1)
        assert (reply.status, reply.headers["Location"]) == (302, "/login")


async def test_truncated() -> None:
    async with asking(":truncated=1") as ask:
        first, second = await ask.page(1), await ask.page(1)
        assert first.status == 200
        assert first.body == second.body[: len(second.body) // 2]
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(first.body)


async def test_reset_drops_in_the_middle_of_the_body() -> None:
    async with asking(":reset=2") as ask:
        dropped = [await ask.raw(1) for _ in range(2)]
        whole = (await ask.page(1)).body
        for received in dropped:
            head, _, body = received.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert f"Content-Length: {len(whole)}".encode() in head
            assert body == whole[: len(whole) // 2]
        assert [request.status for request in ask.simulator.requests] == [None, None, 200]


async def test_dead_drops_before_an_answer() -> None:
    async with asking(":dead") as ask:
        assert [await ask.raw(1) for _ in range(3)] == [b"", b"", b""]
        assert [request.status for request in ask.simulator.requests] == [None] * 3


async def test_dead_may_come_back() -> None:
    async with asking(":dead=1") as ask:
        assert await ask.raw(1) == b""
        assert (await ask.page(1)).status == 200


async def test_one_address_may_be_dead_while_the_other_serves() -> None:
    async with asking("#1:dead", mirrors=2) as ask:
        assert await ask.raw(1, address=1) == b""
        assert (await ask.page(1, address=2)).keys == ask.truth_keys()[:100]
        assert [request.address for request in ask.simulator.requests] == [1, 2]


async def test_hang_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = asyncio.Event()
    wait = Simulator._wait

    async def watched(this: Simulator, seconds: float | None) -> None:
        assert seconds is None
        waiting.set()
        await wait(this, seconds)

    monkeypatch.setattr(Simulator, "_wait", watched)
    async with asking(":hang=1") as ask:
        asked = asyncio.create_task(ask.raw(1))
        await waiting.wait()
        await asyncio.sleep(0)
        assert not asked.done()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await ask.page(1)).status == 200
        assert [request.status for request in ask.simulator.requests] == [None, 200]


async def test_slow_waits_before_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []

    async def wait(_self: Simulator, seconds: float | None) -> None:
        waits.append(seconds)

    monkeypatch.setattr(Simulator, "_wait", wait)
    async with asking(":slow=2.5") as ask:
        assert (await ask.page(1)).status == (await ask.page(2)).status == 200
    assert waits == [2.5, 2.5]


@pytest.mark.parametrize(
    ("value", "totals"),
    [
        ("+5", [ROWS + 5, ROWS + 5]),
        ("-5", [ROWS - 5, ROWS - 5]),
        ("=100", [100, 100]),
        ("absent", [None, None]),
        ("negative", [-1, -1]),
        ("string", [str(ROWS), str(ROWS)]),
        ("moving", [ROWS, ROWS + 1]),
        ("page", [100, 100]),
    ],
)
async def test_totals(value: str, totals: list[object]) -> None:
    async with asking(f":total={value}") as ask:
        pages = [await ask.page(1), await ask.page(2)]
        assert [reply.json.get("total") for reply in pages] == totals
        assert all(("total" in reply.json) == (value != "absent") for reply in pages)
        assert pages[0].keys + pages[1].keys == ask.truth_keys()[:200]


async def test_any_id() -> None:
    async with asking() as ask:
        assert (await ask.asked(params(cmcId="999999"))).status == 400
    async with asking(":any-id") as ask:
        for query in (params(cmcId="999999"), params(cmcId="")):
            assert (await ask.asked(query)).keys == ask.truth_keys()[:100]


async def test_any_page() -> None:
    async with asking(":any-page") as ask:
        assert (await ask.asked(params(pageNum="", pageSize=""))).keys == ask.truth_keys()[:20]
        assert (await ask.asked(params(pageNum="-1", pageSize="0"))).keys == ask.truth_keys()[:20]
        assert (await ask.page(2)).keys == ask.truth_keys()[100:200]


async def test_page_zero() -> None:
    async with asking(":page-zero") as ask:
        assert (await ask.page(0)).keys == ask.truth_keys()[:100]
        assert (await ask.page(1)).keys == ask.truth_keys()[100:200]


async def test_unordered() -> None:
    async with asking(":unordered") as ask:
        assert (await ask.page(1)).keys == ask.truth_keys()[:100]
        assert (await ask.page(1)).keys == ask.truth_keys()[:100][::-1]


async def test_html_errors() -> None:
    async with asking(":html-errors") as ask:
        refused = await ask.page(0)
        assert refused.status == 400
        assert refused.body.startswith(b"<!DOCTYPE html>")
        assert (await ask.page(1)).json["total"] == ROWS


async def test_bom() -> None:
    async with asking(":bom") as ask:
        body = (await ask.page(1)).body
        assert body.startswith(b"\xef\xbb\xbf{")
        assert orjson.loads(body[3:])["total"] == ROWS


async def test_big_body_passes_10_mb_from_that_many_rows_on() -> None:
    async with asking(":big-body=100") as ask:
        whole, over = await ask.page(1, 100), await ask.page(1, 106)
        assert len(whole.body) < 10_000_000
        assert len(over.body) > 10 * 1024 * 1024
        assert over.keys == ask.truth_keys()[:106]


async def test_stray_keys_in_the_envelope() -> None:
    async with asking(":stray-keys") as ask:
        envelope = (await ask.page(1)).json
        assert list(envelope) == ["code", "message ", "total", "data"]
        assert {" userId", " userId "} <= envelope["data"][0].keys() | envelope["data"][1].keys()


async def test_empty_on_the_wire() -> None:
    async with asking(":empty") as ask:
        assert (await ask.page(1)).json == {"code": 0, "message": "ok", "total": 0, "data": []}


async def test_duplicates_count_in_the_total() -> None:
    async with asking("/ua_user:duplicates=12") as ask:
        reply = await ask.page(1, 1000)
        assert reply.json["total"] == len(reply.keys) == ROWS + 12
        assert len(set(reply.keys)) == ROWS


async def test_a_fault_of_another_night_or_dataset_sleeps() -> None:
    async with asking(":500@2", "/hardware:html") as ask:
        assert (await ask.page(1)).status == 200
        ask.simulator.night = 2
        assert (await ask.page(1)).status == 500


async def test_a_new_night_forgets_counts_and_drift() -> None:
    async with asking(":509=1", "/ua_user:drift=1;every=1") as ask:
        ask.simulator.night = 1
        assert [(await ask.page(1)).status for _ in range(2)] == [509, 200]
        assert len(ask.truth()) == ROWS + 1
        ask.simulator.night = 1
        assert len(ask.truth()) == ROWS
        assert (await ask.page(1)).status == 509


def test_every_kind_of_the_wire_is_tested_above() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in WIRE if not kind.isdecimal() and f":{kind}" not in text] == []

"""The server around the centres: addresses, control, stopping, starting again."""

from __future__ import annotations

import asyncio
import ssl
import tomllib
from contextlib import suppress

import aiohttp
import orjson
import pytest
import trustme

from subcmc_crawler.simulator.faults import DEMO_FAULTS, Fault
from subcmc_crawler.simulator.nights import Centre, standard_centres
from subcmc_crawler.simulator.server import Request, Simulator, serve
from subcmc_crawler.spec.datasets import DATASETS

QUERY = {"cmcId": "620000", "pageNum": "1", "pageSize": "20"}


def gansu(*texts: str) -> Centre:
    faults = [Fault.parse(text) for text in texts]
    return Centre("620000", "甘肃省", scale=0.005, faults=faults)


@pytest.mark.parametrize("code", DATASETS)
async def test_every_dataset_is_served_at_its_path(code: str) -> None:
    async with Simulator([gansu()]) as simulator, aiohttp.ClientSession() as session:
        url = simulator.address("620000") + DATASETS[code].path
        async with session.get(url, params=QUERY) as response:
            body = orjson.loads(await response.read())
            assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert body["data"] == simulator.rows("620000", code)[:20]
        assert body["total"] == len(simulator.rows("620000", code))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cmcId": "110000"}, "cmcId"),
        ({"cmcId": ""}, "cmcId"),
        ({"pageNum": "0"}, "pageNum"),
        ({"pageNum": "-1"}, "pageNum"),
        ({"pageNum": "one"}, "pageNum"),
        ({"pageSize": "0"}, "pageSize"),
        ({"pageSize": "9" * 5000}, "pageSize"),
    ],
)
async def test_a_wrong_query_is_refused_as_spring_does(change: dict[str, str], field: str) -> None:
    async with Simulator([gansu()]) as simulator, aiohttp.ClientSession() as session:
        url = simulator.address("620000") + "/subcmc/v1/ua/user"
        async with session.get(url, params={**QUERY, **change}) as response:
            body = await response.json()
        assert response.status == body["status"] == 400
        assert body["errors"][0]["field"] == field
        assert "code" not in body


@pytest.mark.parametrize("path", ["/620000/subcmc/v1/ua/daus", "/999999/subcmc/v1/ua/user", "/login"])
async def test_unknown_paths_are_404(path: str) -> None:
    async with Simulator([gansu()]) as simulator, aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{simulator.port}{path}", params=QUERY) as response:
            assert response.status == 404
        assert simulator.requests == []


async def test_requests_are_written_down() -> None:
    async with Simulator([gansu("620000/hardware:500")]) as simulator, aiohttp.ClientSession() as session:
        for path in ("/subcmc/v1/ua/user", "/subcmc/v1/hardware"):
            async with session.get(simulator.address("620000") + path, params=QUERY):
                pass
        first, second = simulator.requests
        assert first == Request(
            at=first.at, cmc_id="620000", dataset="ua_user", page_num=1, page_size=20, status=200
        )
        assert (second.dataset, second.status) == ("hardware", 500)
        assert second.at >= first.at


async def test_the_control_endpoints() -> None:
    async with Simulator([gansu()]) as simulator, aiohttp.ClientSession() as session:
        base = f"http://127.0.0.1:{simulator.port}/_simulator"
        first = simulator.rows("620000", "ua_user")
        async with session.post(f"{base}/night", json={"night": 2}) as response:
            assert (response.status, await response.json()) == (200, {"night": 2})
        assert simulator.night == 2
        assert simulator.rows("620000", "ua_user") != first
        async with session.get(base) as response:
            assert await response.json() == {"night": 2, "centres": ["620000"], "requests": 0}
        for body in (b"", b"{}", b"[]", b'{"night": 0}', b'{"night": "soon"}', b'{"night": null}'):
            async with session.post(f"{base}/night", data=body) as response:
                assert response.status == 400
        assert simulator.night == 2


async def test_the_registry_registers_every_address() -> None:
    async with Simulator(standard_centres(scale=0.0001), mirrors=2) as simulator:
        text = simulator.registry(defaults='window = "00:00-24:00"\n[defaults.guard]\nrows = 5')
        registry = tomllib.loads(text)
        assert registry["defaults"] == {"window": "00:00-24:00", "guard": {"rows": 5}}
        assert len(registry["province"]) == 35
        gansu = next(province for province in registry["province"] if province["cmcId"] == "620000")
        base = f"http://127.0.0.1:{simulator.port}/620000"
        assert gansu == {
            "cmcId": "620000",
            "areaCode": "620000",
            "name": "甘肃省",
            "pullAddressList": [base, f"{base}-b"],
            "pushIpList": ["127.0.0.1"],
        }
        assert "defaults" not in tomllib.loads(simulator.registry())


async def test_starting_again_takes_the_same_port_and_serves_the_same_bytes() -> None:
    simulator = Simulator([gansu()])
    bodies, ports = [], []
    for _ in range(2):
        async with simulator, aiohttp.ClientSession() as session:
            url = simulator.address("620000") + "/subcmc/v1/ua/user"
            async with session.get(url, params=QUERY) as response:
                bodies.append(await response.read())
            ports.append(simulator.port)
    assert bodies[0] == bodies[1]
    assert ports[0] == ports[1]


@pytest.mark.parametrize("fault", ["hang", "slow=3600"])
async def test_stopping_does_not_wait_for_answers_that_hang(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = Simulator([gansu(f"620000:{fault}")])
    waiting = asyncio.Event()
    wait = Simulator._wait

    async def watched(this: Simulator, seconds: float | None) -> None:
        waiting.set()
        await wait(this, seconds)

    monkeypatch.setattr(Simulator, "_wait", watched)
    await simulator.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    query = "&".join(f"{name}={value}" for name, value in QUERY.items())
    writer.write(f"GET /620000/subcmc/v1/ua/user?{query} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    await waiting.wait()
    async with asyncio.timeout(10):  # against the hour, not a measurement
        await simulator.stop()
    with suppress(ConnectionError):
        await reader.read()
    writer.transport.abort()
    await simulator.stop()  # once more is harmless


async def test_gzip_only_when_asked_for_and_accepted() -> None:
    async with (
        Simulator([gansu()], gzip=True) as simulator,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        url = simulator.address("620000") + "/subcmc/v1/ua/user"
        async with session.get(url, params=QUERY, headers={"Accept-Encoding": "gzip"}) as response:
            packed = await response.read()
            assert response.headers["Content-Encoding"] == "gzip"
        async with session.get(url, params=QUERY, headers={"Accept-Encoding": "identity"}) as response:
            plain = await response.read()
            assert "Content-Encoding" not in response.headers
        assert len(packed) < len(plain)


async def test_https() -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    async with Simulator([gansu()], ssl_context=server) as simulator, aiohttp.ClientSession() as session:
        assert simulator.address("620000").startswith("https://127.0.0.1:")
        url = simulator.address("620000") + "/subcmc/v1/ua/user"
        async with session.get(url, params=QUERY, ssl=client) as response:
            assert response.status == 200


async def test_serve_runs_until_cancelled() -> None:
    ready: asyncio.Future[Simulator] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(centres=[gansu()], ready=ready.set_result))
    simulator = await ready
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{simulator.port}/_simulator") as response:
            assert response.status == 200
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://127.0.0.1:{simulator.port}/_simulator")


def test_nights_and_mirrors_have_bounds() -> None:
    with pytest.raises(ValueError, match="nights count from 1"):
        Simulator([gansu()], night=0)
    with pytest.raises(ValueError, match="mirrors is 1 to 10"):
        Simulator([gansu()], mirrors=11)


def test_the_demo_can_be_made() -> None:
    simulator = Simulator(standard_centres(scale=0.002, faults=DEMO_FAULTS))
    assert simulator.warm() > 6000
    simulator.night = 2
    assert simulator.rows("660000", "mr_resservice") == []

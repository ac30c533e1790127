"""All centres behind one HTTP server on one port, each under a base path of its own."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ssl import SSLContext
from types import TracebackType
from typing import Final, Self

import orjson
from aiohttp import web

from subcmc_crawler.simulator.answers import JSON, Answer, Answers, Delivery, Query
from subcmc_crawler.simulator.ministry import MinistryPlatform
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.spec.datasets import DATASETS

_BY_PATH: Final = {dataset.path: dataset.code for dataset in DATASETS.values()}
_MOST_ADDRESSES: Final = 10  # 2.1.1.2
_GRACE_SECONDS: Final = 0.05  # what waits for us is ended by `_stopping`, so nobody needs longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One pull request as the server saw it.

    `at` is the event loop's clock in seconds, `status` None when no whole answer was sent, `address` counts
    a centre's addresses from 1, `page_num` and `page_size` are None where no number came.
    """

    at: float
    cmc_id: str
    dataset: str
    page_num: int | None
    page_size: int | None
    status: int | None
    address: int = 1


class Simulator:
    """Provincial centres on a local port; `async with` starts and stops them.

    `port` 0 takes a free one. `mirrors` is the number of addresses of each centre, all serving the same
    rows. With `gzip`, bodies are compressed for clients that accept it.
    """

    def __init__(
        self,
        centres: Sequence[Centre],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        night: int = 1,
        ssl_context: SSLContext | None = None,
        mirrors: int = 1,
        gzip: bool = False,
        ministry: MinistryPlatform | None = None,
    ) -> None:
        if not 1 <= mirrors <= _MOST_ADDRESSES:
            raise ValueError(f"mirrors is 1 to {_MOST_ADDRESSES}, not {mirrors}")
        self.centres = tuple(centres)
        self.host = host
        self.port = port
        self.requests: list[Request] = []
        self._by_id = {centre.cmc_id: centre for centre in centres}
        self._ssl_context = ssl_context
        self._gzip = gzip
        self._bases = {
            _base(centre.cmc_id, address): (centre, address)
            for centre in centres
            for address in range(1, mirrors + 1)
        }
        self._mirrors = mirrors
        self.ministry = ministry
        self._answers: dict[str, Answers] = {}
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self.night = night

    @property
    def night(self) -> int:
        """The night that is served, from 1. Setting it, even to the same, forgets every count."""
        return self._night

    @night.setter
    def night(self, night: int) -> None:
        if night < 1:
            raise ValueError(f"nights count from 1, not {night}")
        self._night = night
        self._answers = {centre.cmc_id: Answers(centre, night) for centre in self.centres}
        if self.ministry is not None:
            self.ministry.turn_to(night)

    async def start(self) -> None:
        """Listens; afterwards `port` is the one taken."""
        self._stopping = asyncio.Event()  # a new one: the last start may have been in another loop
        app = web.Application()
        app.router.add_get("/_simulator", self._status)
        app.router.add_post("/_simulator/night", self._set_night)
        app.router.add_get("/{base}/subcmc/v1/{rest:.+}", self._pull)
        app.router.add_get("/mpscmc/v1/{rest:.+}", self._query)
        self._runner = web.AppRunner(
            app, handle_signals=False, access_log=None, shutdown_timeout=_GRACE_SECONDS
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, ssl_context=self._ssl_context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Ends at once; answers that hang or wait are dropped. Starting again takes the same port."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def address(self, cmc_id: str, number: int = 1) -> str:
        """A pull address of a centre with its scheme, `http://127.0.0.1:8040/620000`."""
        scheme = "http" if self._ssl_context is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{_base(cmc_id, number)}"

    @property
    def query_url(self) -> str:
        """Where the ministry's platform answers."""
        scheme = "http" if self._ssl_context is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    def registry(self, *, defaults: str = "", ministry: str = "") -> str:
        """The text of a provinces.toml that registers every centre, and the ministry's platform if there is one.

        `defaults` is TOML for its [defaults], `ministry` for its [ministry].
        """
        parts = [f"[defaults]\n{defaults.strip()}\n"] if defaults.strip() else []
        if self.ministry is not None:
            parts.append(f'[ministry]\nquery_url = "{self.query_url}"\n{ministry.strip()}\n')
        for centre in self.centres:
            addresses = [self.address(centre.cmc_id, number + 1) for number in range(self._mirrors)]
            values = {
                "cmcId": centre.cmc_id,
                "areaCode": centre.cmc_id,
                "name": centre.name,
                "pullAddressList": addresses,
                "pushIpList": ["127.0.0.1"],
            }
            # A JSON string or array of strings is a TOML one too.
            lines = (f"{name} = {orjson.dumps(value).decode()}\n" for name, value in values.items())
            parts.append("[[province]]\n" + "".join(lines))
        return "\n".join(parts)

    def rows(self, cmc_id: str, dataset: str) -> list[Row]:
        """The rows that an ideal walk would receive now, in order; what drifted so far is included.

        Keys are as on the wire, with their blanks where a fault says so.
        """
        return self._answers[cmc_id].rows(dataset)

    def warm(self) -> int:
        """Makes all rows of the night before anybody asks; returns how many there are."""
        return sum(len(centre.encoded(code, self.night)) for centre in self.centres for code in DATASETS)

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        centre, address = self._bases.get(request.match_info["base"], (None, 0))
        dataset = _BY_PATH.get(f"/subcmc/v1/{request.match_info['rest']}")
        if centre is None or dataset is None:
            raise web.HTTPNotFound
        query = Query(
            dataset=dataset,
            cmc_id=request.query.get("cmcId", ""),
            page_num=request.query.get("pageNum", ""),
            page_size=request.query.get("pageSize", ""),
            address=address,
        )
        answer = self._answers[centre.cmc_id].answer(query)
        page_num, page_size = query.page
        self.requests.append(
            Request(
                at=asyncio.get_running_loop().time(),
                cmc_id=centre.cmc_id,
                dataset=dataset,
                page_num=page_num,
                page_size=page_size,
                status=answer.status if answer.delivery is Delivery.WHOLE else None,
                address=address,
            )
        )
        return await self._deliver(request, answer)

    async def _query(self, request: web.Request) -> web.StreamResponse:
        if self.ministry is None:
            raise web.HTTPNotFound
        authorization = request.headers.get("Authorization", "")
        return await self._deliver(request, self.ministry.answer(request.path, request.query, authorization))

    async def _deliver(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if answer.delay_seconds:
            await self._wait(answer.delay_seconds)
        if answer.delivery is Delivery.NEVER:
            await self._wait(None)
        if answer.delivery in {Delivery.NEVER, Delivery.DROPPED}:
            _drop(request)
            return web.Response()
        headers = {"Content-Type": answer.content_type, **answer.headers}
        body = answer.body
        if self._gzip and "gzip" in request.headers.get("Accept-Encoding", ""):
            # No time in it: the same page is the same bytes.
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if answer.delivery is Delivery.HALF:
            half = web.StreamResponse(headers={**headers, "Content-Length": str(len(body))})
            await half.prepare(request)
            await half.write(body[: len(body) // 2])
            _drop(request)
            return half
        return web.Response(status=answer.status, reason=answer.reason, body=body, headers=headers)

    async def _wait(self, seconds: float | None) -> None:
        """Waits, but never past the end of the server."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _status(self, _request: web.Request) -> web.Response:
        return _json(
            {
                "night": self.night,
                "centres": [centre.cmc_id for centre in self.centres],
                "requests": len(self.requests),
            }
        )

    async def _set_night(self, request: web.Request) -> web.Response:
        try:
            self.night = int(orjson.loads(await request.read())["night"])
        except (ValueError, TypeError, KeyError):
            return _json({"error": 'send {"night": N} with N from 1'}, status=400)
        return _json({"night": self.night})


async def serve(
    *,
    centres: Sequence[Centre],
    host: str = "127.0.0.1",
    port: int = 0,
    night: int = 1,
    mirrors: int = 1,
    ministry: MinistryPlatform | None = None,
    ready: Callable[[Simulator], None],
) -> None:
    """Serves until it is cancelled; `ready` is called once, when the port is open."""
    async with Simulator(
        centres, host=host, port=port, night=night, mirrors=mirrors, ministry=ministry
    ) as simulator:
        ready(simulator)
        await asyncio.Event().wait()


def _base(cmc_id: str, address: int) -> str:
    """The path segment of a centre's address: 620000, then 620000-b, 620000-c."""
    return cmc_id if address == 1 else f"{cmc_id}-{chr(ord('a') + address - 1)}"


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), headers={"Content-Type": JSON})

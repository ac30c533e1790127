"""How one centre answers on one night: the faults of the wire, page by page. No IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, Protocol

import orjson

from subcmc_crawler.simulator.block import Block
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.records import FIRST_NIGHT_MS, Row
from subcmc_crawler.spec.datasets import DATASETS, Dataset

Wrap = Callable[[Mapping[str, Fault], int | str | None, bytes], bytes]

JSON: Final = "application/json;charset=UTF-8"
_MESSAGE_LIMIT_BYTES: Final = 10_000_000  # 1.3.1, in its smaller reading
_ENVELOPE_ROOM_BYTES: Final = 256
_PAGES_PER_SHIFT: Final = 2
_REASONS: Final[Mapping[int, str]] = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    408: "Request Timeout",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    509: "Bandwidth Limit Exceeded",
}


class Delivery(Enum):
    """How an answer reaches the client."""

    WHOLE = "whole"
    HALF = "half"  # then the connection drops
    DROPPED = "dropped"  # the connection drops at once
    NEVER = "never"  # the connection stays and nothing comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP response and how it is delivered."""

    status: int = 200
    reason: str = "OK"
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0.0


_LOGIN: Final = Answer(
    body="<!DOCTYPE html><html><head><title>统一身份认证</title></head><body>请先登录</body></html>".encode(),
    content_type="text/html;charset=UTF-8",
)
_ERROR_PAGE: Final = "<!DOCTYPE html><html><body><h1>出错了</h1></body></html>".encode()
_INSTEAD: Final[Mapping[str, Answer]] = {
    "html": _LOGIN,
    "redirect": replace(_LOGIN, status=302, reason="Found", headers={"Location": "/login"}),
    "dead": Answer(delivery=Delivery.DROPPED),
    "hang": Answer(delivery=Delivery.NEVER),
}
"""Kind -> what comes in place of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What was asked, as the texts that came; `address` counts from 1."""

    dataset: str
    cmc_id: str
    page_num: str
    page_size: str
    address: int = 1

    @property
    def page(self) -> tuple[int | None, int | None]:
        """Page number and page size, None where the text is no number."""
        return _number(self.page_num), _number(self.page_size)


class Holder(Protocol):
    """Who holds rows: a centre, or the ministry's platform for one centre."""

    cmc_id: str

    def active(self, dataset: str, night: int) -> tuple[Fault, ...]:
        """The faults of that dataset on that night."""

    def encoded(self, dataset: str, night: int = 1) -> Block:
        """The rows of that night."""

    def spare(self, dataset: str, night: int, number: int) -> Row:
        """A row that is not held."""

    def leaf(self, dataset: str, night: int) -> int:
        """The position of a row that may go."""


class Answers:
    """One centre on one night, with what it has counted so far. `wrap` makes the body around a total and rows."""

    def __init__(self, centre: Holder, night: int, *, wrap: Wrap | None = None) -> None:
        self._centre = centre
        self._wrap = wrap or _envelope
        self._night = night
        self._asked: Counter[Fault] = Counter()
        self._live: dict[str, _Live] = {}

    def rows(self, dataset: str) -> list[Row]:
        """The rows that an ideal walk would receive now, drift and swaps so far included."""
        return self._dataset(dataset).rows()

    def answer(self, query: Query) -> Answer:
        """The answer to `query`; asking again may be answered otherwise."""
        active = [
            fault
            for fault in self._centre.active(query.dataset, self._night)
            if fault.address in {None, query.address}
        ]
        found = self._refusal(active, query) or self._page(active, query)
        if found.status >= 400 and any(fault.kind == "html-errors" for fault in active):
            found = replace(found, body=_ERROR_PAGE, content_type=_LOGIN.content_type)
        delay = sum(float(fault.value) for fault in active if fault.kind == "slow")
        return replace(found, delay_seconds=delay) if delay else found

    def _refusal(self, active: Sequence[Fault], query: Query) -> Answer | None:
        for fault in active:
            answer = _refused(fault, query)
            if answer is not None and self._strikes(fault):
                return answer
        return None

    def _strikes(self, fault: Fault) -> bool:
        """True when it is this request's turn: counted over all datasets that the fault names."""
        self._asked[fault] += 1
        turn = self._asked[fault] - fault.option("after", 0)
        return turn > 0 and (fault.limit == 0 or turn <= fault.limit)

    def _page(self, active: Sequence[Fault], query: Query) -> Answer:
        kinds = {fault.kind: fault for fault in active}
        page_num, page_size = _asked(kinds, query)
        if query.cmc_id != self._centre.cmc_id and "any-id" not in kinds:
            return spring_error(400, query, "cmcId", "省份标识不正确")
        if page_num is None or page_num < 1:
            return spring_error(400, query, "pageNum", "页码从1开始")
        if page_size is None or page_size < 1:
            return spring_error(400, query, "pageSize", "分页大小不正确")
        live = self._dataset(query.dataset)
        count = len(live)
        bounds = _bounds(kinds, page_num, page_size, count)
        if bounds is None:
            return spring_error(400, query, "pageNum", "页码超出范围")
        turned = "unordered" in kinds and live.served % 2 == 1
        data = live.page(*bounds, row_bytes=_row_bytes(kinds), turned=turned)
        total = _total(kinds, count, live.served, rows=bounds[1] - bounds[0])
        body = self._wrap(kinds, total, data)
        live.page_served(active)
        return self._delivered(kinds, body)

    def _delivered(self, kinds: Mapping[str, Fault], body: bytes) -> Answer:
        if "bom" in kinds:
            body = b"\xef\xbb\xbf" + body
        if "truncated" in kinds and self._strikes(kinds["truncated"]):
            body = body[: len(body) // 2]
        if "reset" in kinds and self._strikes(kinds["reset"]):
            return Answer(body=body, delivery=Delivery.HALF)
        return Answer(body=body)

    def _dataset(self, code: str) -> _Live:
        if code not in self._live:
            self._live[code] = _Live(self._centre, DATASETS[code], self._night)
        return self._live[code]


class _Live:
    """One dataset of the night while it is being walked: the rows may shift between two pages."""

    def __init__(self, centre: Holder, dataset: Dataset, night: int) -> None:
        self._centre = centre
        self._code = dataset.code
        self._night = night
        self._still: Block = centre.encoded(dataset.code, night)
        self._moved: list[bytes] | None = None  # the rows, once they have shifted
        self._shifts: Counter[Fault] = Counter()
        self.served = 0

    def __len__(self) -> int:
        return len(self._still if self._moved is None else self._moved)

    def rows(self) -> list[Row]:
        if self._moved is None:
            return self._still.rows()
        return [orjson.loads(row) for row in self._moved]

    def page(self, start: int, stop: int, *, row_bytes: int, turned: bool = False) -> bytes:
        """The rows as JSON, each filled up with blanks to `row_bytes` at least; `turned`, the last one first."""
        if self._moved is None and not row_bytes and not turned:
            return self._still.page(start, stop)
        rows = self._still.split(start, stop) if self._moved is None else self._moved[start:stop]
        rows = rows[::-1] if turned else rows
        return b",".join(row.ljust(row_bytes) for row in rows)

    def page_served(self, active: Sequence[Fault]) -> None:
        """Counts a page, and shifts the rows where a fault says so."""
        self.served += 1
        for fault in active:
            if fault.kind not in {"drift", "grow", "swap"}:
                continue
            if self.served % max(1, fault.option("every", _PAGES_PER_SHIFT)):
                continue
            if fault.limit == 0 or self._shifts[fault] < fault.limit:
                self._shift(fault)
                self._shifts[fault] += 1

    def _shift(self, fault: Fault) -> None:
        if self._moved is None:
            self._moved = self._still.split(0, len(self._still))
        number = self._shifts[fault]
        if fault.kind in {"grow", "swap"}:
            if self._moved and fault.kind == "swap":
                self._moved.pop(min(self._centre.leaf(self._code, self._night), len(self._moved) - 1))
            self._moved.append(self._spare(number))
            return
        # Behind the root of the organisations, which must stay the first.
        front = 1 if self._code == "ua_org" and self._moved else 0
        if number % 2 == 0:
            self._moved.insert(front, self._spare(number))
        else:
            del self._moved[front : front + 1]

    def _spare(self, number: int) -> bytes:
        return orjson.dumps(self._centre.spare(self._code, self._night, number))


def spring_error(status: int, query: Query, name: str = "", message: str = "") -> Answer:
    """An error as Spring writes it (1.3.3): no `code` in it."""
    body: Row = {
        "timestamp": FIRST_NIGHT_MS,
        "status": status,
        "error": _REASONS[status],
        "message": message or _REASONS[status],
        "path": DATASETS[query.dataset].path,
    }
    if name:
        body["errors"] = [{"field": name, "defaultMessage": message, "objectName": "pageDto"}]
    return Answer(status=status, reason=_REASONS[status], body=orjson.dumps(body))


def _refused(fault: Fault, query: Query) -> Answer | None:
    """What comes in place of a page, None when the fault does not refuse."""
    if fault.kind.isdecimal():
        wait = dict(fault.options).get("retry-after")
        answer = spring_error(int(fault.kind), query)
        return answer if wait is None else replace(answer, headers={"Retry-After": wait})
    if fault.kind == "code":
        return Answer(body=orjson.dumps({"code": int(fault.value), "message": "系统繁忙，请稍后再试"}))
    return _INSTEAD.get(fault.kind)


def _asked(kinds: Mapping[str, Fault], query: Query) -> tuple[int | None, int | None]:
    """Page number from 1 and page size, as this centre reads them."""
    page_num, page_size = query.page
    if "page-zero" in kinds and page_num is not None:
        page_num += 1
    if "any-page" in kinds:
        page_num, page_size = max(1, page_num or 1), page_size or 20
    return page_num, page_size


def _bounds(kinds: Mapping[str, Fault], page_num: int, page_size: int, count: int) -> tuple[int, int] | None:
    """First row and the row after the last of the page, None where a page past the end is an error."""
    if "clamp" in kinds:
        page_size = min(page_size, kinds["clamp"].count)
    if "ignore-size" in kinds:
        page_size = max(1, count)
    if "ignore-page" in kinds:
        page_num = 1
    last = max(1, -(-count // page_size))
    if page_num > last:
        if "error-past-end" in kinds:
            return None
        if "echo-last" in kinds:
            page_num = last
    start = min((page_num - 1) * page_size, count)
    if "clamp-limit" in kinds:
        page_size = min(page_size, kinds["clamp-limit"].count)
    return start, min(start + page_size, count)


def _row_bytes(kinds: Mapping[str, Fault]) -> int:
    if "big-body" not in kinds:
        return 0
    return (_MESSAGE_LIMIT_BYTES - _ENVELOPE_ROOM_BYTES) // kinds["big-body"].count - 1


def _total(kinds: Mapping[str, Fault], count: int, served: int, *, rows: int) -> int | str | None:
    """What `total` says, None where it is absent."""
    value = kinds["total"].value if "total" in kinds else "+0"
    match value:
        case "absent":
            return None
        case "negative":
            return -1
        case "string":
            return str(count)
        case "moving":
            return count + served
        case "page":
            return rows
    return int(value[1:]) if value.startswith("=") else count + int(value)


def _envelope(kinds: Mapping[str, Fault], total: int | str | None, data: bytes) -> bytes:
    message = b'"message "' if "stray-keys" in kinds else b'"message"'
    declared = b"" if total is None else b'"total":' + orjson.dumps(total) + b","
    return b'{"code":0,' + message + b':"ok",' + declared + b'"data":[' + data + b"]}"


def _number(text: str) -> int | None:
    # Longer than any page number, and int() refuses texts of thousands of digits.
    return int(text) if text.isdecimal() and len(text) <= 18 else None

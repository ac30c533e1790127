"""What a province does with pages: they repeat, shrink, swell, loop, move, and come only now and then."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from hostile_answers import DRIFTING, GOOD, PROVEN, REFUSED, SHORT, SURPLUS, UNREACHABLE, page_by, paged
from hostile_province import PAGE_SIZE, Case, Line, envelope

from subcmc_crawler.model import Verdict

REPAIRED, DUPLICATED = Verdict.REPAIRED, Verdict.DUPLICATED
TEN: list[Any] = [{"userId": f"t{number}", "collectTime": number} for number in range(10)]
_BUSY = "max_attempts = 3"


def paging_cases() -> Iterator[Case]:
    """Every case of paging; each page is asked for by number and size, and `PAGE_SIZE` is 4."""
    for number in range(10):
        yield Case(name=f"neighbour.{number}", script=paged(TEN), verdict=PROVEN, rows=TEN, most_requests=4)
    yield from _sound()
    yield from _lossy()
    yield from _restless()
    yield from _without_end()
    yield from _now_and_then()


def _part(rows: list[Any], line: Line, size: int = 0) -> list[Any]:
    size = size or line.page_size
    return rows[(line.page_num - 1) * size : line.page_num * size]


def _sound() -> Iterator[Case]:
    """Odd paging that a walk survives."""

    def case(name: str, script: Any, rows: list[Any] = TEN, verdict: Any = PROVEN, most: int = 12) -> Case:
        return Case(name=f"page.{name}", script=script, verdict=verdict, rows=rows, most_requests=most)

    yield case("sound", paged(TEN))
    yield case("full-to-the-end", paged(TEN[:8]), TEN[:8])
    yield case("one-row", paged(TEN[:1]), TEN[:1])
    for size in (1, 2, 3):
        yield case(f"clamped-to-{size}", page_by(partial(_clamped, size)), most=24)
    yield case("size-ignored", page_by(lambda line: envelope(TEN if line.page_num == 1 else [], 10)))
    yield case("number-and-size-ignored", page_by(lambda _: envelope(TEN, 10)))
    yield case("past-the-end-is-page-1", page_by(lambda line: envelope(_part(TEN, line) or TEN[:4], 10)))
    yield case("past-the-end-is-refused", page_by(_refused_past_the_end), TEN[:8])
    steady = [*TEN, TEN[0]]
    yield case("steady-duplicates", paged(steady), steady, DUPLICATED, 24)
    keyless = [*TEN, {}]
    yield Case(
        name="page.row-without-key",
        script=paged(keyless),
        verdict=PROVEN,
        rows=keyless,
        reasons=("missing-key",),
    )


def _clamped(size: int, line: Line) -> bytes:
    return envelope(_part(TEN, line, min(size, line.page_size)), 10)


def _refused_past_the_end(line: Line) -> bytes:
    rows = _part(TEN[:8], line)
    return envelope(rows, 8) if rows else b'{"code":404,"message":"no such page"}'


def _lossy() -> Iterator[Case]:
    """Rows are missing, or too many: held, with what came."""

    def case(name: str, answer: Any, rows: list[Any], verdict: Any = SHORT, most: int = 40) -> Case:
        script = page_by(answer)
        return Case(name=f"page.{name}", script=script, verdict=verdict, rows=rows, most_requests=most)

    yield case("same-for-ever", lambda _: envelope(TEN[:4], 10), TEN[:4])
    yield case("same-for-ever-of-a-million", lambda _: envelope(TEN[:4], 10**6), TEN[:4])
    yield case("empty-after-1", lambda line: envelope(TEN[:4] if line.page_num == 1 else [], 10), TEN[:4])
    yield case("empty-always", lambda _: envelope([], 10), [])
    yield case("empty-of-10-12", lambda _: envelope([], 10**12), [])
    yield case(
        "hole", lambda line: envelope([] if line.page_num == 2 else _part(TEN, line), 10), TEN[:4] + TEN[8:]
    )
    yield case("last-is-cut", lambda line: envelope(_part(TEN[:9], line), 10), TEN[:9])
    two = [TEN[:4], TEN[4:8]]
    loop = TEN[:8] + TEN[:4]
    yield case("loop-of-two", lambda line: envelope(two[(line.page_num - 1) % 2], 12), loop, DUPLICATED)
    yield case(
        "shrinking", lambda line: envelope(_part(TEN, line)[: 5 - line.page_num], 10), [*TEN[:7], *TEN[8:]]
    )
    yield case("swelling", _swelling, [*TEN[:8], *_more(2), *TEN[8:], *_more(3)], SURPLUS)
    yield case("swollen", lambda line: envelope(_part(TEN, line), 6), TEN, SURPLUS)
    yield case("other-size-past-1", _longer_past_page_1, TEN[:4] + TEN[5:], SURPLUS)
    fresh = [[{"userId": f"p{page}.{row}"} for row in range(4)] for page in range(1, 15)]
    endless = [row for page in fresh for row in page]
    yield case(
        "surplus-without-end", lambda line: envelope(fresh[line.page_num - 1], 4), endless[:48], SURPLUS, 60
    )


def _restless() -> Iterator[Case]:
    """The data move, or pretend to. What came last is held, or a later pass was clean."""

    def case(name: str, answer: Any, verdict: Any = DRIFTING, rows: list[Any] = TEN, most: int = 40) -> Case:
        script = page_by(answer)
        return Case(name=f"page.{name}", script=script, verdict=verdict, rows=rows, most_requests=most)

    yield case("total-grows", lambda line: envelope(_part(TEN, line), 10 + line.number), (DRIFTING, SHORT))
    yield case("total-sways", lambda line: envelope(_part(TEN, line), 10 + line.number % 2))
    yield case("total-of-page-1", lambda line: envelope(_part(TEN, line), 10 if line.page_num == 1 else "x"))
    first = [{"userId": "new"}, *TEN[1:]]
    yield case(
        "page-1-changes-once",
        lambda line: envelope(_part(TEN if line.number == 1 else first, line), 10),
        REPAIRED,
        first,
    )
    later = [{**row, "collectTime": 5} for row in TEN]
    yield case("other-times", lambda line: envelope(_part(later, line), 10), PROVEN, later)
    yield Case(
        name="page.order-turns",
        script=page_by(_turned),
        verdict=DRIFTING,
        rows=[*TEN[:4], *TEN[5:1:-1], *TEN[8:]],
        most_requests=12,
        settings="max_in_flight = 1",
    )


def _more(page: int) -> list[Any]:
    """As many rows that nobody declared as the number of a page."""
    return [{"userId": f"more{page}.{row}"} for row in range(page)]


def _swelling(line: Line) -> bytes:
    return envelope([*_part(TEN, line), *(_more(line.page_num) if line.page_num in (2, 3) else [])], 10)


def _longer_past_page_1(line: Line) -> bytes:
    return envelope(_part(TEN, line, 4 if line.page_num == 1 else 5), 8)


def _turned(line: Line) -> bytes:
    rows = TEN if line.number % 2 else TEN[::-1]
    return envelope(_part(rows, line), 10)


def _without_end() -> Iterator[Case]:
    """New rows for ever: the walk has an end all the same, and nothing of it is kept."""

    def fresh(line: Line) -> list[Any]:
        return [{"userId": f"{line.page_num}.{row}"} for row in range(line.page_size)]

    def case(name: str, total: Any) -> Case:
        script = page_by(lambda line: envelope(fresh(line), total(line)))
        return Case(name=f"page.endless-{name}", script=script, verdict=REFUSED, fault="", most_requests=70)

    yield case("of-10-12", lambda _: 10**12)
    yield case("growing", lambda line: (line.page_num + 2) * PAGE_SIZE)
    yield case("undeclared", lambda _: "")


def _now_and_then() -> Iterator[Case]:
    """Some requests are answered, others are not."""

    def case(name: str, answer: Any, verdict: Any, fault: str, most: int = 24) -> Case:
        rows = TEN if verdict is PROVEN else None
        return Case(
            name=f"page.{name}",
            script=answer,
            verdict=verdict,
            fault=fault,
            rows=rows,
            most_requests=most,
            settings=_BUSY,
        )

    async def every_second_500(line: Line) -> None:
        status = "200 OK" if line.number % 2 else "500 No"
        await line.reply(envelope(_part(TEN, line), 10), status=status)

    async def every_second_resets(line: Line) -> None:
        if line.number % 2:
            line.reset()
        else:
            await line.reply(envelope(_part(TEN, line), 10))

    async def every_second_html(line: Line) -> None:
        await line.reply(envelope(_part(TEN, line), 10) if line.number % 2 else b"<html>")

    async def busy_twice(line: Line) -> None:
        busy = line.number <= 2
        await line.reply(
            envelope(_part(TEN, line), 10), "Retry-After: 0", status="503 No" if busy else "200 OK"
        )

    async def page_2_resets(line: Line) -> None:
        if line.page_num == 2:
            line.reset()
        else:
            await line.reply(envelope(_part(TEN, line), 10))

    async def page_2_is_html(line: Line) -> None:
        await line.reply(b"<html>" if line.page_num == 2 else envelope(_part(TEN, line), 10))

    async def probe_fails(line: Line) -> None:
        if line.number >= 4:
            await line.reply(GOOD, status="500 No")
        else:
            await line.reply(envelope(_part(TEN, line), 10))

    async def large_pages_are_too_large(line: Line) -> None:
        padding = b" " * (11 * 1024 * 1024 if line.page_size > 2 else 0)
        await line.reply(envelope(_part(TEN, line), 10) + padding)

    yield case("every-second-500", every_second_500, PROVEN, "http-500")
    yield case("every-second-resets", every_second_resets, PROVEN, "disconnected")
    yield case("every-second-html", every_second_html, PROVEN, "not-json")
    yield case("busy-twice", busy_twice, PROVEN, "http-503")
    yield case("page-2-resets", page_2_resets, UNREACHABLE, "disconnected")
    yield case("page-2-is-html", page_2_is_html, REFUSED, "not-json")
    yield case("probe-fails", probe_fails, REFUSED, "http-500")
    yield case("large-pages-are-too-large", large_pages_are_too_large, PROVEN, "too-large")

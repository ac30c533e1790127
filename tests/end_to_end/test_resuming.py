"""A run that died in the middle goes on where it was: from the page ledger, and to an exact snapshot."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from nights import FAST, Ministry, dies, ministry

from subcmc_crawler.errors import NotFound, StoreLost
from subcmc_crawler.model import RunStatus, State, Verdict
from subcmc_crawler.province.registry import parse
from subcmc_crawler.run import Selection
from subcmc_crawler.store import Database
from subcmc_crawler.store.ledger import Entries
from subcmc_crawler.store.reading import prove
from subcmc_crawler.store.runs import attempts_of, get_run, manifests_of

USERS = Selection(datasets=("ua_user",))
SMALL = FAST.replace("page_size = 50", "page_size = 5")


@pytest.mark.parametrize("after_pages", [1, 20, 49, 50])
async def test_pages_that_were_walked_are_not_asked_for_again(
    store: Database, monkeypatch: pytest.MonkeyPatch, after_pages: int
) -> None:
    async with ministry(store, defaults=SMALL) as house:  # 250 users: 50 pages, and one that is empty
        await dies(house, 1, after_pages=after_pages, monkeypatch=monkeypatch, selection=USERS)
        assert (await get_run(store)).status is RunStatus.RUNNING
        before = len(house.simulator.requests)
        run = await house.night(1, selection=USERS, resume=True)
        again = [request.page_num for request in house.simulator.requests[before:]]
        assert run.number == 1
        assert run.status is RunStatus.FINISHED
        twice = [page for page in again[:-1] if (page or 0) <= after_pages]
        assert twice == []  # but for the closing probe of page 1, which comes last
        assert again[-1] == 1
        manifest = await house.cell(1, "110000/ua_user")
        assert (manifest.verdict, manifest.passes) == (Verdict.PROVEN, 1)
        assert manifest.counts.received == 250
        assert await house.assert_exact(1) == 1
        assert (await prove(store, manifest)).holds(manifest)


@pytest.mark.parametrize(
    "fault", ["duplicates=9", "conflicts=9", "nokey=9", "badrows=9", "stray-keys", "clamp=3"]
)
async def test_what_is_odd_is_counted_the_same_after_a_crash(
    store: Database, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async with ministry(
        store, f"110000/ua_user:{fault}", provinces=("110000", "120000"), defaults=SMALL
    ) as house:
        one = Selection(provinces=("110000",), datasets=("ua_user",))
        whole = await house.night(1, selection=one)
        expected = await house.cell(whole.number, "110000/ua_user")
        await store["ua_user"].delete_many({})
        await store["snapshots"].delete_many({})
        await dies(house, 1, after_pages=25, monkeypatch=monkeypatch, selection=one)
        run = await house.night(1, selection=one, resume=True)
        found = await house.cell(run.number, "110000/ua_user")
        assert found.counts == expected.counts
        assert (found.verdict, found.digest, found.rules) == (
            expected.verdict,
            expected.digest,
            expected.rules,
        )
        assert (found.deviations, found.passes) == (expected.deviations, expected.passes)
        assert await house.assert_exact(run.number) == 1


async def test_the_second_night_goes_on_with_its_changes(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(store, defaults=SMALL, scale=0.02) as house:
        await house.night(1, selection=USERS)
        await dies(house, 2, after_pages=120, monkeypatch=monkeypatch, selection=USERS)
        run = await house.night(2, selection=USERS, resume=True)
        manifest = await house.cell(run.number, "110000/ua_user")
        assert manifest.verdict is Verdict.PROVEN
        counts = manifest.counts
        assert await store["ua_user"].count_documents({"from": 2}) == counts.added + counts.changed
        assert await store["ua_user"].count_documents({"to": 2}) == counts.changed + counts.removed
        assert counts.changed > 0
        assert await house.assert_exact(run.number) == 1


async def test_rows_of_a_page_that_was_not_yet_in_the_ledger_are_dropped(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(store, defaults=SMALL, scale=0.02) as house:
        await house.night(1, selection=USERS)
        house.simulator.night = 2
        insert = Entries.page
        pages = 0

        def failing(self: Entries, *arguments: Any) -> Any:
            nonlocal pages
            pages += 1
            if pages == 150:
                raise StoreLost("died")
            return insert(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(Entries, "page", failing)
            with pytest.raises(StoreLost, match="died"):
                await house.night(2, selection=USERS)
        run = await house.night(2, selection=USERS, resume=True)
        assert (await house.cell(run.number, "110000/ua_user")).verdict is Verdict.PROVEN
        assert await house.assert_exact(run.number) == 1


async def test_data_that_moved_while_we_were_dead_cost_a_fresh_pass(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(store, defaults=SMALL, scale=0.02) as house:
        await dies(house, 1, after_pages=120, monkeypatch=monkeypatch, selection=USERS)
        run = await house.night(5, selection=USERS, resume=True)
        manifest = await house.cell(run.number, "110000/ua_user")
        assert manifest.verdict in (Verdict.REPAIRED, Verdict.PROVEN)
        if manifest.verdict is Verdict.REPAIRED:
            assert await house.assert_exact(run.number) == 1


async def test_what_has_its_verdict_is_not_walked_again(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(store, defaults=SMALL) as house:
        await dies(house, 1, after_pages=10, monkeypatch=monkeypatch)
        before = len(house.simulator.requests)
        run = await house.night(1, resume=True)
        assert "ua_org" not in {request.dataset for request in house.simulator.requests[before:]}
        assert run.summary == {"proven": 9}
        assert {manifest.state for manifest in await manifests_of(store, run.number)} == {State.PUBLISHED}


async def test_a_stopped_run_is_resumed_too(store: Database) -> None:
    async with ministry(store, defaults=SMALL) as house:

        def stop(crawl: Any, _province: Any, dataset: Any, _received: int) -> None:
            if dataset.code == "mdm_device":
                crawl.stop()

        stopped = await house.night(1, on_page=stop)
        assert stopped.status is RunStatus.STOPPED
        run = await house.night(1, resume=True)
        assert (run.number, run.status, run.summary) == (1, RunStatus.FINISHED, {"proven": 9})
        assert await house.assert_exact(1) == 9


async def test_a_run_that_finished_cannot_be_resumed(store: Database) -> None:
    async with ministry(store) as house:
        await house.night(1, selection=USERS)
        with pytest.raises(NotFound, match="has finished: there is nothing to resume"):
            await house.night(1, resume=True)


async def test_an_address_that_was_found_dead_is_not_asked_again_after_a_crash(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(store, "110000#1:dead", defaults=SMALL, mirrors=2) as house:
        await dies(house, 1, after_pages=10, monkeypatch=monkeypatch)
        before = len(house.simulator.requests)
        given_up = (await house.cell(1, "110000/ua_org")).dead_addresses
        run = await house.night(1, resume=True)
        assert {request.address for request in house.simulator.requests[before:]} == {2}
        assert len(given_up) == 1
        assert {each.dead_addresses for each in await manifests_of(store, run.number)} == {given_up}


# ── a registry that is another one by then ──────────────────────────────────────────────────────────────


def registered(house: Ministry, edit: Callable[[str], str] = lambda text: text) -> None:
    """The ministry reads its registry again, as it was edited."""
    house.registry = parse(edit(house.simulator.registry(defaults=SMALL)))


def without(cmc_id: str) -> Callable[[str], str]:
    """Takes a province out."""

    def edit(text: str) -> str:
        head, *provinces = text.split("[[province]]")
        return "[[province]]".join([head, *(each for each in provinces if cmc_id not in each)])

    return edit


async def test_what_a_province_had_begun_that_is_registered_no_more_is_undone_and_told(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(
        store, provinces=("110000", "120000"), defaults=SMALL, edit=without("110000")
    ) as house:
        await dies(house, 1, after_pages=10, monkeypatch=monkeypatch, selection=USERS)
        registered(house, without("120000"))
        run = await house.night(1, selection=USERS, resume=True)
        left = await house.cell(1, "120000/ua_user")
        assert (left.state, left.verdict) == (State.ROLLED_BACK, Verdict.INCOMPLETE)
        assert left.reason_code == "removed"
        asked = await attempts_of(store, left)
        assert (left.attempts, left.bytes) == (len(asked), sum(each.bytes for each in asked))
        assert left.attempts >= 10
        assert await store["ua_user"].count_documents({"cmcId": "120000"}) == 0
        assert (run.status, run.summary) == (RunStatus.FINISHED, {"proven": 1, "incomplete": 1})
        assert await house.assert_exact(1) == 1
        registered(house)
        await house.night(2, selection=USERS)
        assert await house.assert_exact(2) == 2


async def test_a_rollback_that_was_broken_off_in_a_province_that_is_registered_no_more_is_finished(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(
        store, provinces=("110000", "120000"), defaults=SMALL, edit=without("110000")
    ) as house:
        await dies(house, 1, after_pages=10, monkeypatch=monkeypatch, selection=USERS)
        concluded = {"state": State.ROLLING_BACK.value, "verdict": Verdict.REFUSED.value}
        await store["snapshots"].update_one({"cmcId": "120000"}, {"$set": concluded})
        registered(house, without("120000"))
        await house.night(1, selection=USERS, resume=True)
        left = await house.cell(1, "120000/ua_user")
        assert (left.state, left.verdict) == (State.ROLLED_BACK, Verdict.REFUSED), "it had its verdict"
        assert await store["ua_user"].count_documents({"cmcId": "120000"}) == 0


@pytest.mark.parametrize("why", ["switched off", "without an address"])
async def test_what_was_not_registered_and_is_by_now_is_pulled(
    store: Database, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def edit(text: str) -> str:
        if why == "switched off":
            return f"{text}\n[province.datasets]\npm_app = false\n"
        return re.sub("pullAddressList = .+", "pullAddressList = []", text, count=1)

    both = Selection(datasets=("ua_user", "pm_app"))
    provinces = ("110000",) if why == "switched off" else ("110000", "120000")
    async with ministry(store, provinces=provinces, defaults=SMALL, edit=edit) as house:
        await dies(house, 1, after_pages=10, monkeypatch=monkeypatch, selection=both)
        assert (await house.cell(1, "110000/pm_app")).verdict is Verdict.UNREGISTERED
        registered(house)
        run = await house.night(1, selection=both, resume=True)
        assert run.summary == {"proven": 2 * len(provinces)}
        assert await house.assert_exact(1) == 2 * len(provinces)


async def test_a_certificate_that_is_not_verified_any_more_is_told_though_the_run_began_before(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ministry(store, defaults=SMALL) as house:
        await dies(house, 1, after_pages=10, monkeypatch=monkeypatch, selection=USERS)
        registered(house, lambda text: f"{text}\n[province.tls]\nverify = false\n")
        run = await house.night(1, selection=USERS, resume=True)
        assert run.notices == ("北京市: TLS certificates are not verified",)

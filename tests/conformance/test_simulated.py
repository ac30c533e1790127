"""Simulated provinces with one fault each, as `subcmc simulate --fault` plays them."""

from __future__ import annotations

from pathlib import Path

import pytest
from centre import NOW, wrong

from subcmc_crawler.checking import check_province
from subcmc_crawler.province.registry import parse
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator

DEFAULTS = "page_size = 40\nrequests_per_second = 0\nrequest_timeout_seconds = 60\n"


async def checked(*faults: str, gzip: bool = True, mirrors: int = 1) -> dict[str, str]:
    """What is wrong with a simulated province, plain HTTP aside."""
    parsed = [Fault.parse(f"620000{text}") for text in faults]
    centre = Centre("620000", "甘肃省", scale=0.002, faults=parsed)
    async with Simulator([centre], gzip=gzip, mirrors=mirrors) as simulator:
        province = parse(simulator.registry(defaults=DEFAULTS)).provinces[0]
        card = await check_province(province, Path(), now=lambda: NOW)
        assert (
            len(simulator.requests) <= len(card.seen) <= card.most
        )  # a path that is none is no pull request
    found = wrong(card)
    assert found.pop("tls-https") == "warn"
    return found


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (":any-id", {"param-foreign-id": "fail", "param-no-id": "fail"}),
        (":any-page", {"param-no-page": "warn", "param-bad-number": "warn", "page-base": "warn"}),
        (":page-zero", {"page-base": "fail"}),
        (":html-errors", {"error-shape": "fail"}),
        (":unordered", {"page-stable": "fail"}),
        (":ignore-page", {"page-moves": "fail"}),
        (":ignore-size", {"page-size-small": "fail"}),
        (":clamp=35", {"page-size-large": "warn"}),
        (":clamp-limit=35", {"page-size-large": "warn", "page-seam": "fail"}),
        (":echo-last", {"page-past-end": "fail"}),
        (":error-past-end", {"page-past-end": "warn"}),
        (":total=+7", {"total-rows": "fail"}),
        (":total=string", {"total-integer": "fail"}),
        (":total=negative", {"total-present": "fail"}),
        (":total=absent", {"total-present": "fail"}),
        (":total=page", {"total-steady": "fail"}),
        ("/infr_network:total=moving", {"total-steady": "warn"}),
        (":bom", {"body-bom": "warn"}),
        (":stray-keys", {"envelope-keys": "warn", "row-key-spelling": "warn"}),
        ("/ua_user:badrows=60", {"row-required": "fail", "row-length": "fail", "row-code": "fail"}),
        ("/pm_app:unknown-fields", {"row-unknown-fields": "warn"}),
        ("/pm_app:foreign=1", {"row-cmc-id": "fail"}),
        ("/ua_user:nokey=20", {"key-present": "fail"}),
        ("/infr_network:empty", {"dataset-filled": "warn"}),
        ("/pm_app:500", {"http-status": "fail"}),
        ("/pm_app:404", {"dataset-served": "fail"}),
        ("/pm_app:html", {"body-json": "fail"}),
        ("/pm_app:redirect", {"http-redirect": "fail"}),
        ("/pm_app:reset", {"http-whole": "fail"}),
        ("/pm_app:code=1001", {"envelope-code": "fail"}),
    ],
)
async def test_one_fault_is_what_the_scorecard_says(fault: str, expected: dict[str, str]) -> None:
    assert await checked(fault) == expected


async def test_a_sound_one_with_two_addresses_has_nothing_to_mend() -> None:
    assert await checked(mirrors=2) == {}


async def test_one_that_packs_nothing_is_told() -> None:
    assert await checked(gzip=False) == {"http-gzip": "warn"}


async def test_a_dead_address_is_told_and_the_other_one_is_checked() -> None:
    assert await checked("#1:dead", mirrors=2) == {"address-answers": "fail"}

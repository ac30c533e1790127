"""Faults as text."""

from __future__ import annotations

import pytest

from subcmc_crawler.simulator.faults import CONTENT, DEMO_FAULTS, KINDS, WIRE, Fault
from subcmc_crawler.spec.codes import AREAS


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("620000/mdm_device:drift", Fault(cmc_id="620000", dataset="mdm_device", kind="drift")),
        ("620000:clamp=200@2", Fault(cmc_id="620000", kind="clamp", value="200", nights=frozenset({2}))),
        (
            "*:429=3;retry-after=1@1,4",
            Fault(
                cmc_id="*",
                kind="429",
                value="3",
                options=(("retry-after", "1"),),
                nights=frozenset({1, 4}),
            ),
        ),
        ("620000#2:dead", Fault(cmc_id="620000", kind="dead", address=2)),
        ("620000:total==100", Fault(cmc_id="620000", kind="total", value="=100")),
        ("620000:total=-5", Fault(cmc_id="620000", kind="total", value="-5")),
        ("a:drift;every=1", Fault(cmc_id="a", kind="drift", options=(("every", "1"),))),
    ],
)
def test_reading_and_writing(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault
    assert str(fault) == text


def test_the_numbers_of_a_fault() -> None:
    assert Fault.parse("a:drift=3").limit == 3
    assert Fault.parse("a:drift").limit == 0
    assert Fault.parse("a:code=1001").limit == 0
    assert Fault.parse("a:code=1001;times=2").limit == 2
    assert Fault.parse("a:503;after=4").option("after", 0) == 4
    assert Fault.parse("a:503").option("after", 0) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "620000",
        "620000:",
        ":bom",
        "620000 bom",
        "620000:nonsense",
        "620000/nowhere:bom",
        "620000:clamp",
        "620000:clamp=0",
        "620000:clamp=many",
        "620000:bom=1",
        "620000:shrunk=101",
        "620000:total=5",
        "620000:total",
        "620000:code=0",
        "620000:slow",
        "620000:500=1;every=2",
        "620000:500;after=soon",
        "620000:bom@tonight",
        "620000:bom@",
        "620000#0:bom",
        "620000#1:duplicates=2",
    ],
)
def test_bad_text_is_one_clear_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"fault|dataset") as caught:
        Fault.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["nonsense", "620000:nonsense"])
def test_bad_text_lists_the_kinds(text: str) -> None:
    with pytest.raises(ValueError, match="drift") as caught:
        Fault.parse(text)
    assert all(kind in str(caught.value) for kind in KINDS)


def test_every_kind_is_either_content_or_wire_and_says_what_it_does() -> None:
    assert not CONTENT.keys() & WIRE.keys()
    assert all(kind.does for kind in KINDS.values())


def test_the_demo_leaves_provinces_sound_and_shows_much() -> None:
    assert {fault.cmc_id for fault in DEMO_FAULTS} < set(AREAS)
    assert len({fault.cmc_id for fault in DEMO_FAULTS}) < 25
    shown = {fault.kind for fault in DEMO_FAULTS}
    assert shown >= {"drift", "swap", "duplicates", "conflicts", "nokey", "badrows", "stray-keys", "clamp"}
    assert shown >= {"ignore-page", "total", "shrunk", "empty", "dead", "500", "509", "html", "truncated"}

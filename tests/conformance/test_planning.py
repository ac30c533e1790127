"""What a check asks: never too much, never of who is gone, and as announced."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from centre import Respond, answer, driven, outcomes, registered, sound, spring, wrong

from subcmc_crawler.conformance.planning import MOST_REQUESTS, foreign_id, last_page, most_requests
from subcmc_crawler.conformance.questions import Aim, Question
from subcmc_crawler.conformance.results import Outcome
from subcmc_crawler.errors import Fault, TooLarge, Unreachable
from subcmc_crawler.province.answer import Answer

ONE = ["http://10.0.0.1/a"]
ALL = '[province.tls]\nverify = false\n[province.auth]\nkind = "bearer"\ntoken_env = "T"\n'
"""With that there are questions about certificate and secret, too."""


def addresses(count: int, scheme: str = "https") -> list[str]:
    return [f"{scheme}://10.0.0.{number + 1}/a" for number in range(count)]


def cutting(question: Question) -> Answer | Fault:
    """A centre that cuts its pages, so that every question there is gets asked."""
    if question.page_size and question.page_size > 10:
        params = dict(question.params) | {"pageSize": "10"}
        return sound(replace(question, params=tuple(params.items())))
    return sound(question)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("respond", [sound, cutting])
@pytest.mark.parametrize("more", ["", ALL])
def test_it_asks_no_more_than_it_announced(count: int, respond: Respond, more: str) -> None:
    province = registered(addresses(count), more)
    card = driven(province, respond)
    assert len(card.seen) <= card.most == most_requests(province) <= MOST_REQUESTS
    assert (count == 0) == (not card.seen)


def test_every_question_there_is_gets_asked() -> None:
    card = driven(registered(addresses(2), ALL), cutting)
    assert {seen.question.aim for seen in card.seen} == set(Aim)


def test_every_address_is_asked_and_most_of_it_of_the_first() -> None:
    card = driven(registered(addresses(10)))
    asked = Counter(str(seen.question.address) for seen in card.seen)
    assert len(asked) == 10
    assert asked["https://10.0.0.1/a"] == max(asked.values())
    assert min(asked.values()) > 1


def test_nobody_is_asked_about_a_dataset_that_is_switched_off() -> None:
    card = driven(registered(ONE, "[province.datasets]\nua_org = false\nhardware = false\n"))
    assert {seen.question.dataset for seen in card.seen}.isdisjoint({"ua_org", "hardware"})
    assert outcomes(card)["user-org"] is Outcome.UNCHECKED


def test_no_secret_and_nothing_odd_is_in_a_question() -> None:
    for seen in driven(registered(ONE)).seen:
        assert seen.question.url.startswith("http://10.0.0.1/a/subcmc/v1/")
        assert {name for name, _ in seen.question.params} <= {"cmcId", "pageNum", "pageSize"}
        assert (seen.question.aim is Aim.FOREIGN_ID) == (("cmcId", "999999") in seen.question.params)


def test_a_foreign_id_is_nobodys_even_for_its_owner() -> None:
    assert foreign_id("620000") == "999999"
    assert foreign_id("999999") == "999998"


# ── who is asked no further ─────────────────────────────────────────────────────────────────────────────


def silent_from(number: int, kind: str = "timeout") -> Respond:
    """No answer to every request from that one on."""
    count = 0

    def respond(question: Question) -> Answer | Fault:
        nonlocal count
        count += 1
        return Unreachable(kind, "") if count >= number else sound(question)

    return respond


def test_row_1_an_address_that_is_silent_at_once_is_asked_once() -> None:
    card = driven(registered(ONE), silent_from(1))
    assert len(card.seen) == 1
    assert wrong(card) == {"address-answers": "fail", "tls-https": "warn"}
    assert outcomes(card)["total-rows"] is Outcome.UNCHECKED


def test_row_1_the_next_address_takes_over() -> None:
    def respond(question: Question) -> Answer | Fault:
        return Unreachable("connect", "") if "10.0.0.1" in str(question.address) else sound(question)

    card = driven(registered(addresses(2, "http")), respond)
    assert wrong(card) == {"address-answers": "fail", "tls-https": "warn"}
    assert outcomes(card)["total-rows"] is Outcome.PASS
    assert sum("10.0.0.1" in str(seen.question.address) for seen in card.seen) == 1


@pytest.mark.parametrize("number", [2, 5, 30])
def test_row_2_an_address_that_falls_silent_is_asked_twice_more(number: int) -> None:
    card = driven(registered(ONE), silent_from(number))
    assert len(card.seen) == number + 1
    assert "http-time" in wrong(card)


def test_row_2_a_single_silence_changes_nothing() -> None:
    count = 0

    def respond(question: Question) -> Answer | Fault:
        nonlocal count
        count += 1
        return Unreachable("disconnected", "") if count % 2 == 0 else sound(question)

    assert len(driven(registered(ONE), respond).seen) > 20


@pytest.mark.parametrize("status", [408, 429, 503, 509])
def test_row_3_who_asks_for_patience_gets_it(status: int) -> None:
    def respond(question: Question) -> Answer | Fault:
        busy = question.aim is Aim.AGAIN
        return answer(spring(status, "busy")) if busy else sound(question)

    card = driven(registered(ONE), respond)
    assert [seen.question.aim for seen in card.seen] == [Aim.REACH, Aim.FIRST, Aim.AGAIN]
    assert wrong(card) == {"http-status": "fail", "tls-https": "warn"}


def test_row_4_any_other_fault_is_no_reason_to_stop() -> None:
    def respond(question: Question) -> Answer | Fault:
        large = question.dataset == "mdm_device" and question.aim is Aim.FIRST
        return TooLarge("too-large", "the body passed 10 MB (1.3.1)") if large else sound(question)

    card = driven(registered(ONE), respond)
    assert wrong(card) == {"body-size": "fail", "tls-https": "warn"}
    assert [s.question.aim for s in card.seen if s.question.dataset == "mdm_device"] == [Aim.FIRST]


@pytest.mark.parametrize(
    ("total", "rows", "size", "page"),
    [(0, 0, 40, 1), (40, 40, 40, 1), (41, 40, 40, 2), (130, 40, 40, 4), (130, 35, 40, 4), (130, 130, 40, 1)],
)
def test_the_last_page_is_told_from_the_total_and_what_page_1_holds(
    total: int, rows: int, size: int, page: int
) -> None:
    assert last_page(total, rows, size) == page


def test_a_province_without_an_address_is_not_checked_at_all() -> None:
    card = driven(registered([]))
    assert set(outcomes(card).values()) == {Outcome.UNCHECKED}
    assert not card.failed

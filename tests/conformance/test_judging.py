"""What no socket can be made to show in a test: slow answers, pages far too long, thresholds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from centre import NOW, Asked, answer, driven, outcomes, page, registered, result_of, sound, wrong

from subcmc_crawler.conformance.checks import CHECKS, GROUPS
from subcmc_crawler.conformance.questions import Aim, Question
from subcmc_crawler.conformance.results import MOST_EVIDENCE, MOST_FOUND, Outcome
from subcmc_crawler.conformance.seeing import MOST_CHARACTERS, MOST_ROWS, see
from subcmc_crawler.errors import Fault
from subcmc_crawler.province.answer import Answer, Secured
from subcmc_crawler.spec.datasets import DATASETS

ONE = ["https://10.0.0.1/a"]


def secured(question: Question, **changes: object) -> Answer:
    found = replace(sound(question), secured=Secured("TLSv1.3", NOW + timedelta(days=365)))
    return replace(found, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("milliseconds", "outcome"),
    [(5000, Outcome.PASS), (5001, Outcome.WARN), (30_000, Outcome.WARN), (30_001, Outcome.FAIL)],
)
def test_slow_answers(milliseconds: float, outcome: Outcome) -> None:
    def respond(question: Question) -> Answer | Fault:
        slow = question.aim is Aim.SECOND and question.dataset == "ua_user"
        return secured(question, milliseconds=milliseconds if slow else 5.0)

    card = driven(registered(ONE), respond)
    assert outcomes(card)["http-time"] is outcome
    assert wrong(card) == ({} if outcome is Outcome.PASS else {"http-time": str(outcome)})


@pytest.mark.parametrize(("days", "outcome"), [(30, Outcome.PASS), (29, Outcome.WARN), (0, Outcome.WARN)])
def test_days_that_a_certificate_has_left(days: int, outcome: Outcome) -> None:
    until = Secured("TLSv1.3", NOW + timedelta(days=days, hours=1))
    card = driven(registered(ONE), lambda question: secured(question, secured=until))
    assert outcomes(card)["tls-expiry"] is outcome


def test_a_version_that_a_lax_library_would_take_fails() -> None:
    old = Secured("TLSv1.1", NOW + timedelta(days=365))
    assert wrong(driven(registered(ONE), lambda q: secured(q, secured=old))) == {"tls-version": "fail"}


def test_a_sound_centre_passes_all_that_can_be_checked() -> None:
    card = driven(registered(ONE), secured)
    assert wrong(card) == {}
    open_ones = {name for name, outcome in outcomes(card).items() if outcome is Outcome.UNCHECKED}
    assert open_ones == {"address-same-totals", "auth-enforced"}


def test_two_addresses_that_agree_pass() -> None:
    card = driven(registered([*ONE, "https://10.0.0.2/a"]), secured)
    assert wrong(card) == {}
    assert result_of(card, "address-same-totals").values == {"count": len(DATASETS)}


def test_pages_that_are_far_too_long_are_not_kept_whole() -> None:
    question = Question(
        aim=Aim.FIRST, address=registered(ONE).addresses[0], dataset="infr_network",
        path=DATASETS["infr_network"].path, params=(), page_num=1, page_size=40,
    )  # fmt: skip
    many = see(question, answer(page([{"netId": str(n)} for n in range(MOST_ROWS + 5)], 9)), "620000")
    long = see(question, answer(page([{"netId": "n" * 1000 + str(n)} for n in range(1500)], 9)), "620000")
    assert many.page is not None
    assert long.page is not None
    assert (many.page.rows, len(many.page.keys)) == (MOST_ROWS + 5, MOST_ROWS)
    assert long.page.rows == 1500
    assert sum(len(key or "") for key in long.page.keys) <= MOST_CHARACTERS


def test_a_dataset_that_was_not_seen_whole_is_no_proof_that_something_is_not_there() -> None:
    card = driven(registered(ONE, "[province.datasets]\nua_org = { page_size = 10 }\n"), secured)
    assert outcomes(card)["org-order"] is Outcome.PASS  # page 1 and 2 tell the order all the same
    for name in ("org-parent", "user-org", "hardware-org"):
        assert result_of(card, name).reason == "check.open.not_whole"


def test_what_is_found_and_shown_is_bounded_and_counted() -> None:
    odd = [{"netId": f"n{n}", f"extra{n % 60}": 1} for n in range(120)]

    def respond(question: Question) -> Answer | Fault:
        if question.dataset != "infr_network" or question.page_num is None:
            return secured(question)
        number, size = Asked("", 1, dict(question.params)).page
        return answer(page(odd[(number - 1) * size : number * size], len(odd)))

    result = result_of(driven(registered(ONE), respond), "row-unknown-fields")
    assert len(result.found) == MOST_FOUND
    assert result.left_out == 60 - MOST_FOUND
    assert len(result.evidence) <= MOST_EVIDENCE


def test_ids_are_unique_and_every_check_has_a_group_and_a_section() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS) >= 25
    assert {check.group for check in CHECKS} == set(GROUPS)
    assert [check.group for check in CHECKS] == sorted((c.group for c in CHECKS), key=GROUPS.index)


def test_what_was_found_names_the_section_of_its_own_dataset() -> None:
    check = next(check for check in CHECKS if check.id == "row-required")
    assert check.section_of("hardware") == "2.3.4.2"
    assert check.section_of("http://10.0.0.1") == "2.2.1.2"
    assert next(check for check in CHECKS if check.id == "http-status").section_of("hardware") == "1.3.3"


def test_sections_are_those_of_the_decisions_or_of_the_datasets() -> None:
    sections = {check.section for check in CHECKS}
    assert sections <= {
        "1.1", "1.2.1", "1.2.2", "1.3.1", "1.3.3", "1.3.5", "2.1.1.2", "2.2.1.2", "2.2.1.4", "2.2.2.2", "2.3.4.2",
        "2.5.2.2",
    }  # fmt: skip

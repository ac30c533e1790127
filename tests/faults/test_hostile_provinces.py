"""Every hostile province has its verdict and its reason, and harms neither its own yesterday nor a neighbour.

More texts of the grammar: `HOSTILE_CASES=3000 pytest tests/faults/test_hostile_provinces.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hostile_bodies import body_cases
from hostile_envelopes import envelope_cases
from hostile_json import json_cases
from hostile_paging import paging_cases
from hostile_province import YESTERDAY, Case, Nights, crawled
from hostile_wire import wire_cases
from pymongo import MongoClient

from subcmc_crawler.model import State
from subcmc_crawler.province import walking

TEXTS = int(os.environ.get("HOSTILE_CASES", "40"))
CASES = [*wire_cases(), *body_cases(), *envelope_cases(), *paging_cases(), *json_cases(TEXTS)]
FORMS = """
endless: wire.endless- chunks extension trailers rows string brackets body head
slow drips: wire.drip- status head body chunks extension gzip trailers
truncated: wire. fin-in-body fin-in-chunk fin-in-json reset-in-body reset-in-json gzip-cut chunk-no-last
wrong lengths: wire.length- too-long too-short negative word past-64-bits hex twice two-ways zero and-chunked
header floods: wire. endless-head endless-name head-1000-lines head-long-line head-long-name continue-2000-times
redirects: wire.status- 300 301 302 303 304 305 307 308
packings: wire.encoding- br zstd gzip-gzip compress x
content types: wire.type- 0 1 2 3 4 5 6 7 8
alphabets: text. bom two-boms bom-inside gbk gb18030 utf-16 utf-16-le utf-16-be utf-32 overlong surrogates nuls
half pairs: value. lone-high lone-low swapped half-and-digits
depth: value. depth-10000 depth-10000-of-objects depth-10000-unclosed depth-900000
names: name. dollar dollar-set dotted dots empty long mega proto dunder id nul lone-surrogate twice 50000
numbers: number. 400-digits -400-digits 70-bits 2-64 nan infinity -infinity 1e309 one-and-float 100000-digits
sizes: size. 16-mb-row 16-mb-key 16-mb-of-space 9-mb-row 11-mb-message
keys: key. null empty float true list object 10-kb 400-digits dollar dots nul absent
keys twice: envelope. total-twice data-twice code-twice
totals: total. text float negative negative-text absent null true list object word 10-18 10-400 empty-text
pages that repeat: page. same-for-ever same-for-ever-of-a-million steady-duplicates past-the-end-is-page-1
pages that shrink: page. shrinking last-is-cut hole empty-after-1 clamped-to-1
pages that swell: page. swelling swollen surplus-without-end endless-growing size-ignored
pages that loop: page. loop-of-two number-and-size-ignored
"""
"""What must not be missing. Bombs are in test_hostile_memory.py, and where redirects lead in test_canary.py."""

PAGES = 50  # in place of the hundred thousand, so that what has no end shows its end


@pytest.fixture(scope="module")
def nights(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    name = f"test_{uuid4().hex}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "MAX_PAGES", PAGES)
        yield crawled(CASES, mongod_uri, name, tmp_path_factory.mktemp("registry"))
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(name)


def test_there_are_cases_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) > 550
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


def test_every_form_is_among_them() -> None:
    names = {case.name for case in CASES}
    for line in FORMS.strip().splitlines():
        form, _, wanted = line.partition(": ")
        start, *ends = wanted.split()
        assert {start + end for end in ends} - names == set(), form


def test_no_case_is_a_defect_of_ours(nights: Nights) -> None:
    assert nights.errors == []
    assert nights.outcomes.keys() == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_it_has_a_verdict_and_a_reason_after_a_bounded_number_of_requests(nights: Nights, case: Case) -> None:
    outcome = nights.outcomes[case.name]
    found = outcome.tonight
    assert found.verdict in case.verdicts, found
    assert found.reason or found.verdict == "proven"
    assert not case.fault or set(case.fault.split("|")) & found.faults.keys(), found.faults
    assert outcome.requests <= found.attempts <= case.most_requests, "none in silence, and none too many"


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_row_is_accounted_for(nights: Nights, case: Case) -> None:
    outcome = nights.outcomes[case.name]
    counts = outcome.tonight.counts
    assert counts.imbalances() == ()
    assert spelled(outcome.tonight_rows) == spelled(case.rows)
    if outcome.tonight_rows is None:
        assert outcome.tonight.state is State.ROLLED_BACK
        assert (outcome.staged, counts.stored) == (0, None)
        return
    assert counts.received == len(outcome.tonight_rows)
    assert counts.stored == counts.distinct
    assert set(outcome.aside) == set(case.reasons)
    assert outcome.aside["conflicting"] == counts.conflicting
    keyless = outcome.aside.total() - outcome.aside["conflicting"] - outcome.aside["repeated"]
    assert keyless == counts.quarantined


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_what_was_proven_yesterday_is_exactly_that_still(nights: Nights, case: Case) -> None:
    outcome = nights.outcomes[case.name]
    assert outcome.yesterday.verdict == "proven"
    assert outcome.yesterday_rows == YESTERDAY


def test_sound_provinces_among_them_are_published(nights: Nights) -> None:
    sound = [name for name in nights.outcomes if name.startswith("neighbour.")]
    assert len(sound) == 10
    assert {nights.outcomes[name].tonight.verdict for name in sound} == {"proven"}


def spelled(rows: object) -> str:
    """Rows as text: 1 and 1.0 differ, and so do orders of keys."""
    return repr(rows)

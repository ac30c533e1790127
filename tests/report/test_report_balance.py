from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import any_counts, balanced_counts, manifest_of

from subcmc_crawler.model import Counts, Verdict
from subcmc_crawler.report.balance import balance, store_balance
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.sentences import balance_sentence, equation

LANGS = st.sampled_from(["zh", "en"])
VERDICTS = st.none() | st.sampled_from(Verdict)
CUT_SHORT = (Verdict.INCOMPLETE, Verdict.UNREACHABLE, Verdict.REFUSED, None)


def evaluated(text: str) -> tuple[int, int]:
    """Both sides of an equation in words, worked out."""
    left, right = text.split(" = ")
    return sum_of(left), sum_of(right)


def sum_of(side: str) -> int:
    return sum(int(number.replace(",", "")) for number in re.findall(r"-?\d[\d,]*", side))


def read_back(sentence: str, lang: str) -> list[tuple[dict[str, int], dict[str, int]]]:
    """The equations of a sentence, each side as rows by the name of their term; fails on a word it does not know."""
    words = labels(lang)
    patterns = {
        key.removeprefix("term."): re.escape(text).replace(re.escape("{rows:,}"), r"(\d[\d,]*)")
        for key, text in words.texts.items()
        if key.startswith("term.")
    }

    def side(text: str) -> dict[str, int]:
        terms = {}
        for part in text.split(" + "):
            found = {name: match for name in patterns if (match := re.fullmatch(patterns[name], part))}
            assert len(found) == 1, part
            ((name, match),) = found.items()
            assert name not in terms
            terms[name] = int(match[1].replace(",", ""))
        return terms

    clauses = [re.sub(r" ?[(（].*[)）]$", "", clause) for clause in sentence.split(words["list.clause"])]
    equations = []
    for clause in clauses:
        left, right = clause.split(" = ")
        equations.append((side(left), side(right)))
    return equations


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("verdict", [None, *Verdict])
@given(counts=balanced_counts() | any_counts, first=st.none() | st.integers(0, 10**12))
def test_the_sentence_read_back_is_true_and_names_the_counts(
    counts: Counts, first: int | None, verdict: Verdict | None, lang: str
) -> None:
    counts = replace(counts, declared_first=first)
    sentence = balance_sentence(manifest_of(counts=counts, verdict=verdict), labels(lang))
    if sentence == labels(lang)["balance.nothing"]:
        assert (counts.received, counts.declared, counts.distinct) == (0, None, 0)
        return
    (left, right), *of_the_store = read_back(sentence, lang)
    assert sum(left.values()) == sum(right.values())
    for name, rows in (left | right).items():
        if name in ("declared", "received", "distinct", "repeated", "conflicting", "quarantined"):
            assert rows == getattr(counts, name)
    assert all(
        name in right or not getattr(counts, name) for name in ("repeated", "conflicting", "quarantined")
    )
    lacking = (counts.missing or 0) > 0
    assert ("missing" in right or "unfetched" in right) == lacking
    assert ("unfetched" in right) == (lacking and verdict in CUT_SHORT)
    assert left.get("surplus", 0) == max(0, -(counts.missing or 0))
    told_first = counts.declared is not None and first not in (None, counts.declared)
    assert (first is not None and f"{first:,}" in sentence) or not told_first
    for stored_left, stored_right in of_the_store:
        assert sum(stored_left.values()) == sum(stored_right.values())
        assert (stored_left["distinct"], stored_right["stored"]) == (counts.distinct, counts.stored)
    assert bool(of_the_store) == (counts.stored is not None and counts.stored != counts.distinct)


@given(any_counts, VERDICTS, LANGS)
def test_the_equation_is_true_for_any_counts_and_any_verdict(
    counts: Counts, verdict: Verdict | None, lang: str
) -> None:
    parts = balance(counts, verdict)
    assert parts.holds
    left, right = evaluated(equation(parts, labels(lang)))
    assert left == right
    stored = store_balance(counts)
    assert stored is None or stored.holds


@given(balanced_counts(), VERDICTS)
def test_counts_that_add_up_leave_nothing_unexplained(counts: Counts, verdict: Verdict | None) -> None:
    parts = balance(counts, verdict)
    assert "unexplained" not in {term.name for term in (*parts.left, *parts.right)}


@given(any_counts, VERDICTS)
def test_only_the_first_terms_may_be_zero(counts: Counts, verdict: Verdict | None) -> None:
    parts = balance(counts, verdict)
    assert all(term.rows > 0 for term in (*parts.left[1:], *parts.right[1:]))


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        (
            {"distinct": 49_987, "repeated": 25},
            Verdict.DUPLICATED,
            "50,012 declared = 49,987 distinct + 25 repeated",
        ),
        (
            {"received": 50_000, "distinct": 50_000},
            Verdict.SHORT,
            "50,012 declared = 50,000 distinct + 12 missing",
        ),
        (
            {"received": 50_020, "distinct": 50_020},
            Verdict.SURPLUS,
            "50,012 declared + 8 surplus = 50,020 distinct",
        ),
        (
            {"received": 9, "distinct": 9},
            Verdict.INCOMPLETE,
            "50,012 declared = 9 distinct + 50,003 not fetched",
        ),
        (
            {"distinct": 50_000, "conflicting": 7, "quarantined": 5},
            Verdict.DUPLICATED,
            "50,012 declared = 50,000 distinct + 7 conflicting + 5 quarantined",
        ),
        (
            {"declared": None, "declared_first": None},
            Verdict.REFUSED,
            "50,012 received = 50,012 distinct (the province declared no total)",
        ),
        (
            {"declared": 0, "declared_first": 0, "received": 0, "distinct": 0},
            Verdict.PROVEN,
            "0 declared = 0 distinct",
        ),
        (
            {"declared_first": 50_000},
            Verdict.DRIFTING,
            "50,012 declared = 50,012 distinct (50,000 declared first)",
        ),
        (
            {"stored": 50_000},
            Verdict.STORE_MISMATCH,
            "50,012 declared = 50,012 distinct; 50,012 distinct = 50,000 stored + 12 not stored",
        ),
        ({"distinct": 50_000}, Verdict.PROVEN, "50,012 declared = 50,000 distinct + 12 unexplained"),
    ],
)
def test_the_sentence(changes: dict[str, int | None], verdict: Verdict, said: str) -> None:
    whole = Counts(declared=50_012, declared_first=50_012, received=50_012, distinct=50_012)
    counts = replace(whole, **changes)  # type: ignore[arg-type]
    assert balance_sentence(manifest_of(counts=counts, verdict=verdict), labels("en")) == said


def test_the_sentence_in_chinese() -> None:
    counts = Counts(declared=50_012, declared_first=50_012, received=50_012, distinct=49_987, repeated=25)
    assert balance_sentence(manifest_of(counts=counts), labels()) == "申报 50,012 = 不重复 49,987 + 重复 25"


def test_nothing_received_is_said_and_no_equation_is_made_of_it() -> None:
    manifest = manifest_of(counts=Counts(), verdict=Verdict.UNREACHABLE)
    assert balance_sentence(manifest, labels("en")) == "nothing was received"

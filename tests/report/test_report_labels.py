from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from subcmc_crawler import report
from subcmc_crawler.model import Ending, RunStatus, State, Verdict
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.lines import width_of
from subcmc_crawler.report.night import Since, advice
from subcmc_crawler.spec.datasets import DATASETS

LANGS = sorted(CATALOGUES)
SOURCES = sorted(Path(report.__file__).parent.glob("*.py"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_every_key() -> None:
    assert set(CATALOGUES["zh"]) == set(CATALOGUES["en"])


@pytest.mark.parametrize("key", sorted(CATALOGUES["zh"]))
def test_both_languages_name_the_same_placeholders(key: str) -> None:
    assert placeholders(CATALOGUES["zh"][key]) == placeholders(CATALOGUES["en"][key])


@pytest.mark.parametrize("lang", LANGS)
def test_every_noun_of_the_model_has_a_label(lang: str) -> None:
    words = labels(lang)
    for verdict in Verdict:
        assert words[f"verdict.{verdict}"]
        assert words[advice(verdict)]
    groups = (("state", State), ("ending", Ending), ("run", RunStatus), ("since", Since))
    assert all(words[f"{group}.{member}"] for group, members in groups for member in members)


@pytest.mark.parametrize("lang", LANGS)
def test_marks_and_heads_fit_their_columns(lang: str) -> None:
    words = labels(lang)
    assert all(width_of(words[f"mark.{word}"]) <= 4 for word in [*Verdict, "pending"])
    assert all(width_of(words[f"column.{code}"]) <= 9 for code in DATASETS)
    assert all(width_of(words[f"narrow.{code}"]) <= 4 for code in DATASETS)


@pytest.mark.parametrize("lang", LANGS)
def test_marks_differ_so_that_colour_is_never_needed(lang: str) -> None:
    marks = [labels(lang)[f"mark.{word}"] for word in [*Verdict, "pending"]]
    assert len(set(marks)) == len(marks)


def test_every_key_that_the_sources_name_exists() -> None:
    written = "".join(path.read_text("utf-8") for path in SOURCES)
    named = set(re.findall(r"""words(?:\.say\(|\[)\s*["']([a-z_]+\.[a-z_-]+)["']""", written))
    assert len(named) > 50
    assert named <= set(CATALOGUES["zh"])


def test_chinese_verdicts_are_those_of_the_table_of_verdicts() -> None:
    names = [
        "未登记",
        "未完成",
        "不可达",
        "拒绝",
        "入库不符",
        "缺失",
        "多出",
        "漂移",
        "骤减",
        "重复键",
        "已修复",
        "一致",
    ]
    assert [labels()[f"verdict.{verdict}"] for verdict in Verdict] == names


def test_an_unknown_key_or_language_is_an_error_and_an_unknown_word_is_itself() -> None:
    with pytest.raises(KeyError):
        labels("zh")["no.such.key"]
    with pytest.raises(KeyError):
        labels("fr")
    assert labels("zh").word("ending", "new-kind") == "new-kind"


def test_braces_in_a_value_stay_braces() -> None:
    assert "{rows} {0}" in labels("zh").say("night.pending", pending=1, names="{rows} {0}")

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import subcmc_crawler
from subcmc_crawler.model import Ending, RunStatus, State, Verdict
from subcmc_crawler.report.labels import CATALOGUES, labels
from subcmc_crawler.report.lines import width_of
from subcmc_crawler.report.night import Since, advice
from subcmc_crawler.spec.datasets import DATASETS

LANGS = sorted(CATALOGUES)
PACKAGE = Path(subcmc_crawler.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent.name != "catalogue")
TEMPLATES = sorted(PACKAGE.rglob("*.html"))
GROUPS = {key.rpartition(".")[0] for key in CATALOGUES["zh"]}
"""What stands before the last part of a key: `verdict`, `sheet.head`."""

KEY = re.compile(r"[a-z_]+(\.[a-z0-9_:-]+)+")
FILE = re.compile(r".*\.(html|css|js|svg|json|py|toml|prom|txt)")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ASIDE = re.compile(
    r"\{[^}]*\}|[A-Z][A-Za-z_]+|[a-z]+[A-Z]\w+|(subcmc|total|code|data|null|ok|page\w*|webhook|ca_file)\b"
)
"""What both languages share: placeholders, names of fields and protocols, a mark."""


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


@cache
def literals() -> tuple[frozenset[str], frozenset[str]]:
    """Every string of the sources, and the beginning of every f-string."""
    whole, begun = set(), set()
    for path in SOURCES:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
    return frozenset(whole), frozenset(begun)


def asked_for(text: str) -> Iterator[str]:
    """The keys that `words["..."]` and `words.say("..."` name in a source or a template."""
    return (match[1] for match in re.finditer(r"""words(?:\.say\(|\[)\s*["']([^"']+)["']\s*[],)]""", text))


@pytest.mark.parametrize("path", [*SOURCES, *TEMPLATES], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_key_that_a_module_or_a_template_asks_for_exists(path: Path) -> None:
    missing = set(asked_for(path.read_text("utf-8"))) - set(CATALOGUES["zh"])
    assert not missing


def test_a_missing_key_would_be_found() -> None:
    text = """words["no.such"], words.say('no.other', n=1), {{ words["no.third"] }}, words["head." ~ name]"""
    assert list(asked_for(text)) == ["no.such", "no.other", "no.third"]
    assert sum(len(list(asked_for(path.read_text("utf-8")))) for path in [*SOURCES, *TEMPLATES]) > 150


def test_every_string_that_looks_like_a_key_is_one() -> None:
    """Keys also travel as arguments: `_titled("cell.counts", ...)`."""
    named = {text for text in literals()[0] if KEY.fullmatch(text) and not FILE.fullmatch(text)}
    alike = {text for text in named if text.rpartition(".")[0] in GROUPS}
    assert len(alike) > 100
    assert alike <= set(CATALOGUES["zh"])


def test_every_group_that_is_asked_for_by_name_exists() -> None:
    """`words.word("ending", ...)` and `words[f"state.{...}"]`."""
    sources = "".join(path.read_text("utf-8") for path in SOURCES)
    groups = set(re.findall(r"""words\.word\(\s*["']([a-z_.-]+)["']""", sources))
    groups |= set(re.findall(r"""words(?:\.say\(|\[)\s*f["']([a-z_.-]+)\.\{""", sources))
    assert len(groups) > 15
    assert groups <= GROUPS


def test_every_label_is_asked_for_somewhere() -> None:
    whole, begun = literals()
    templates = "".join(path.read_text("utf-8") for path in TEMPLATES)
    dead = []
    for key in CATALOGUES["zh"]:
        group = key.rpartition(".")[0]
        quoted = f'"{key}"' in templates or f"'{key}'" in templates
        dynamic = group in whole or any(text.startswith(f"{group}.") for text in begun)
        if not (
            key in whole or quoted or dynamic or re.search(rf"""["']{re.escape(group)}\.["']""", templates)
        ):
            dead.append(key)
    assert not dead


def test_each_language_is_written_in_itself() -> None:
    assert not [key for key, text in CATALOGUES["en"].items() if CHINESE.search(text)]
    foreign = {key: text for key, text in CATALOGUES["zh"].items() if not CHINESE.search(text)}
    assert not [key for key, text in foreign.items() if re.search(r"[A-Za-z]{2}", ASIDE.sub("", text))]


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


PLURALS = re.compile(
    r"\b1 (?:[a-z]+ )?(rows|pages|datasets|provinces|centres|runs|nights|requests|answers|keys|fields|kinds|records"
    r"|children|snapshots|versions|documents|entries|checks|warnings|addresses|totals|seams|errors|days|hours"
    r"|minutes|workers|bytes|digits|brackets|commas|are|were|have|break|carry|repeat|name|take|need|fit|say|come)\b"
)
"""A noun or a verb that does not go with one; a word may stand between."""


@pytest.mark.parametrize("key", sorted(CATALOGUES["en"]))
def test_one_of_anything_is_singular(key: str) -> None:
    values = {
        name: "x" if name in ("dataset", "field") else 1 for name in placeholders(CATALOGUES["en"][key])
    }
    told = labels("en").say(key, **values)
    assert not PLURALS.search(told)


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, " 0 rows"), (1, " 1 row"), (2, " 2 rows"), (21, " 21 rows"), (1001, " 1,001 rows")],
)
def test_a_word_is_chosen_by_its_count(count: int, told: str) -> None:
    assert labels("en").say("alert.rows", rows=count) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [("0", "0 documents"), ("1", "1 document"), ("1,001", "1,001 documents"), ("1|2", "1|2 documents")],
)
def test_a_word_is_chosen_by_a_count_that_is_printed_already(count: str, told: str) -> None:
    assert labels("en").say("capacity.need_mongodb", amount=count) == told


def test_a_sentence_may_leave_out_the_number_of_one() -> None:
    told = [labels("en").say("diff.same", datasets=count) for count in (1, 8)]
    assert told == ["The other dataset did not change.", "The other 8 datasets did not change."]

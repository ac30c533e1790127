"""The operator's guides may not lie, and say the same in both languages."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from test_readme import complaint, first_cells, section

import subcmc_crawler
from subcmc_crawler import errors
from subcmc_crawler.cli.app import app
from subcmc_crawler.model import Verdict
from subcmc_crawler.province.registry import parse
from subcmc_crawler.report.labels import CATALOGUES, labels

ROOT = Path(__file__).parents[2]
PACKAGE = Path(subcmc_crawler.__file__).parent
GUIDES = {
    "zh": (ROOT / "docs" / "operator-guide.zh-CN.md").read_text("utf-8"),
    "en": (ROOT / "docs" / "operator-guide.md").read_text("utf-8"),
}
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TITLES = {
    "verdicts": {"zh": "结论与处理", "en": "Verdicts and what to do"},
    "codes": {"zh": "退出码", "en": "Exit codes"},
    "troubles": {"zh": "故障排查", "en": "Troubleshooting"},
    "metrics": {"zh": "指标", "en": "Metrics"},
}
LINES = {"zh": ("含义", "常见原因", "处理"), "en": ("Meaning", "Usual causes", "What to do")}

both = pytest.mark.parametrize("lang", ["zh", "en"])


def headings(lang: str) -> list[tuple[int, tuple[str, ...]]]:
    """The rank of every heading and the code in it."""
    text = FENCE.sub("", GUIDES[lang])
    return [
        (len(marks), tuple(re.findall(r"`([^`]+)`", title)))
        for marks, title in re.findall(r"^(#+) (.+)$", text, re.MULTILINE)
    ]


def fences(lang: str) -> list[tuple[str, str]]:
    """The kind and the content of every block of code."""
    return [(kind, textwrap.dedent(code)) for _, kind, code in FENCE.findall(GUIDES[lang])]


def tables(lang: str) -> list[int]:
    """How many rows each table has."""
    blocks = re.findall(r"(?:^\|.*\n)+", FENCE.sub("", GUIDES[lang]), re.MULTILINE)
    return [block.count("\n") for block in blocks]


def commands(lang: str) -> Iterator[str]:
    """What stands after `subcmc` in a shell, and in the samples of the program's own output."""
    for kind, code in fences(lang):
        for line in code.replace("\\\n", " ").splitlines():
            match = re.search(r"(?:^|[\s：])subcmc (.+)", line)
            if match and kind in ("sh", "text"):
                yield re.sub(r"[（(].*|（.*", "", match[1]) if kind == "text" else match[1]


# ── Twins ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_guides_have_the_same_sections_in_the_same_order() -> None:
    assert headings("zh") == headings("en")
    assert len(headings("en")) > 25


def test_the_guides_have_the_same_blocks_and_tables() -> None:
    assert [kind for kind, _ in fences("zh")] == [kind for kind, _ in fences("en")]
    assert tables("zh") == tables("en")
    names = {lang: re.findall(rf"<!-- begin:guide-(\w+)-{lang} -->", GUIDES[lang]) for lang in GUIDES}
    assert names["zh"] == names["en"]
    assert len(names["en"]) == len(set(names["en"])) > 5


def test_the_guides_show_the_same_commands() -> None:
    told = {
        lang: [re.sub(r'"[^"]*"|--by \S+|--output \S+', "", line) for line in commands(lang)]
        for lang in GUIDES
    }
    assert told["zh"] == told["en"]


# ── What is told is so ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("line", sorted({line for lang in GUIDES for line in commands(lang)}))
def test_a_command_parses(line: str) -> None:
    assert complaint(line) is None


@both
def test_every_command_that_an_operator_uses_is_told(lang: str) -> None:
    group: Any = typer.main.get_command(app)
    told = set(re.findall(r"\bsubcmc ([a-z]+)", GUIDES[lang]))
    assert set(group.commands) - told == {"simulate", "demo"}  # for who tries the program out


@both
def test_every_verdict_is_told_in_the_order_of_its_table(lang: str) -> None:
    text = section(GUIDES[lang], TITLES["verdicts"][lang])
    told = re.findall(r"^### (.+) `([a-z-]+)`$", text, re.MULTILINE)
    assert [code for _, code in told] == list(map(str, Verdict))
    if lang == "zh":
        assert [name for name, _ in told] == [labels("zh")[f"verdict.{verdict}"] for verdict in Verdict]
    for part in text.split("\n### ")[1:]:
        assert tuple(re.findall(r"^- \*\*(.+?)\*\*", part, re.MULTILINE)) == LINES[lang], part


@both
def test_every_sample_of_a_registry_is_read(lang: str) -> None:
    blocks = [code for kind, code in fences(lang) if kind == "toml"]
    assert len(blocks) == 2
    registries = [parse(code) for code in blocks]
    assert registries[0].provinces[0].auth is not None
    assert registries[1].alerts is not None


@both
def test_exit_codes_are_those_of_the_program(lang: str) -> None:
    raised = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.SubcmcError)
    }
    told = [
        int(code) for code in first_cells(section(GUIDES[lang], TITLES["codes"][lang])) if code.isdecimal()
    ]
    assert set(told) == raised | {0, 130, 143}
    assert told == sorted(told)


@cache
def sentences() -> tuple[re.Pattern[str], ...]:
    """Every sentence that the sources can print, with what is filled in left open; parts of a line among them."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append(pattern(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.escape(node.value).replace("%s", ".+?"))
    return tuple(re.compile(text) for text in found if len(re.sub(r"\.\*\?|\.\+\?|\\", "", text)) > 20)


@cache
def labelled() -> tuple[re.Pattern[str], ...]:
    """Every label of the catalogues as a whole line."""
    texts = [text for catalogue in CATALOGUES.values() for text in catalogue.values()]
    open_ended = (re.sub(r"\\\{.*?\\\}", ".+", re.escape(text)) for text in texts)
    return tuple(re.compile(text) for text in open_ended if len(re.sub(r"\.\+|\\", "", text)) > 6)


def pattern(node: ast.JoinedStr) -> str:
    parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*?" for part in node.values)
    return "".join(parts)


def printed(message: str) -> bool:
    """Whether the message is a label filled in, or mostly a sentence of the sources."""
    if any(each.fullmatch(message) for each in labelled()):
        return True
    longest = max((len(match[0]) for each in sentences() if (match := each.search(message))), default=0)
    return longest > len(message) / 2


UNKNOWN_KEY = 'provinces.toml: defaults.page_sise: unknown key; did you mean "page_size"?'


def test_the_message_of_an_unknown_key_is_this_one() -> None:
    with pytest.raises(errors.BadConfig) as raised:
        parse('[defaults]\npage_sise = 1\n[[province]]\ncmcId = "1"\nareaCode = "1"\nname = "x"\n')
    assert raised.value.faults == (UNKNOWN_KEY,)


@both
def test_every_message_is_one_that_the_program_prints(lang: str) -> None:
    rows = section(GUIDES[lang], TITLES["troubles"][lang])
    messages = re.findall(r"^\| `([^`]+)` \|", rows, re.MULTILINE)
    assert len(messages) > 12
    assert UNKNOWN_KEY in messages
    assert not [message for message in messages if message != UNKNOWN_KEY and not printed(message)]


def test_a_message_that_nobody_prints_would_be_found() -> None:
    assert not printed("run 12 has ended: nothing can be resumed here; begin a new one")
    assert not printed("告警无法发出，请联系厂家")


@both
def test_every_metric_exists(lang: str) -> None:
    sources = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    told = set(re.findall(r"`(subcmc_\w+)`", section(GUIDES[lang], TITLES["metrics"][lang])))
    assert len(told) == 5
    for name in told:
        stem = name.removeprefix("subcmc_").removesuffix("_timestamp_seconds")
        assert name in sources or f'"{stem}"' in sources, name

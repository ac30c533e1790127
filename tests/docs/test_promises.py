"""Every promise of docs/promises.md has its figure; what it and docs/security.md name as proof is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_FILE = re.compile(r"`((?:src|deploy|\.ci)/[\w./-]+)`")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def promises() -> Iterator[list[str]]:
    """The rows of every table: promise, figure, test."""
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] not in ("promise", "---"):
            yield cells


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_has_a_figure_and_a_test() -> None:
    rows = list(promises())
    assert len(rows) >= 10
    for row in rows:
        assert len(row) == 3, row
        assert all(row), row
        assert _NAMED.search(row[2]), row


@pytest.mark.parametrize("text", [TEXT, SECURITY], ids=["promises", "security"])
def test_every_test_that_is_named_exists(text: str) -> None:
    named = {(match[1], match[2]) for match in _NAMED.finditer(text)}
    assert named
    missing = [
        (path, name)
        for path, name in sorted(named, key=str)
        if not (ROOT / path).is_file() or (name and name not in functions(ROOT / path))
    ]
    assert missing == []


def test_every_file_that_security_names_exists() -> None:
    files = {match[1] for match in _FILE.finditer(SECURITY)}
    assert len(files) > 5
    assert [file for file in files if not (ROOT / file).is_file()] == []

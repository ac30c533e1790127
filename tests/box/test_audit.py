"""What is known of the locked packages: `make audit`, and `make sbom`."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version
from test_locks import pins

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "audit.py"
FLAW = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.0"], "description": "..."}


def audited(folder: Path, shell: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The audit with a pip-audit of our own."""
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/sh\n{shell}\n", encoding="utf-8")
    program.chmod(0o700)
    command = [sys.executable, str(SCRIPT), *arguments, str(program), "some.lock"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def told(folder: Path, *vulnerabilities: object) -> str:
    """The shell of a pip-audit that knows one package."""
    package = {"name": "left-pad", "version": "1.0", "vulns": list(vulnerabilities)}
    (folder / "told.json").write_text(json.dumps({"dependencies": [package], "fixes": []}), encoding="utf-8")
    return f"cat {folder / 'told.json'}; exit {1 if vulnerabilities else 0}"


@pytest.mark.parametrize("arguments", [(), ("--unless-unreachable",)])
def test_a_vulnerability_is_fatal(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = audited(tmp_path, told(tmp_path, FLAW), *arguments)
    assert done.returncode == 1
    assert done.stderr == "some.lock: left-pad 1.0: PYSEC-2026-1, mended in 2.0\n"


@pytest.mark.parametrize("arguments", [(), ("--unless-unreachable",)])
def test_none_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = audited(tmp_path, told(tmp_path), *arguments)
    assert (done.returncode, done.stderr) == (0, "some.lock: no known vulnerability\n")


@pytest.mark.parametrize("shell", ["echo warning >&2; echo no network >&2; exit 1", "echo no network >&2"])
def test_no_answer_proves_nothing_and_stops_no_machine_without_a_network(tmp_path: Path, shell: str) -> None:
    strict, lenient = audited(tmp_path, shell), audited(tmp_path, shell, "--unless-unreachable")
    assert strict.stderr == lenient.stderr == "some.lock: not audited: no network\n"
    assert (strict.returncode, lenient.returncode) == (1, 0)


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "CVE-2026-1"])
def test_one_that_is_explained_is_not_fatal(name: str) -> None:
    script = runpy.run_path(str(SCRIPT))
    package = {"name": "left-pad", "version": "1.0", "vulns": [FLAW]}
    assert len(script["_vulnerabilities"](package)) == 1
    script["IGNORED"][name] = "never called: we use the other function; look again in 2027"
    assert script["_vulnerabilities"](package) == []


def test_every_exception_is_explained() -> None:
    ignored = runpy.run_path(str(SCRIPT))["IGNORED"]
    assert all(len(reason.split()) >= 5 for reason in ignored.values())


def test_nothing_left_out_is_taken_for_audited() -> None:
    assert '"--strict"' in SCRIPT.read_text("utf-8")


def test_the_bill_of_materials_is_the_lock_of_production(tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    bill = tmp_path / "sbom.json"
    here = Path(sys.executable).parent
    # -o: what is installed is not looked at
    command = [
        make,
        "--silent",
        "-o",
        ".venv/.ready",
        "sbom",
        f"SBOM={bill}",
        f"BIN={here}",
        "READY=.venv/.ready",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    told: dict[str, Any] = json.loads(bill.read_text("utf-8"))
    listed = {canonicalize_name(each["name"]): Version(each["version"]) for each in told["components"]}
    assert listed == pins("requirements.lock")
    assert len(listed) == len(told["components"])
    assert told["metadata"]["component"]["name"] == "subcmc-crawler"
    for each in told["components"]:
        hashes = [reference.get("hashes") for reference in each.get("externalReferences", [])]
        assert each.get("hashes") or any(hashes), each["name"]

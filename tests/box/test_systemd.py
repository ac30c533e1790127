"""deploy/systemd: units that systemd understands, hardened, and at one with the program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from subcmc_crawler.config import VARIABLES

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
ANALYZE = shutil.which("systemd-analyze")


def unit(name: str) -> dict[str, list[str]]:
    """The options of a unit with all values that they were given."""
    options: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text("utf-8").splitlines():
        option, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            options.setdefault(option, []).append(value)
    return options


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze on PATH")
def test_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        text = file.read_text("utf-8").replace("/opt/subcmc/bin/subcmc", sys.executable)
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    said = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in said.stderr.splitlines() if "subcmc" in line]
    assert (ours, said.returncode) == ([], 0), said.stderr


def test_the_timer_starts_the_service_by_the_clock_of_the_provinces() -> None:
    timer = unit("subcmc-crawl.timer")
    (calendar,) = timer["OnCalendar"]
    assert calendar.endswith(" Asia/Shanghai")
    assert timer["Persistent"] == ["yes"]
    assert timer["WantedBy"] == ["timers.target"]
    assert (FOLDER / "subcmc-crawl.service").exists()  # found by its name


def test_the_service_knows_the_exit_codes() -> None:
    service = unit("subcmc-crawl.service")
    (command,) = service["ExecStart"]
    assert command.endswith("subcmc crawl --wait")
    assert service["SuccessExitStatus"] == ["1"]
    assert service["RestartPreventExitStatus"] == ["2 78"]


def test_the_service_is_hardened_and_its_settings_are_known() -> None:
    service = unit("subcmc-crawl.service")
    assert service["User"] == ["subcmc"]
    for option in ("NoNewPrivileges", "PrivateTmp", "RestrictNamespaces", "LockPersonality"):
        assert service[option] == ["yes"], option
    assert service["ProtectSystem"] == ["strict"]
    assert service["CapabilityBoundingSet"] == [""]
    names = [value.partition("=")[0] for value in service["Environment"]]
    assert len(names) == 2
    assert set(names) <= set(VARIABLES)

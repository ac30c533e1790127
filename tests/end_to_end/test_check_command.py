"""`subcmc check` and `subcmc census` as an operator meets them, and without any MongoDB."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from shells import Shell
from subcmc_crawler.cli.app import app

NOWHERE = "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=200"
"""Whoever asks for a store gets 69."""


@pytest.fixture
def command(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command in this process, in the directory and the environment of the shell; faults are raised."""
    monkeypatch.chdir(shell.folder)
    monkeypatch.setenv("MONGODB_URI", NOWHERE)
    monkeypatch.setenv("SUBCMC_LANG", "en")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, catch_exceptions=False)

    return run


def test_check_and_census_from_one_registry(
    shell: Shell, provinces: Callable[..., int], command: Callable[..., Result]
) -> None:
    provinces("--fault", "310000/ua_user:badrows=5", "--fault", "640000/ua_user:500")
    sound = command("check", "620000")
    assert sound.exit_code == 0, sound.stderr
    (said,) = sound.stderr.splitlines()
    assert said.startswith("subcmc: 甘肃省 620000 will get at most 72 requests")
    assert "Scorecard of the pull service of 甘肃省 620000" in sound.stdout
    assert " 0 failed, " in sound.stdout
    assert "\x1b" not in sound.stdout

    (shell.folder / "token").write_text("hunter2hunter2")
    registry = shell.folder / "provinces.toml"
    secret = '[province.auth]\nkind = "basic"\nusername = "ministry"\ntoken_file = "token"\n'
    registry.write_text(registry.read_text("utf-8") + secret, encoding="utf-8")  # of the last province
    told = command("check", "澳门特别行政区", "--format", "json")
    document: dict[str, Any] = json.loads(told.stdout)
    assert (document["schema"], document["cmcId"]) == ("subcmc.check/1", "820000")
    assert told.exit_code == 1  # a simulated centre looks at no secret
    assert [each["id"] for each in document["checks"] if each["outcome"] == "fail"] == ["auth-enforced"]
    assert document["requests"]["asked"] <= document["requests"]["most"] == 72
    assert "hunter2" not in told.stdout + told.stderr

    target = shell.folder / "310000.html"
    broken = command("check", "310000", "--format", "html", "--output", str(target), "--lang", "zh")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert target.stat().st_mode & 0o777 == 0o600
    page = target.read_text("utf-8")
    assert page.index("必须整改") < page.index("全部检查项")
    assert "curl -sS -i --compressed -G -d cmcId=310000" in page

    some = ("--province", "620000", "--province", "宁夏回族自治区")
    counted = command("census", *some)
    assert counted.exit_code == 1, counted.stderr
    assert counted.stderr.count("\n") == 1
    assert "2 provinces, 18 datasets: 17 declared, 1 could not be had" in counted.stdout
    assert "HTTP 500" in counted.stdout
    few = command("census", *some[:2], "--format", "csv")
    assert few.exit_code == 0
    assert [line.split(",")[1] for line in few.stdout.splitlines()] == ['"cmcId"', '"620000"', '""']
    assert not (shell.folder / ".subcmc").exists()


def test_what_nobody_knows_is_2_and_a_bad_secret_or_registry_78(shell: Shell, registered: Path) -> None:
    unknown = shell("check", "甘肃")
    assert unknown.returncode == 2
    assert unknown.stderr.count("\n") == 1
    assert 'did you mean "甘肃省"' in unknown.stderr
    silent = shell("check", "620000", "--format", "json")
    assert silent.returncode == 1
    document = json.loads(silent.stdout)
    assert (document["score"]["fail"], document["requests"]["asked"]) == (1, 1)
    with registered.open("a", encoding="utf-8") as file:
        file.write('[province.auth]\nkind = "bearer"\ntoken_file = "no-such-file"\n')
    secret = shell("census")
    assert secret.returncode == 78
    assert "no-such-file cannot be read" in secret.stderr
    registered.write_text("x = 1", encoding="utf-8")
    assert shell("check", "620000").returncode == 78

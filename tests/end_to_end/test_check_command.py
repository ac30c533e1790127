"""`subcmc check` and `subcmc census`, in processes of their own and without any MongoDB."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shells import Shell

NOWHERE = "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=200"
"""Whoever asks for a store gets 69."""


def test_check_and_census_from_one_registry(shell: Shell, provinces: Callable[..., int]) -> None:
    provinces("--fault", "310000/ua_user:badrows=5", "--fault", "640000/ua_user:500")
    sound = shell("check", "620000", MONGODB_URI=NOWHERE)
    assert sound.returncode == 0, sound.stderr
    (said,) = sound.stderr.splitlines()
    assert said.startswith("subcmc: 甘肃省 620000 will get at most 72 requests")
    assert "Scorecard of the pull service of 甘肃省 620000" in sound.stdout
    assert " 0 failed, " in sound.stdout
    assert "\x1b" not in sound.stdout

    (shell.folder / "token").write_text("hunter2hunter2")
    registry = shell.folder / "provinces.toml"
    secret = '[province.auth]\nkind = "basic"\nusername = "ministry"\ntoken_file = "token"\n'
    registry.write_text(registry.read_text("utf-8") + secret, encoding="utf-8")  # of the last province
    told = shell("check", "澳门特别行政区", "--format", "json")
    document: dict[str, Any] = json.loads(told.stdout)
    assert (document["schema"], document["cmcId"]) == ("subcmc.check/1", "820000")
    assert told.returncode == 1  # a simulated centre looks at no secret
    assert [each["id"] for each in document["checks"] if each["outcome"] == "fail"] == ["auth-enforced"]
    assert document["requests"]["asked"] <= document["requests"]["most"] == 72
    assert "hunter2" not in told.stdout + told.stderr

    target = shell.folder / "310000.html"
    broken = shell("check", "310000", "--format", "html", "--output", str(target), "--lang", "zh")
    assert broken.returncode == 1, broken.stderr
    assert broken.stdout == ""
    assert target.stat().st_mode & 0o777 == 0o600
    page = target.read_text("utf-8")
    assert page.index("必须整改") < page.index("全部检查项")
    assert "curl -sS -i --compressed -G -d cmcId=310000" in page

    every = shell("census", MONGODB_URI=NOWHERE)
    assert every.returncode == 1, every.stderr
    assert every.stderr.count("\n") == 1
    assert "35 provinces, 315 datasets: 314 declared, 1 could not be had" in every.stdout
    assert "HTTP 500" in every.stdout
    few = shell(
        "census", "--province", "620000", "--province", "北京市", "--format", "csv", MONGODB_URI=NOWHERE
    )
    assert few.returncode == 0
    assert [line.split(",")[1] for line in few.stdout.splitlines()] == [
        '"cmcId"',
        '"110000"',
        '"620000"',
        '""',
    ]
    assert not (shell.folder / ".subcmc").exists()


def test_what_nobody_knows_is_2_and_a_bad_secret_or_registry_78(shell: Shell, registered: Path) -> None:
    unknown = shell("check", "甘肃")
    assert unknown.returncode == 2
    assert unknown.stderr.count("\n") == 1
    assert 'did you mean "甘肃省"' in unknown.stderr
    assert shell("census", "--province", "甘肃").returncode == 2
    silent = shell("check", "620000", "--format", "json")
    assert silent.returncode == 1
    document = json.loads(silent.stdout)
    assert (document["score"]["fail"], document["requests"]["asked"]) == (1, 1)
    with registered.open("a", encoding="utf-8") as file:
        file.write('[province.auth]\nkind = "bearer"\ntoken_file = "no-such-file"\n')
    for command in (("check", "620000"), ("census",)):
        done = shell(*command)
        assert done.returncode == 78
        assert "no-such-file cannot be read" in done.stderr
    registered.write_text("x = 1", encoding="utf-8")
    assert shell("check", "620000").returncode == 78

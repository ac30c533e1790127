"""Three processes, one night: one run, one report, the content of one crawl over all."""

from __future__ import annotations

import json
import re
import signal
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from shells import Shell, turn
from subcmc_crawler.cli.app import app

THREE = ("1/3", "2/3", "3/3")


def test_three_shards_started_together_store_what_one_crawl_stores(
    shell: Shell, provinces: Any, database: str
) -> None:
    provinces("--fault", "120000/pm_app:404")
    some = [
        f"--province={code}"
        for code in ("110000", "120000", "130000", "310000", "320000", "620000", "710000")
    ]
    shards = [shell.begin("crawl", "--now", *some, "--shard", shard) for shard in THREE]
    ended = [(shard.communicate(timeout=120), shard.returncode) for shard in shards]
    reports = [out for (out, _), _ in ended if out]
    assert len(reports) == 1, ended  # the last one's
    assert sum("the last one to end reports" in said for (_, said), _ in ended) == 2
    assert 1 in [code for _, code in ended]
    (run,) = json.loads(shell("runs", "--format", "json").stdout)["runs"]
    assert (run["number"], run["status"]) == (1, "finished")
    together = _cells(shell)
    assert len(together) == len(some) * 9
    assert shell("verify").returncode == 0
    shell.environment["SUBCMC_DATABASE"] = f"{database}_alone"
    try:
        assert shell("crawl", "--now", *some).returncode == 1
        assert _cells(shell) == together
    finally:
        _drop(shell)


def test_a_shard_that_is_killed_comes_back_and_the_run_ends(shell: Shell, provinces: Any) -> None:
    """Each is silent in its last province until both are frozen, so that neither can end before."""
    port = provinces("--fault", "810000:hang@1", "--fault", "820000:hang@1")
    registry = shell.folder / "provinces.toml"
    text = re.sub(r"request_timeout_seconds = .+", "request_timeout_seconds = 5", registry.read_text("utf-8"))
    registry.write_text(text, encoding="utf-8")
    two = [f"--dataset={code}" for code in ("ua_org", "ua_user")]
    killed, other = (shell.begin("crawl", "--now", *two, "--shard", f"{index}/2") for index in (1, 2))
    for shard in (killed, other):
        assert shard.stderr is not None
        shard.stderr.readline()  # its first province is through
        shard.send_signal(signal.SIGSTOP)
    turn(port, 2)
    alone, twice = shell.begin("crawl", "--now"), shell.begin("crawl", "--now", *two, "--shard", "2/2")
    for refused in (alone, twice):
        assert "another crawl is running" in refused.communicate(timeout=60)[1]
        assert refused.returncode == 75
    killed.kill()
    killed.communicate(timeout=60)
    other.send_signal(signal.SIGCONT)
    other.communicate(timeout=120)
    assert other.returncode == 0
    (run,) = json.loads(shell("runs", "--format", "json").stdout)["runs"]
    assert run["status"] == "running"  # it waits for the one that died
    _lapse(shell)
    resumed = shell("crawl", "--now", "--resume", "--shard", "1/2")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout
    (run,) = json.loads(shell("runs", "--format", "json").stdout)["runs"]
    assert (run["status"], run["summary"]) == ("finished", {"proven": 35 * 2})
    assert shell("verify").returncode == 0


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/", "/3", "a/3", "1/3/5", "-1/3", "１/3", "1/99999"])
def test_what_is_no_shard_is_told(text: str) -> None:
    told = CliRunner().invoke(app, ["crawl", "--shard", text])
    assert told.exit_code == 2
    assert 'a shard is written "2/3"' in told.output


def _lapse(shell: Shell) -> None:
    """The lease of whoever died runs out at once."""
    with MongoClient[dict[str, object]](shell.environment["MONGODB_URI"]) as client:
        leases = client[shell.environment["SUBCMC_DATABASE"]]["leases"]
        past = datetime(1970, 1, 1, tzinfo=UTC)
        leases.update_many({}, {"$set": {"members.$[].expiresAt": past, "expiresAt": past}})


def _cells(shell: Shell) -> dict[str, tuple[str, str, str]]:
    cells = json.loads(shell("report", "1", "--format", "json").stdout)["cells"]
    return {
        f"{cell['cmcId']}/{cell['dataset']}": (cell["state"], cell["verdict"], cell["digest"])
        for cell in cells
    }


def _drop(shell: Shell) -> None:
    with MongoClient[dict[str, object]](shell.environment["MONGODB_URI"]) as client:
        client.drop_database(shell.environment["SUBCMC_DATABASE"])

"""A night on the workers of a Dask scheduler, and what is left of it when one of them dies."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shells import Shell, turn
from subcmc_crawler import distributing
from subcmc_crawler.cli.app import app
from subcmc_crawler.errors import TryLater
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import get_manifest

WAIT_SECONDS = 180
CELLS = 35 * len(DATASETS)


class Cluster:
    """A scheduler and two workers, each a process that reads the registry and the environment of the shell."""

    def __init__(self, shell: Shell, port: int) -> None:
        self._shell = shell
        self.port = port  # of the provinces
        self.processes: list[subprocess.Popen[str]] = []
        self.address = self._begin(
            "scheduler", "--host", "127.0.0.1", "--port", "0", until=r"Scheduler at:\s+(tcp://\S+)"
        )
        for _ in range(2):
            self._begin(
                "worker",
                self.address,
                "--nthreads",
                "2",
                "--no-nanny",
                until=r"(Start worker at|Registered to)",
            )
        self.scheduler, *self.workers = self.processes

    def _begin(self, *arguments: str, until: str) -> str:
        log = self._shell.folder / f"{arguments[0]}-{len(self.processes)}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "distributed.cli.dask_" + arguments[0],
                    *arguments[1:],
                    "--no-dashboard",
                ],
                cwd=self._shell.folder,
                env=self._shell.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.processes.append(process)
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := re.search(until, log.read_text("utf-8"))):
            assert time.monotonic() < deadline, log.read_text("utf-8")
            assert process.poll() is None, log.read_text("utf-8")
            time.sleep(0.05)
        return found[1]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(timeout=WAIT_SECONDS)


@pytest.fixture
def cluster(shell: Shell, provinces: Any) -> Iterator[Cluster]:
    port = provinces("--fault", "*:slow=0.02", "--fault", "820000:hang@2")
    running = Cluster(shell, port)
    yield running
    running.close()


@pytest.mark.slow
async def test_a_worker_killed_in_the_middle_costs_its_centres_a_second_attempt_and_no_more(
    db: Database, shell: Shell, cluster: Cluster
) -> None:
    crawling = shell.begin("crawl", "--now", "--dask", cluster.address)
    _lines(crawling, 8)  # so many provinces are through
    cluster.workers[0].kill()
    out, said = crawling.communicate(timeout=WAIT_SECONDS)
    assert crawling.returncode == 0, said
    assert "Traceback" not in said
    assert out
    report = json.loads(shell("report", "--format", "json").stdout)
    assert report["run"]["status"] == "finished"
    assert [(cell["state"], cell["verdict"]) for cell in report["cells"]] == [("published", "proven")] * CELLS
    assert sum(cell["attempts"] > 1 for cell in report["cells"]) <= 2  # what its two threads were at
    assert shell("verify").returncode == 0
    await _assert_as_served(db, shell, report)


@pytest.mark.slow
def test_when_the_scheduler_is_killed_the_run_can_be_gone_on_with(shell: Shell, cluster: Cluster) -> None:
    turn(cluster.port, 2)  # a province is silent: the run cannot end before the scheduler is killed
    crawling = shell.begin("crawl", "--now", "--dask", cluster.address)
    _lines(crawling, 3)
    cluster.scheduler.kill()
    turn(cluster.port, 3)
    _, said = crawling.communicate(timeout=WAIT_SECONDS)
    assert crawling.returncode == 69
    assert f"the Dask scheduler at {cluster.address} is gone" in said.splitlines()[-1]
    assert "Traceback" not in said
    resumed = shell("crawl", "--now", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    report = json.loads(shell("report", "--format", "json").stdout)
    assert (report["run"]["number"], report["run"]["status"]) == (1, "finished")
    assert [(cell["state"], cell["verdict"]) for cell in report["cells"]] == [("published", "proven")] * CELLS
    assert shell("verify").returncode == 0


def test_without_the_extra_one_line_says_what_to_install(
    shell: Shell, registered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for name, value in shell.environment.items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(
        app, ["crawl", "--now", "--dask", "tcp://127.0.0.1:9", "--registry", str(registered)]
    )
    assert "pip install 'subcmc-crawler[distributed]'" in str(told.exception)


async def test_where_no_scheduler_is_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributing, "_CONNECT_SECONDS", 0.5)
    with pytest.raises(TryLater, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 \(\w+\): start one"):
        async with distributing.connected("tcp://127.0.0.1:9"):
            pytest.fail("there is none")


def test_a_mongod_of_ones_own_is_nothing_for_workers(shell: Shell, registered: Path) -> None:
    refused = shell("crawl", "--now", "--dask", "tcp://127.0.0.1:9", MONGODB_URI="")
    assert refused.returncode == 78
    assert refused.stderr.count("\n") == 1
    assert "--dask needs MONGODB_URI" in refused.stderr


def test_two_ways_to_divide_a_run_exclude_each_other(shell: Shell) -> None:
    told = CliRunner().invoke(app, ["crawl", "--shard", "1/2", "--dask", "tcp://127.0.0.1:9"])
    assert told.exit_code == 2


def _lines(crawling: subprocess.Popen[str], count: int) -> None:
    assert crawling.stderr is not None
    for _ in range(count):
        assert crawling.stderr.readline()


async def _assert_as_served(db: Database, shell: Shell, report: Any) -> None:
    """Every cell that took a second attempt, and one of each dataset, is exported as it is served."""
    registry = (shell.folder / "provinces.toml").read_text("utf-8")
    base = re.findall(r'pullAddressList = \["([^"]+)"', registry)
    port = re.search(r":(\d+)/", base[0])
    assert port is not None
    cells = [cell for cell in report["cells"] if cell["attempts"] > 1 or cell["cmcId"] == "110000"]
    assert len(cells) >= len(DATASETS)
    for cell in cells:
        code, cmc_id = cell["dataset"], cell["cmcId"]
        url = (
            f"http://127.0.0.1:{port[1]}/{cmc_id}{DATASETS[code].path}?cmcId={cmc_id}&pageNum=1&pageSize=1000"
        )
        served = await asyncio.to_thread(_served, url)
        manifest = await get_manifest(db, report["run"]["number"], cmc_id, code)
        assert [row async for row in export(db, manifest)] == served, (cmc_id, code)


def _served(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:  # noqa: S310 - our own simulator
        return json.loads(answer.read())["data"]

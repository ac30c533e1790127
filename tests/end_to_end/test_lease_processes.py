"""One crawl at a time, held against processes that are stopped by force."""

from __future__ import annotations

import json
import signal
import urllib.request
from typing import Any

from crash_world import end_leases

from patience import until
from shells import Shell, turn
from subcmc_crawler.store import Database


def test_a_crawl_frozen_past_its_lease_and_woken_publishes_nothing(shell: Shell, provinces: Any) -> None:
    # so that it cannot end before it is frozen
    port = provinces("--fault", "*:slow=0.02", "--fault", "820000:hang@1")
    shell.environment["SUBCMC_LEASE_SECONDS"] = "3"
    frozen = shell.begin("crawl", "--now")
    assert frozen.stderr is not None
    frozen.stderr.readline()  # the first province is through
    frozen.send_signal(signal.SIGSTOP)
    turn(port, 2)
    published = _published(shell)
    second = shell.when_free("crawl", "--now", SUBCMC_LEASE_SECONDS="60")
    assert second.returncode == 0, second.stderr
    frozen.send_signal(signal.SIGCONT)
    _, said = frozen.communicate(timeout=60)
    assert frozen.returncode == 69
    assert "another crawl" in said
    assert "Traceback" not in said
    assert _published(shell) == published
    runs = json.loads(shell("runs", "--format", "json").stdout)["runs"]
    assert [(run["number"], run["status"]) for run in runs] == [(2, "finished"), (1, "crashed")]
    assert shell("verify").returncode == 0


async def test_after_kill_9_in_the_middle_of_50_pages_few_are_asked_for_twice(
    db: Database, shell: Shell, provinces: Any
) -> None:
    """After half of them the province is silent until the crawl is dead: what is asked for twice is what hung."""
    port = provinces("--scale", "0.01", "--fault", "110000/ua_user:hang=4;after=25")
    registry = shell.folder / "provinces.toml"
    text = registry.read_text(encoding="utf-8").replace(
        "max_in_flight = 4", "max_in_flight = 4\npage_size = 10"
    )
    registry.write_text(text, encoding="utf-8")  # 500 users: 50 pages
    crawling = shell.begin("crawl", "--now", "--province", "110000", "--dataset", "ua_user")

    async def is_half_done() -> bool:
        assert crawling.poll() is None
        return _asked(port) >= 25 + 4 and await db["ledger"].count_documents({"kind": "page"}) >= 25

    await until(is_half_done, "25 pages in the ledger")
    crawling.kill()
    crawling.communicate(timeout=60)
    before = _asked(port)
    await end_leases(db)
    resumed = shell("crawl", "--now", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    whole = 50 + 1 + 1  # the pages, one that is empty, and the closing probe
    assert before == 25 + 4
    assert _asked(port) - whole <= 4  # max_in_flight
    report = json.loads(shell("report", "--format", "json").stdout)
    assert (report["run"]["number"], report["summary"]["proven"]) == (1, 1)
    users = shell("export", "110000/ua_user").stdout.splitlines()
    assert [json.loads(line) for line in users] == _served(port)
    assert shell("crawl", "--now", "--resume").returncode == 2  # it has finished


def _asked(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_simulator", timeout=30) as answer:
        return int(json.loads(answer.read())["requests"])


def _served(port: int) -> list[Any]:
    path = "/110000/subcmc/v1/ua/user?cmcId=110000&pageNum=1&pageSize=1000"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return list(json.loads(answer.read())["data"])


def _published(shell: Shell) -> set[tuple[str, str]]:
    cells = json.loads(shell("report", "1", "--format", "json").stdout)["cells"]
    return {(cell["cmcId"], cell["dataset"]) for cell in cells if cell["state"] == "published"}

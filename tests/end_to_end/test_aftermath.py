"""What a crawl leaves when it has ended: metrics in a file, and a digest on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from nights import ministry
from prometheus_client.parser import text_string_to_metric_families

from shells import Shell
from subcmc_crawler.cli.aftermath import Aftermath, write_whole
from subcmc_crawler.config import Settings
from subcmc_crawler.store import Database


def samples(text: str) -> dict[str, float]:
    """Name and labels -> value, of every sample."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_a_run_that_ended_badly_leaves_whole_metrics(
    db: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "subcmc.prom"
    file.write_text("what was there before", encoding="utf-8")
    async with ministry(db, "110000/ua_user:total=+3") as played:
        run = await played.night(1)
        chosen = Settings(registry=tmp_path / "provinces.toml", uri=None, metrics_file=file)
        aftermath = Aftermath(chosen=chosen, centres=played.registry)
        aftermath.check()
        await aftermath.of_run(db, run, 1)
    found = samples(file.read_text("utf-8"))
    assert found["subcmc_crawl_exit_code"] == 1
    assert found["subcmc_run_number"] == 1
    assert found["subcmc_run_clean"] == 0
    assert found["subcmc_cell_rows{cmc_id=110000,count=missing,dataset=ua_user}"] == 3
    assert file.stat().st_mode & 0o777 == 0o644  # the collector is another user
    assert names_in(tmp_path) == ["subcmc.prom"]
    assert "缺少 3" in capsys.readouterr().out


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "subcmc.prom"
    write_whole(file, b"one")
    write_whole(file, b"two")
    assert file.read_bytes() == b"two"
    file.unlink()
    file.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(file, b"three")
    assert list(tmp_path.iterdir()) == [file]


def test_a_directory_that_is_not_there_is_told_before_the_night(
    shell: Shell, registered: Path, tmp_path: Path
) -> None:
    assert registered.exists()
    done = shell("crawl", "--now", "--metrics-file", str(tmp_path / "no" / "subcmc.prom"))
    assert done.returncode == 78
    assert "the directory of the metrics file does not exist" in done.stderr


def test_a_lost_store_is_in_the_metrics_and_a_closed_window_is_not(
    shell: Shell, registered: Path, tmp_path: Path
) -> None:
    file = tmp_path / "subcmc.prom"
    away = {"MONGODB_URI": "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=200"}
    assert shell("crawl", "--now", SUBCMC_METRICS_FILE=str(file), **away).returncode == 69
    assert samples(file.read_text("utf-8"))["subcmc_crawl_exit_code"] == 69
    text = registered.read_text("utf-8").replace("[defaults]", '[defaults]\nwindow = "03:00-03:01"')
    registered.write_text(text, "utf-8")
    kept = file.read_bytes()
    assert shell("crawl", "--metrics-file", str(file)).returncode == 75
    assert file.read_bytes() == kept


@dataclass
class Hook:
    port: int = 0
    posts: list[Any] = field(default_factory=list)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """A webhook that takes everything."""
    taken = Hook()

    async def take(request: web.Request) -> web.Response:
        taken.posts.append((request.headers.get("Authorization"), await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.port = runner.addresses[0][1]
    yield taken
    await runner.cleanup()


def register_alerts(registry: Path, url: str) -> None:
    table = f'[alerts]\nwebhook_url = "{url}"\nwebhook_token_file = "token"\nlang = "zh"\n'
    text = registry.read_text("utf-8").replace("[defaults]", "[defaults]\nmax_attempts = 1")
    registry.write_text(table + text, "utf-8")
    (registry.parent / "token").write_text("t0ken-s3cret", "utf-8")


async def test_a_crawl_tells_once_and_an_operator_may_tell_again(
    shell: Shell, registered: Path, hook: Hook
) -> None:
    register_alerts(registered, f"http://127.0.0.1:{hook.port}/hook")
    crawl = await asyncio.to_thread(shell, "crawl", "--now")
    assert crawl.returncode == 1, crawl.stderr
    [(authorization, told)] = hook.posts
    assert authorization == "Bearer t0ken-s3cret"
    assert told["subject"] == "[subcmc] 甘肃 9 个数据集 不可达"
    assert told["run"]["number"] == 1
    dry = await asyncio.to_thread(shell, "alert", "--dry-run", "--format", "json", "--lang", "zh")
    assert json.loads(dry.stdout) == told
    assert (await asyncio.to_thread(shell, "alert", "1")).returncode == 0
    old = await asyncio.to_thread(shell, "status", "--max-age", "0m", "--alert", "--lang", "en")
    assert old.returncode == 1
    assert old.stdout.startswith("run 1 finished")
    (shell.folder / "token").unlink()
    failed = await asyncio.to_thread(shell, "alert", "--test")
    assert failed.returncode == 1
    assert "cannot be used" in failed.stderr
    assert [body["kind"] for _, body in hook.posts] == ["night", "night", "stale"]
    printed = "".join(each.stdout + each.stderr for each in (crawl, dry, old, failed))
    assert "t0ken-s3cret" not in printed


def test_without_alerts_the_command_says_how_to_register_them(shell: Shell, registered: Path) -> None:
    assert registered.exists()
    done = shell("alert", "--test")
    assert done.returncode == 78
    assert "there is no [alerts]; add it with webhook_url, smtp_host or both" in done.stderr

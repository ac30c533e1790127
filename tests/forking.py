"""A process that has the program loaded, and of which each command is a fork.

So a command has a directory, an environment, outputs and an exit code of its own, as any process has; what it does
not do is to import, which takes longer than what most commands do. Run as a script over a socket: for each command
come three descriptors and a line, and a line with its exit code goes back.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

END_SECONDS = 600


class Loaded:
    """The side of the tests."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._answers = line.makefile("r", encoding="ascii")

    def run(
        self, *arguments: str, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        told = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        with (
            TemporaryFile("w+b") as out,
            TemporaryFile("w+b") as said,
            Path(os.devnull).open("rb") as nothing,
        ):
            socket.send_fds(self._line, [b"!"], [nothing.fileno(), out.fileno(), said.fileno()])
            self._line.sendall(json.dumps(told).encode() + b"\n")
            code = int(self._answers.readline())
            texts = [(file.seek(0), file.read().decode())[1] for file in (out, said)]
        return subprocess.CompletedProcess(arguments, code, *texts)

    def close(self) -> None:
        self._answers.close()
        self._line.close()


@contextmanager
def loaded() -> Iterator[Loaded]:
    """The program, loaded; it ends with the block."""
    ours, theirs = socket.socketpair()
    ours.settimeout(END_SECONDS)
    command = [sys.executable, __file__, str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL) as process:
        theirs.close()
        commands = Loaded(ours)
        try:
            yield commands
        finally:
            commands.close()
            process.terminate()


def _serve(line: socket.socket) -> None:
    requests = line.makefile("r", encoding="utf-8", buffering=1)
    while True:
        begun, descriptors, _, _ = socket.recv_fds(line, 1, 3)
        if not begun:
            return
        told = json.loads(requests.readline())
        child = os.fork()
        if child == 0:
            line.close()
            _become(told, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        line.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(told: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """The command itself, in the child."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.argv = ["subcmc", *told["arguments"]]
    runpy.run_module("subcmc_crawler", run_name="__main__", alter_sys=True)
    raise AssertionError("a command ends its process")


def _load() -> None:
    package = import_module("subcmc_crawler.cli")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))

"""A Dask scheduler and workers of their own processes, for benchmarks."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster:
    """Where it is asked, and the process numbers of its workers."""

    address: str
    scheduler: int
    workers: Sequence[int]


@contextmanager
def cluster(folder: Path, workers: int, threads: int) -> Iterator[Cluster]:
    """Runs while the block does; reads the environment and the registry of `folder`."""
    with ExitStack() as stack:

        def begin(name: str, *arguments: str, until: str) -> tuple[subprocess.Popen[bytes], str]:
            log = folder / f"dask-{name}.log"
            command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]]
            with log.open("w") as file:
                process = subprocess.Popen(  # noqa: S603 - ours
                    [*command, "--no-dashboard"], cwd=folder, stdout=file, stderr=subprocess.STDOUT
                )
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
            deadline = time.monotonic() + _WAIT_SECONDS
            while not (found := re.search(until, log.read_text("utf-8"))):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(log.read_text("utf-8"))
                time.sleep(0.05)
            return process, found[1]

        scheduler, address = begin(
            "scheduler",
            *("scheduler", "--host", "127.0.0.1", "--port", "0"),
            until=r"Scheduler at:\s+(tcp://\S+)",
        )
        begun = [
            begin(
                f"worker-{number}",
                *("worker", address, "--nthreads", str(threads), "--no-nanny"),
                until=r"(Start worker at|Registered to)",
            )[0].pid
            for number in range(workers)
        ]
        yield Cluster(address, scheduler.pid, begun)

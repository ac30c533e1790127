"""One command as a whole process: wall clock, CPU, peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile


@dataclass(frozen=True)
class Spent:
    """What a process took, and what it said on standard error."""

    code: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    said: str


def spent(argv: Sequence[str], environment: Mapping[str, str]) -> Spent:
    """Runs a command to its end.

    Its peak is read from /proc while it runs: what the kernel accounts at the end counts the memory of whoever
    started it, too.
    """
    with TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own command lines
            argv, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=errors
        )
        peak, status = 0.0, Path(f"/proc/{process.pid}/status")
        while True:
            ended, code, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, _peak_mb(status))
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(code)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return Spent(process.returncode, seconds, usage.ru_utime + usage.ru_stime, peak, said)


def spent_together(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Spent:
    """Runs several commands at once, to the end of the last one; CPU and peaks are added up."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(commands)) as pool:
        each = [*pool.map(lambda argv: spent(argv, environment), commands)]
    return Spent(
        code=max(one.code for one in each),
        seconds=time.perf_counter() - began,
        cpu_seconds=sum(one.cpu_seconds for one in each),
        peak_mb=sum(one.peak_mb for one in each),
        said="".join(one.said for one in each),
    )


def _peak_mb(status: Path) -> float:
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it has just ended

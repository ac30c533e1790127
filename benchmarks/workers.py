"""How much faster two processes end a night than one, where the CPU is what they lack.

    .venv/bin/python benchmarks/workers.py [--rounds 3] [--scale 1.0] [--dask]

nginx serves pre-rendered pages of 1,000 rows, as for benchmarks/night.py, so that the centres cost nearly nothing. By
turns a night is pulled by one process and by two shards (with `--dask` by one Dask worker and by two), each into an
empty database; medians are compared. Beside the wall clock stands the CPU of everybody: two cannot be faster than the
CPU of all of them divided by the cores of the machine, which mongod and nginx share. The machine must be left alone
meanwhile.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from cluster import cluster
from night import SUBCMC, mongod, nginx, registry
from pages import SCALES, render
from pymongo import MongoClient

DATABASE, TICKS = "subcmc_workers", os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Night:
    """One night: seconds of the clock, and of the CPU for the crawl and for all others of ours."""

    seconds: float
    crawl_cpu: float
    others_cpu: float


def measure_dask(workers: int, *, file: Path, uri: str, rows: int, others: Sequence[int]) -> Night:
    """One night on so many workers; the CPU of scheduler and workers counts as that of the crawl."""
    os.environ.update(MONGODB_URI=uri, SUBCMC_DATABASE=DATABASE, SUBCMC_REGISTRY=str(file))
    with cluster(file.parent, workers, 8) as running:
        theirs = [running.scheduler, *running.workers]
        before = _cpu(theirs)
        night = measure(
            1,
            file=file,
            uri=uri,
            rows=rows,
            others=others,
            more=("--dask", running.address),
        )
        spent = _cpu(theirs) - before
    sys.stderr.write(f"coordinator {night.crawl_cpu:.2f} s, scheduler and workers {spent:.2f} s\n")
    return replace(night, crawl_cpu=night.crawl_cpu + spent)


def measure(
    shards: int, *, file: Path, uri: str, rows: int, others: Sequence[int], more: Sequence[str] = ()
) -> Night:
    """One night in so many processes; SystemExit when a row is missing."""
    environment = {**os.environ, "MONGODB_URI": uri, "SUBCMC_DATABASE": DATABASE}
    with MongoClient[dict[str, object]](uri) as client:
        client.drop_database(DATABASE)
        before, spent, began = _cpu(others), os.times(), time.monotonic()
        crawls = [
            subprocess.Popen(  # noqa: S603 - our own command line
                [
                    *(str(SUBCMC), "crawl", "--now", "--registry", str(file), *more),
                    *([] if shards == 1 else ["--shard", f"{index}/{shards}"]),
                ],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for index in range(1, shards + 1)
        ]
        codes = [each.wait() for each in crawls]
        seconds, now = time.monotonic() - began, os.times()
        held = sum(client[DATABASE][code].count_documents({}) for code in SCALES)
    if any(codes) or held != rows:
        raise SystemExit(f"exit codes {codes}, {held} of {rows} rows")
    crawl = now.children_user + now.children_system - spent.children_user - spent.children_system
    return Night(seconds, crawl, _cpu(others) - before)


def _cpu(processes: Sequence[int]) -> float:
    """CPU seconds of processes so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split() for pid in processes]
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS


def _servers(names: Sequence[str]) -> list[int]:
    """The mongod and nginx processes that descend from this one."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text("utf-8").partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name in names and os.getpgid(int(stat.parent.name)) and _ours(int(stat.parent.name), rest):
            found.append(int(stat.parent.name))
    return found


def _ours(pid: int, rest: str) -> bool:
    """Whether this process is an ancestor; mongod of `local_mongod` leads a session of its own and has our parent."""
    parent = int(rest.split()[1])
    while parent > 1:
        if parent == os.getpid():
            return True
        parent = int(Path(f"/proc/{parent}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    return str(DATABASE) in Path(f"/proc/{pid}/cmdline").read_text("utf-8")


def main() -> None:
    """Measures by turns, and says what came of it."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--scale", type=float, default=1.0, help="1.0: 440,000 rows")
    options.add_argument("--dask", action="store_true", help="workers of Dask in the place of shards")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix=f"{DATABASE}-") as name:
        folder = Path(name)
        rows = sum(render(folder / "pages", given.scale, nights=(1,))["1"].values())
        file = registry(folder, 1)
        (folder / "nginx").mkdir()
        nights: dict[int, list[Night]] = {1: [], 2: []}
        with nginx(folder / "pages", folder / "nginx"), mongod(folder / "mongod") as uri:
            others = _servers(("mongod", "nginx"))
            for _ in range(given.rounds):
                for shards, found in nights.items():
                    night = measure_dask if given.dask else measure
                    found.append(night(shards, file=file, uri=uri, rows=rows, others=others))
                    last = found[-1]
                    sys.stderr.write(
                        f"{shards} at work: {last.seconds:.2f} s, CPU {last.crawl_cpu:.2f} s of the crawl, "
                        f"{last.others_cpu:.2f} s of {len(others)} servers\n"
                    )
    one, two = (median(each.seconds for each in nights[shards]) for shards in (1, 2))
    both = median(each.crawl_cpu + each.others_cpu for each in nights[2])
    cores = len(os.sched_getaffinity(0))
    sys.stdout.write(
        f"{rows:,} rows: one process {one:.2f} s, two {two:.2f} s: {one / two:.2f} times faster\n"
        f"CPU of everybody with two {both:.2f} s on {cores} cores: not below {both / cores:.2f} s, "
        f"at most {one / (both / cores):.2f} times faster here\n"
    )


if __name__ == "__main__":
    main()

"""A night of 1,000 small centres in one process, and what the capacity model had forecast of it.

    .venv/bin/python benchmarks/centres.py [--centres 1000] [--first 50] [--shards 1] [--dask 0] [--slots 32]

The simulator serves about 221 rows a centre over nine datasets from a process of its own; mongod is another one. A
first run over few centres is what the forecast rests on, then comes the whole night. Printed: wall clock, CPU, peak
memory and open files of the crawl, each against its limit or the forecast; the times of the report and of the
dashboard's pages. With `--dask N` the night is pulled by so many Dask workers of 8 threads, and the crawl measured is
the coordinator alone.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cluster import cluster

from subcmc_crawler.capacity import Forecast, Wanted, forecast, measure
from subcmc_crawler.model import RunRecord
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.store import local_mongod, open_store
from subcmc_crawler.store.runs import get_run, manifests_of, measured_runs

DATABASE, SCALE, ROUNDS = "subcmc_centres", 0.002, 10
SUBCMC = Path(sys.executable).with_name("subcmc")
DEFAULTS = """
requests_per_second = 0
max_in_flight = 4
max_provinces = {slots}
"""


@dataclass
class Crawled:
    """A crawl as the kernel saw it; with shards the sum of their CPU, and the largest of the rest."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    most_files: int
    last_files: int


def codes(count: int) -> Sequence[str]:
    """CmcIds that look like area codes."""
    return [f"{100_000 + number}" for number in range(count)]


async def serve(count: int, slots: int) -> None:
    """The simulator, until standard input ends; prints the registry as JSON."""
    centres = [Centre(code, f"C{code}", scale=SCALE) for code in codes(count)]
    async with Simulator(centres) as simulator:
        registry = simulator.registry(defaults=DEFAULTS.format(slots=slots))
        sys.stdout.write(json.dumps({"registry": registry}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def simulated(count: int, slots: int, folder: Path) -> Iterator[None]:
    """Centres in a process of their own; their registry is in the folder."""
    command = [sys.executable, __file__, "--serve", "--centres", str(count), "--slots", str(slots)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("no pipes")
        told = json.loads(process.stdout.readline())
        (folder / "provinces.toml").write_text(told["registry"], encoding="utf-8")
        yield
        process.stdin.close()
        process.wait(timeout=30)


def crawl(folder: Path, shards: int, *arguments: str) -> Crawled:
    """One night; files are counted four times a second."""
    parts = [["--shard", f"{index}/{shards}"] if shards > 1 else [] for index in range(1, shards + 1)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    crawls = [
        subprocess.Popen(  # noqa: S603 - ours
            [str(SUBCMC), "crawl", "--now", *arguments, *part],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for part in parts
    ]
    counts, peak = [0], 0.0
    while any(crawl.poll() is None for crawl in crawls):
        for each in crawls:
            files, megabytes = _looked_at(each.pid)
            peak = max(peak, megabytes)
            if files:
                counts.append(files)
        time.sleep(0.25)
    seconds = time.monotonic() - began
    if any(each.returncode for each in crawls):
        raise RuntimeError(f"a crawl ended with {[each.returncode for each in crawls]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Crawled(seconds, cpu, peak, max(counts), counts[-1])


def _looked_at(pid: int) -> tuple[int, float]:
    """Open files and peak memory in megabytes of a process; zeros when it is gone."""
    try:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0, 0.0
    peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return files, int(peak.split()[1]) / 1024


async def looked_up(uri: str, wanted: Wanted) -> tuple[RunRecord, int, Forecast]:
    """The last run, its rows, and the forecast that the runs so far give."""
    async with open_store(uri, database=DATABASE) as db:
        run = await get_run(db)
        rows = sum(cell.counts.received for cell in await manifests_of(db, run.number))
        runs = [(each.number, each.cpu_seconds, cells) for each, cells in await measured_runs(db)]
        return run, rows, forecast(measure(runs), wanted)


def timed_report(folder: Path) -> float:
    """Seconds of `subcmc report`, as a process."""
    began = time.monotonic()
    subprocess.run([str(SUBCMC), "report"], cwd=folder, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - ours
    return time.monotonic() - began


def timed_pages(folder: Path, paths: Sequence[str]) -> dict[str, float]:
    """Median milliseconds of pages of the dashboard."""
    command = [str(SUBCMC), "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        if process.stdout is None:
            raise RuntimeError("no pipe")
        port = int(process.stdout.readline().rpartition(":")[2].strip(" /\n"))
        found = {}
        for path in paths:
            took = []
            for _ in range(ROUNDS + 1):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                began = time.monotonic()
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                took.append(1000 * (time.monotonic() - began))
                if answer.status != 200:
                    raise RuntimeError(f"{path}: HTTP {answer.status}")
            found[path] = median(took[1:])
        process.terminate()
    return found


def say(name: str, value: str) -> None:
    """One line of the result."""
    sys.stdout.write(f"{name:44} {value}\n")
    sys.stdout.flush()


def main() -> None:
    """Measures, and prints as it goes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--centres", type=int, default=1000)
    parser.add_argument("--first", type=int, default=50)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--dask", type=int, default=0, metavar="WORKERS")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.centres, chosen.slots))
        return
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own inside
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        (folder / "mongod").mkdir()
        with local_mongod(folder / "mongod") as uri, simulated(chosen.centres, chosen.slots, folder):
            os.environ.update(MONGODB_URI=uri, SUBCMC_DATABASE=DATABASE, SUBCMC_LANG="en")
            os.environ.pop("SUBCMC_REGISTRY", None)
            few = [f"--province={code}" for code in codes(chosen.first)]
            crawl(folder, 1, *few)
            first, rows, _ = asyncio.run(looked_up(uri, _wanted(chosen, 1)))
            _, _, told = asyncio.run(looked_up(uri, _wanted(chosen, rows // chosen.first)))
            say("first run: centres, rows, CPU s", f"{chosen.first}, {rows}, {first.cpu_seconds:.2f}")
            with cluster(folder, chosen.dask, 8) if chosen.dask else nullcontext() as workers:
                night = crawl(folder, chosen.shards, *(["--dask", workers.address] if workers else []))
            run, rows, _ = asyncio.run(looked_up(uri, _wanted(chosen, 1)))
            say("the night: centres, rows", f"{chosen.centres}, {rows} (forecast {told.rows})")
            say(
                "wall clock s", f"{night.seconds:.1f} (forecast {told.seconds:.1f}, by {told.first.resource})"
            )
            say("CPU s of the run, as recorded", f"{run.cpu_seconds:.1f} (forecast {told.cpu_seconds:.1f})")
            say("CPU s of the processes, with their start", f"{night.cpu_seconds:.1f}")
            say(
                "peak memory MB",
                f"{night.peak_megabytes:.0f} (forecast {told.worker_megabytes:.0f}, limit 300)",
            )
            say("open files, at most and at the end", f"{night.most_files}, {night.last_files}")
            say("subcmc report s, as a process", f"{timed_report(folder):.2f}")
            for path, milliseconds in timed_pages(
                folder, ["/", "/runs/2", "/runs/2?page=1", "/live", "/windows", "/metrics"]
            ).items():
                say(f"dashboard {path} ms", f"{milliseconds:.0f}")


def _wanted(chosen: argparse.Namespace, rows: int) -> Wanted:
    return Wanted(
        centres=chosen.centres,
        rows=rows,
        window_seconds=4.5 * 3600,
        max_provinces=chosen.slots,
        workers=chosen.shards,
    )


if __name__ == "__main__":
    main()

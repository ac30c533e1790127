"""subcmc-crawler against its peers and against the floor, in one run over the same pages; `make bench`.

    .venv/bin/python benchmarks/night.py [--quick] [--rounds 3] [--only NAME ...] [--results FILE]

nginx serves pre-rendered pages (benchmarks/pages.py), one mongod takes what everybody writes, each into a database of
its own that is dropped first. Every measurement is a whole process: wall clock from its start to its end, CPU, and
peak memory. The rows that arrived are counted each time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from measured import spent_together
from pages import PROVINCES, SCALES, render
from pymongo import MongoClient

from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import local_mongod

HERE: Final = Path(__file__).parent
PEERS: Final = HERE / ".peers"
PORT: Final = 18_765
SUBCMC: Final = Path(sys.executable).with_name("subcmc")

_NGINX: Final = """
%s
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log crit;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
  server {
    listen 127.0.0.1:%d;
    root %s;
    default_type application/json;
    location ~ ^/(?<dataset>night[0-9]+/[0-9]+/subcmc/.+)$ { try_files /$dataset/$arg_pageNum.json =404; }
  }
}
"""


@dataclass(frozen=True)
class Contender:
    """One program to measure; `night` says which pages it is given, `after` who must have filled its database."""

    name: str
    title: str
    argv: tuple[str, ...]
    night: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    keeps: bool = False  # the database of the one before: a second night
    shards: int = 1  # processes that share the night


@dataclass(frozen=True)
class Measured:
    """One run of one contender."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def contenders(registries: Mapping[int, Path]) -> tuple[Contender, ...]:
    """Everybody, in the order in which a round measures them."""
    python = str(PEERS / "bin" / "python")

    def crawl(night: int) -> tuple[str, ...]:
        return (str(SUBCMC), "crawl", "--now", "--registry", str(registries[night]))

    def peer(file: str) -> tuple[str, ...]:
        return (python, str(HERE / "peers" / file))

    def nights(suffix: str, title: str, **how: Any) -> tuple[Contender, Contender]:
        return (
            Contender(f"night1{suffix}", f"subcmc night 1{title}", crawl(1), **how),
            Contender(
                f"night2{suffix}",
                f"subcmc night 2, 1 % changed{title}",
                crawl(2),
                night=2,
                keeps=True,
                **how,
            ),
        )

    def bounds(suffix: str, title: str, **how: Any) -> tuple[Contender, Contender]:
        bound = (sys.executable, str(HERE / "peers" / "bound.py"))
        told = f"the bound of night 1{title}: reading, checking, hashing, writing, no more"
        compared = f"the bound of night 2{title}: the same, compared to night 1"
        return (
            Contender(f"bound-night1{suffix}", told, (*bound, "1"), **how),
            Contender(f"bound-night2{suffix}", compared, (*bound, "2"), night=2, keeps=True, **how),
        )

    return (
        *nights("", ""),
        *nights("-pymongo", ", with `SUBCMC_DRIVER=pymongo`", env={"SUBCMC_DRIVER": "pymongo"}),
        *nights("-shards", ", in two processes (`--shard`)", shards=2),
        *bounds("", ""),
        *bounds("-shards", ", in two processes", shards=2),
        Contender("floor", "the floor: bare asyncio loop, insert_many, no checks", peer("floor.py")),
        Contender("sequential", "requests + pymongo, sequential, no checks", peer("sequential.py")),
        Contender(
            "scrapy-page", "Scrapy, one item a page", peer("scrapy_rows.py"), env={"BENCH_ITEM": "page"}
        ),
        Contender("scrapy-row", "Scrapy, one item a row", peer("scrapy_rows.py"), env={"BENCH_ITEM": "row"}),
        Contender("dlt", "dlt rest_api + custom destination", peer("dlt_pages.py")),
    )


@contextmanager
def nginx(root: Path, folder: Path) -> Iterator[str]:
    """Serves the pages; gives the base of their addresses."""
    user = "user root;" if os.geteuid() == 0 else ""  # its worker must be able to read our files
    (folder / "nginx.conf").write_text(_NGINX % (user, PORT, root))
    argv = [shutil.which("nginx") or "nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    running = subprocess.Popen(argv)  # noqa: S603 - our own command line
    try:
        time.sleep(0.5)
        if running.poll() is not None:
            raise SystemExit("nginx did not start: is port 18765 free?")
        yield f"http://127.0.0.1:{PORT}"
    finally:
        running.terminate()
        running.wait()


@contextmanager
def mongod(folder: Path) -> Iterator[str]:
    """A mongod with the cache that MongoDB gives itself, half of the memory less 1 GB; gives its URI.

    The one that the program starts for a first look has 0.5 GB, which no centre would give to its own.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cache = max(256 * 2**20, (memory - 2**30) // 2)
    with local_mongod(folder) as uri:
        with MongoClient[dict[str, object]](uri) as client:
            client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={cache}")
        yield uri


def registry(
    folder: Path,
    night: int,
    *,
    provinces: Mapping[str, str] = PROVINCES,
    codes: Collection[str] = tuple(SCALES),
) -> Path:
    """The registry of this product for the pages of one night."""
    off = "\n".join(f"{code} = false" for code in DATASETS if code not in codes)
    lines = [
        '[defaults]\nscheme = "http"\nrequests_per_second = 0\nmax_in_flight = 2\n',
        "max_provinces = 8\npage_size = 1000\n",
    ]
    lines += [
        f'[[province]]\ncmcId = "{cmc_id}"\nareaCode = "{cmc_id}"\nname = "{name}"\n'
        f'pullAddressList = ["127.0.0.1:{PORT}/night{night}/{cmc_id}"]\n[province.datasets]\n{off}\n'
        for cmc_id, name in provinces.items()
    ]
    file = folder / f"night{night}.toml"
    file.write_text("\n".join(lines))
    return file


def measure(
    contender: Contender, *, base: str, uri: str, counts: Mapping[str, Mapping[str, int]]
) -> Measured:
    """One run, on a database of its own; SystemExit when a row is missing."""
    database = "bench"
    client: MongoClient[dict[str, object]] = MongoClient(uri)
    if not contender.keeps:
        client.drop_database(database)
    client.admin.command("fsync")  # what the one before left to be written is not this one's to wait for
    expected = counts[str(contender.night)]
    environment = {
        "BENCH_BASE": f"{base}/night{contender.night}",
        "BENCH_PROVINCES": json.dumps(list(PROVINCES)),
        "BENCH_URI": uri,
        "BENCH_DATABASE": database,
        "MONGODB_URI": uri,
        "SUBCMC_DATABASE": database,
        **{f"BENCH_PAGES_{code}": str(_pages(expected, code)) for code in SCALES},
        **contender.env,
    }
    shards = contender.shards
    commands = [
        (*contender.argv, *(("--shard", f"{index}/{shards}") if shards > 1 else ()))
        for index in range(1, shards + 1)
    ]
    done = spent_together(commands, environment)
    held = sum(
        client[database][code].count_documents({"to": 2**63 - 1} if "night" in contender.name else {})
        for code in SCALES
    )
    if done.code or held != sum(expected.values()):
        sys.stderr.write(done.said[-4000:])
        raise SystemExit(f"{contender.name}: exit {done.code}, {held} of {sum(expected.values())} rows")
    return Measured(held, done.seconds, done.cpu_seconds, done.peak_mb)


def _pages(expected: Mapping[str, int], code: str) -> int:
    return max(-(-rows // 1000) for name, rows in expected.items() if name.endswith(f"/{code}"))


def medians(rounds: Sequence[Measured]) -> Measured:
    """The middle of each figure."""
    return Measured(
        rounds[0].rows,
        statistics.median(each.seconds for each in rounds),
        statistics.median(each.cpu_seconds for each in rounds),
        statistics.median(each.peak_mb for each in rounds),
    )


def table(found: Mapping[str, Measured], titles: Mapping[str, str]) -> str:
    """The results as Markdown."""
    floor = found["floor"].rate if "floor" in found else None
    lines = [
        "| who | rows a second | × the floor | client CPU s | peak memory MB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, each in found.items():
        ratio = f"{each.rate / floor:.2f}" if floor else "-"
        lines.append(
            f"| {titles[name]} | {each.rate:,.0f} | {ratio} | {each.cpu_seconds:.1f} | {each.peak_mb:.0f} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """A line about where this was measured."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return f"{date.today()}, {os.cpu_count()} × {model}, Python {platform.python_version()}"  # noqa: DTZ011 - a label


def main() -> None:
    """Measures everybody in turn and prints the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3, help="of each; the table has the medians")
    options.add_argument("--scale", type=float, default=1.0, help="1.0: 440,000 rows")
    options.add_argument("--only", nargs="*", default=[], metavar="NAME")
    options.add_argument("--quick", action="store_true", help="one round of the nights and the floor")
    options.add_argument("--results", type=Path, help="write the table there")
    given = options.parse_args()
    only = given.only or (["night1", "night2", "floor"] if given.quick else [])
    with tempfile.TemporaryDirectory(prefix="subcmc-bench-") as name:
        folder = Path(name)
        counts = render(folder / "pages", given.scale)
        everybody = contenders({night: registry(folder, night) for night in (1, 2)})
        chosen = [each for each in everybody if not only or each.name in only]
        runs: dict[str, list[Measured]] = {each.name: [] for each in chosen}
        (folder / "nginx").mkdir()
        with nginx(folder / "pages", folder / "nginx") as base, mongod(folder / "mongod") as uri:
            for number in range(given.rounds):
                for each in chosen:
                    one = measure(each, base=base, uri=uri, counts=counts)
                    runs[each.name].append(one)
                    sys.stderr.write(
                        f"round {number + 1} {each.name:<12} {one.rate:>9,.0f} rows/s {one.seconds:6.2f} s "
                        f"CPU {one.cpu_seconds:5.2f} s {one.peak_mb:4.0f} MB\n"
                    )
    titles = {each.name: each.title for each in chosen}
    told = f"{machine()}; medians of {given.rounds}.\n\n{table({k: medians(v) for k, v in runs.items()}, titles)}\n"
    sys.stdout.write(told)
    if given.results:
        given.results.write_text(told)


if __name__ == "__main__":
    main()

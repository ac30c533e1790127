"""How cost grows: with rows, with provinces, with nights; what memory a row takes; how fast a snapshot is read.

    .venv/bin/python benchmarks/growth.py [--only PART ...]

Parts: rows, provinces, memory, nights, reads, start. CPU and peak memory are those of the whole
process; pages come from nginx as in benchmarks/night.py.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from measured import Spent, spent
from night import SUBCMC, nginx, registry
from pages import PROVINCES, SCALES, render
from pymongo import MongoClient

from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import local_mongod

DATABASE: Final = "growth"
COUNTRY: Final = {f"{number}0000": f"第{number}省" for number in range(11, 46)}
NIGHTS: Final = 30


def run(argv: Sequence[str], uri: str) -> Spent:
    """Runs a command of ours to its end; SystemExit when it fails."""
    done = spent(argv, {"MONGODB_URI": uri, "SUBCMC_DATABASE": DATABASE})
    if done.code not in (0, 1):
        raise SystemExit(f"{' '.join(argv)}: exit {done.code}\n{done.said[-2000:]}")
    return done


class Place:
    """Pages, an nginx and a mongod to play with."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._pages = folder / "pages"
        self._folder = folder
        self.uri = uri

    def crawl(
        self,
        *,
        provinces: Mapping[str, str] = PROVINCES,
        scales: Mapping[str, float] = SCALES,
        scale: float = 1.0,
        nights: Sequence[int] = (1,),
    ) -> Spent:
        """The last of some nights in a new database."""
        client: MongoClient[dict[str, object]] = MongoClient(self.uri)
        client.drop_database(DATABASE)
        for night in nights:
            render(self._pages, scale, provinces=provinces, scales=scales, nights=[night])
            where = registry(self._folder, night, provinces=provinces, codes=tuple(scales))
            last = run([str(SUBCMC), "crawl", "--now", "--registry", str(where)], self.uri)
            shutil.rmtree(self._pages / f"night{night}")
        return last

    def stored_bytes(self) -> dict[str, int]:
        """Bytes of versions and of the ledger: of documents and indexes, of files, and of files less what is free."""
        client: MongoClient[dict[str, object]] = MongoClient(self.uri)
        client.admin.command("fsync")
        sizes = {"data": 0, "disk": 0, "disk in use": 0}
        for name in (*DATASETS, "ledger"):
            found = client[DATABASE].command("collStats", name, indexDetails=True)
            sizes["data"] += found["size"] + found["totalIndexSize"]
            sizes["disk"] += found["totalSize"]
            files = [found["wiredTiger"], *found["indexDetails"].values()]
            free = sum(each["block-manager"]["file bytes available for reuse"] for each in files)
            sizes["disk in use"] += found["totalSize"] - free
        return sizes


def rows(place: Place) -> None:
    """Ten times the rows."""
    small, large = place.crawl(scale=0.1), place.crawl()
    told("44,000 rows", f"{small.cpu_seconds:.2f} s of CPU, {small.peak_mb:.0f} MB")
    told("440,000 rows", f"{large.cpu_seconds:.2f} s of CPU, {large.peak_mb:.0f} MB")
    told("ratio of CPU, goal 10.5 at most", f"{large.cpu_seconds / small.cpu_seconds:.2f}")


def provinces(place: Place) -> None:
    """The same rows of 35 provinces and of four."""
    few = place.crawl()
    many = place.crawl(provinces=COUNTRY, scale=12_500 / 110_000)
    told("4 provinces of 110,000 rows", f"{few.cpu_seconds:.2f} s of CPU, {few.peak_mb:.0f} MB")
    told("35 provinces of 12,500 rows", f"{many.cpu_seconds:.2f} s of CPU, {many.peak_mb:.0f} MB")
    told("ratio of CPU, goal 1.1 at most", f"{many.cpu_seconds / few.cpu_seconds:.2f}")


def memory(place: Place) -> None:
    """One dataset of one province, ten times larger."""
    one = {"620000": PROVINCES["620000"]}
    small, large = (place.crawl(provinces=one, scales={"mdm_device": scale}) for scale in (1.0, 10.0))
    told("50,000 rows, peak", f"{small.peak_mb:.0f} MB")
    told("500,000 rows, peak", f"{large.peak_mb:.0f} MB")
    told("bytes a row more, goal 100 at most", f"{(large.peak_mb - small.peak_mb) * 2**20 / 450_000:.0f}")


def nights(place: Place) -> None:
    """Thirty nights with 1 % of the rows changed; a tenth of the rows, for the rendering's sake."""
    place.crawl(scale=0.1)
    first = place.stored_bytes()
    place.crawl(scale=0.1, nights=range(1, NIGHTS + 1))
    last = place.stored_bytes()
    for what, size in first.items():
        told(f"{what} after a night, and after {NIGHTS}", f"{size / 1e6:.1f} and {last[what] / 1e6:.1f} MB")
        told("ratio, goal 1.5 at most", f"{last[what] / size:.2f}")


def reads(place: Place) -> None:
    """An export of 50,000 rows as of the first night, with a second one stored."""
    place.crawl(provinces={"620000": PROVINCES["620000"]}, nights=(1, 2))
    argv = [str(SUBCMC), "export", "620000/mdm_device", "--run", "1"]
    found = [run(argv, place.uri) for _ in range(5)]
    start = statistics.median(run([str(SUBCMC), "runs"], place.uri).seconds for _ in range(5))
    seconds = statistics.median(each.seconds for each in found)
    told("export of 50,000 rows, whole command", f"{seconds:.2f} s, {50_000 / seconds:,.0f} rows a second")
    told(f"without the {start:.2f} s of `subcmc runs`", f"{50_000 / (seconds - start):,.0f} rows a second")


def start(place: Place) -> None:
    """How long `subcmc --help` takes."""
    found = [run([str(SUBCMC), "--help"], place.uri) for _ in range(21)]
    told(
        "subcmc --help, goal 150 ms at most",
        f"{statistics.median(each.seconds for each in found) * 1000:.0f} ms",
    )


PARTS: Final[Mapping[str, Callable[[Place], None]]] = {
    each.__name__: each for each in (start, rows, provinces, memory, reads, nights)
}


def told(what: str, figure: str) -> None:
    """A line."""
    sys.stdout.write(f"{what:<46}{figure}\n")
    sys.stdout.flush()


def main() -> None:
    """Measures each part in turn."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="subcmc-growth-") as name:
        folder = Path(name)
        (folder / "nginx").mkdir()
        with nginx(folder / "pages", folder / "nginx"), local_mongod(folder / "mongod") as uri:
            for part in given.only:
                sys.stdout.write(f"# {PARTS[part].__doc__}\n")
                PARTS[part](Place(folder, uri))


if __name__ == "__main__":
    main()

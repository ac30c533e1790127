"""What `make soak` runs: hundreds of kills and sixty nights, with a table of figures.

It takes about a quarter of an hour.

python tests/faults/soak.py [--kills 200] [--mongod-kills 50] [--nights 60] [--seed 1]
"""

# ruff: noqa: T201 - a program, and this is its output

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from crash_world import Figures, world
from long_life import Life, live
from own_mongod import own_mongod

_WORLDS = 3  # side by side: most of the time each waits for the lease of the dead to expire
_KEEP = 7
_TENTH = 9  # the tenth morning; by then everything is loaded that ever will be


def main() -> int:
    """The figures on standard output; 1 when something did not hold."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--kills", type=int, default=200)
    wanted.add_argument("--mongod-kills", type=int, default=50)
    wanted.add_argument("--nights", type=int, default=60)
    wanted.add_argument("--seed", type=int, default=1)
    given = wanted.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which takes the mongod along
    faults: list[str] = []
    with TemporaryDirectory(prefix="subcmc-soak-") as folder:
        if given.kills:
            faults += _told(
                "the crawler killed", asyncio.run(_crawlers(Path(folder), given.kills, given.seed))
            )
        if given.mongod_kills:
            faults += _told(
                "MongoDB killed", asyncio.run(_mongods(Path(folder), given.mongod_kills, given.seed))
            )
        if given.nights:
            faults += _lived(asyncio.run(_nights(Path(folder), given.nights)))
    for fault in faults:
        print(f"FAULT {fault}")
    print("all held" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


async def _crawlers(folder: Path, kills: int, seed: int) -> Figures:
    together = Figures()

    async def one(number: int) -> None:
        place = folder / f"crawlers-{number}"
        async with world(mongod.uri, f"soak_{number}", place, seed * 100 + number) as ministry:
            while ministry.figures.kills < kills / _WORLDS:
                await ministry.crawler_dies()
                _progress(f"world {number}: {ministry.figures.kills} kills")
            await ministry.check_everything()
        together.add(ministry.figures)

    with own_mongod() as mongod:
        await asyncio.gather(*map(one, range(_WORLDS)))
    return together


async def _mongods(folder: Path, kills: int, seed: int) -> Figures:
    with own_mongod() as mongod:
        async with world(mongod.uri, "soak", folder / "mongods", seed * 100 + 50) as ministry:
            for number in range(kills):
                await ministry.mongod_dies(mongod)
                _progress(f"MongoDB: {number + 1} kills")
            await ministry.check_everything()
    return ministry.figures


async def _nights(folder: Path, nights: int) -> Life:
    with own_mongod() as mongod:
        return await live(mongod.uri, "soak", folder, nights=nights, keep=_KEEP, scale=0.01)


def _told(title: str, figures: Figures) -> list[str]:
    print(f"{title:<32}{figures.kills:>12,}")
    for place in sorted(figures.caught):
        print(f"  {place:<30}{figures.caught[place]:>12,}")
    for name, count in (
        ("runs", figures.runs),
        ("  of them resumed", figures.resumed),
        ("  whose lease ran out", figures.stalled),
        ("published snapshots compared", figures.snapshots),
        ("rows in them", figures.rows),
        ("faults", len(figures.faults)),
    ):
        print(f"{name:<32}{count:>12,}")
    print()
    return figures.faults


def _lived(life: Life) -> list[str]:
    tenth, last = life.mornings[min(_TENTH, len(life.mornings) - 1)], life.mornings[-1]
    growth = 100 * (last.rss / tenth.rss - 1)
    print(f"{'nights in one process':<32}{len(life.mornings):>12,}")
    print(f"{'':<32}{'tenth':>12}{'last':>12}")
    print(f"{'resident memory, MB':<32}{tenth.rss / 1e6:>12.1f}{last.rss / 1e6:>12.1f}{growth:>+8.1f} %")
    print(f"{'file descriptors':<32}{tenth.descriptors:>12}{last.descriptors:>12}")
    print(f"{'tasks':<32}{tenth.tasks:>12}{last.tasks:>12}")
    new, grown = (sum(getattr(each, name) for each in life.mornings) for name in ("new", "grown"))
    print(f"{'rows added or changed':<32}{new:>12,}")
    print(f"{'versions stored':<32}{grown:>12,}")
    print(f"{'prune --keep-runs ' + str(_KEEP):<32}{'before':>12}{'after':>12}")
    print(f"{'versions':<32}{life.versions_before:>12,}{life.versions_after:>12,}")
    print(f"{'their bytes as BSON':<32}{life.bytes_before:>12,}{life.bytes_after:>12,}")
    print(f"{'free for reuse in their files':<32}{'':>12}{life.reusable:>12,}")
    print(f"{'kept snapshots compared':<32}{life.kept:>12,}")
    print()
    faults = list(life.faults)
    if growth > 5:
        faults.append(f"memory grew by {growth:.1f} % from the tenth night to the last")
    if last.descriptors > tenth.descriptors or last.tasks > tenth.tasks:
        faults.append("file descriptors or tasks grew")
    if any(each.grown != each.new for each in life.mornings):
        faults.append("the store grew by something else than what changed")
    if life.reusable <= 0:
        faults.append("the prune gave no room back to the collections")
    return faults


def _progress(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Renders two nights of provincial pages for nginx: files that hold what the simulator's centres would answer.

    .venv/bin/python benchmarks/pages.py FOLDER [--scale 1.0]

The data set of the yardstick: 4 provinces of 50,000 devices, 50,000 users and 10,000 organisations each, in pages of
1,000 rows. Night 2 differs in 1 % of the rows: 8 of 10 are changed, 1 is added, 1 removed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS

PROVINCES: Final = {
    "620000": "甘肃省",
    "640000": "宁夏回族自治区",
    "630000": "青海省",
    "650000": "新疆维吾尔自治区",
}
SCALES: Final = {"mdm_device": 1.0, "ua_user": 1.0, "ua_org": 20 / 3}
"""Of a centre of the simulator: 50,000 devices, 50,000 users, 10,000 organisations."""

PAGE_ROWS: Final = 1000
NIGHTS: Final = (1, 2)


def render(
    folder: Path,
    scale: float,
    *,
    provinces: Mapping[str, str] = PROVINCES,
    scales: Mapping[str, float] = SCALES,
    nights: Sequence[int] = NIGHTS,
) -> dict[str, dict[str, int]]:
    """Writes `night{n}/{cmcId}{path}/{page}.json`; gives the rows by night and `cmcId/dataset`."""
    counts: dict[str, dict[str, int]] = {}
    for night in nights:
        told = counts.setdefault(str(night), {})
        for cmc_id, name in provinces.items():
            for code, full in scales.items():
                centre = Centre(cmc_id, name, scale=full * scale, change=0.01)
                told[f"{cmc_id}/{code}"] = _write(centre, code, night, folder)
    (folder / "counts.json").write_text(json.dumps(counts, indent=1))
    return counts


def _write(centre: Centre, code: str, night: int, folder: Path) -> int:
    block = centre.encoded(code, night)
    place = folder / f"night{night}" / centre.cmc_id / DATASETS[code].path.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(block), PAGE_ROWS), 1):
        rows = block.page(start, min(start + PAGE_ROWS, len(block)))
        head = b'{"code":0,"message":"ok","total":%d,"data":[' % len(block)
        (place / f"{number}.json").write_bytes(head + rows + b"]}")
    return len(block)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--scale", type=float, default=1.0)
    given = options.parse_args()
    render(given.folder, given.scale)

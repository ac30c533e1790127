"""What each step of the hot path costs a row: parse, key and hash, check, count, digest, compare, encode.

    .venv/bin/python benchmarks/rows.py [ROUNDS]

CPU of this thread alone, in microseconds a row, the best of all rounds: what a busy machine adds is left out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
from bson.raw_bson import RawBSONDocument

from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import Page, fingerprint, read
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope, parse
from subcmc_crawler.spec.records import check_page, key_of
from subcmc_crawler.store.codec import encode_version, pack

ROWS = 1000


def body_of(code: str) -> bytes:
    """A page of a simulated centre."""
    block = Centre("620000", "甘肃省", scale=1.0).encoded(code)
    return b'{"code":0,"message":"ok","total":%d,"data":[%b]}' % (len(block), block.page(0, ROWS))


def cost(step: Callable[[], Any], rounds: int) -> float:
    """Microseconds a row."""
    best = float("inf")
    for _ in range(rounds):
        began = time.thread_time()
        step()
        best = min(best, time.thread_time() - began)
    return best / ROWS * 1e6


def versions(page: Page) -> list[RawBSONDocument]:
    """The page as documents of the store."""
    return [
        encode_version(
            {
                "_id": f"620000/00000001/{key}",
                "cmcId": "620000",
                "key": key,
                "from": 1,
                "to": 2**63 - 1,
                "hash": content,
                "flags": [],
                "record": record,
            }
        )
        for key, content, record in zip(page.keys, page.hashes, page.records, strict=True)
    ]


def main(rounds: int) -> None:
    """Prints a line a step, for each of three datasets."""
    for code in ("mdm_device", "ua_user", "ua_org"):
        dataset, body = DATASETS[code], body_of(code)
        envelope: Envelope = parse(body)
        rows = envelope.rows
        page = read(dataset, envelope, "620000")
        digest = SnapshotDigest()
        steps: dict[str, Callable[[], Any]] = {
            "orjson alone": lambda body=body: orjson.loads(body),
            "parse": lambda body=body: parse(body),
            "keys": lambda dataset=dataset, rows=rows: [key_of(dataset, row) for row in rows],
            "hashes": lambda rows=rows: [fingerprint(row) for row in rows],
            "check": lambda dataset=dataset, rows=rows: check_page(dataset, rows, "620000"),
            "page (keys, hashes, check)": lambda dataset=dataset, envelope=envelope: read(
                dataset, envelope, "620000"
            ),
            "facts": page.facts,
            "count": lambda page=page: Tally().sort(page, 0),
            "encode": lambda page=page: versions(page),
            "pack keys and times": lambda page=page: (pack(page.keys), pack(page.collect_times)),
            "snapshot digest": lambda page=page, digest=digest: digest.add_all(page.keys, page.hashes),
        }
        sys.stdout.write(f"{code}, {len(body) / len(rows):.0f} bytes a row\n")
        for name, step in steps.items():
            sys.stdout.write(f"  {name:<28}{cost(step, rounds):7.2f} µs\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)

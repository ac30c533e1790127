"""`subcmc simulate` and `subcmc demo`: provincial centres on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from subcmc_crawler.cli.common import color, note, say, settings, start_logging, store
from subcmc_crawler.cli.progress import progress
from subcmc_crawler.config import Settings
from subcmc_crawler.errors import NotFound, SubcmcError
from subcmc_crawler.model import Manifest, State
from subcmc_crawler.province.registry import Registry, parse
from subcmc_crawler.report.labels import Labels, labels
from subcmc_crawler.report.night import build
from subcmc_crawler.report.text import to_text
from subcmc_crawler.run import Crawl
from subcmc_crawler.simulator.faults import DEMO_FAULTS, Fault
from subcmc_crawler.simulator.ministry import MinistryPlatform, Planted
from subcmc_crawler.simulator.nights import standard_centres
from subcmc_crawler.simulator.server import Simulator, serve
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import earlier_manifests, manifests_of

DEMO_DATABASE = "subcmc_demo"
_DEMO_DEFAULTS = """
requests_per_second = 0
max_in_flight = 4
max_attempts = 3
cool_down_seconds = 0.5
request_timeout_seconds = 10
"""
_READY_SECONDS = 30
_PUSHED_OTHERWISE = {
    "ua_user": Planted(missing=2, extra=1, changed=3, respelled=True),
    "hardware": Planted(missing=1),
    "*": Planted(respelled=True),
}


async def simulate(
    *,
    scale: float,
    seed: int,
    change: float,
    night: int,
    host: str,
    port: int,
    faults: Sequence[str],
    demo_faults: bool,
    ministry: bool,
) -> int:
    """Serves 35 centres until it is stopped; one line of JSON on standard output says where."""
    parsed = [*(DEMO_FAULTS if demo_faults else ()), *map(_fault, faults)]
    centres = standard_centres(seed=seed, scale=scale, change=change, faults=parsed)

    def ready(simulator: Simulator) -> None:
        if not sys.stdout.isatty():  # for a program that waits for the port, not for a person
            registry = simulator.registry(defaults=_DEMO_DEFAULTS, ministry="requests_per_second = 0")
            say(orjson.dumps({"port": simulator.port, "registry": registry}).decode())
        note(f"35 centres at http://{host}:{simulator.port}/<cmcId>, night {night}; stop with Ctrl-C")

    platform = MinistryPlatform(centres, planted=_PUSHED_OTHERWISE) if ministry else None
    serving = asyncio.ensure_future(
        serve(centres=centres, host=host, port=port, night=night, ministry=platform, ready=ready)
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return 0
    except OSError as error:
        raise NotFound(
            f"port {port} of {host} cannot be used: {error.strerror}; choose another with --port"
        ) from None
    return 0


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise NotFound(str(error)) from None


async def demo(*, scale: float, lang: str | None) -> int:
    """Two nights over 35 simulated centres on a local mongod, and both reports."""
    chosen = replace(
        settings(lang=lang), uri=None, database=DEMO_DATABASE
    )  # never the database of a real night
    start_logging()
    with _simulator(scale) as (port, text):
        registry = parse(text, where="the demo's registry")
        kept = chosen.data / "demo.toml"
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept.write_text(text, encoding="utf-8")
        async with store(chosen, create=True, anew=True) as db:
            for night in (1, 2):
                _turn_to(port, night)
                manifests = await _night(db, registry, chosen)
    say(_next_steps(manifests, kept, labels(chosen.lang)))
    return 0


async def _night(db: Database, registry: Registry, chosen: Settings) -> list[Manifest]:
    with progress(provinces=len(registry.provinces), datasets=len(DATASETS), lang=chosen.lang) as observer:
        run = await Crawl(
            registry,
            db,
            observer,
            folder=Path(),
            now=lambda: datetime.now(registry.timezone),
            ignore_windows=True,
        ).run()
    manifests = await manifests_of(db, run.number)
    order = [province.cmc_id for province in registry.provinces]
    report = build(run, manifests, previous=await earlier_manifests(db, run.number), order=order)
    say(to_text(report, lang=chosen.lang, color=color()))
    return manifests


@contextlib.contextmanager
def _simulator(scale: float) -> Iterator[tuple[int, str]]:
    """A simulator in a process of its own, as provinces are; gives its port and the registry of its centres."""
    command = [sys.executable, "-m", "subcmc_crawler", "simulate", "--scale", str(scale), "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--demo-faults"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise SubcmcError("the simulator did not start; try `subcmc simulate` to see why")
            told: dict[str, Any] = orjson.loads(line)
            yield told["port"], told["registry"]
        finally:
            process.terminate()


def _turn_to(port: int, night: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_simulator/night", data=orjson.dumps({"night": night}), method="POST"
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the machine has
    with direct.open(request, timeout=_READY_SECONDS):
        return


def _next_steps(manifests: list[Manifest], registry: Path, words: Labels) -> str:
    """Commands that work on what the demo has left."""
    lines = [words["demo.next"]]
    if shutil.which("subcmc") is None:
        lines.append(f'  export PATH="{Path(sys.executable).parent}:$PATH"')
    lines += [
        f"  export SUBCMC_DATABASE={DEMO_DATABASE} SUBCMC_REGISTRY={registry}",
        "  subcmc runs",
        "  subcmc report 2 --problems",
        "  subcmc diff 1 2 --province 620000",
    ]
    held = next((manifest for manifest in manifests if manifest.state is State.HELD), None)
    if held is not None:
        cell = f"{held.cmc_id}/{held.dataset}"
        reason = words["demo.reason"]
        lines += [
            f"  subcmc show 2 {cell}",
            f'  subcmc accept 2 {cell} --digest {str(held.digest)[:12]} --reason "{reason}"',
        ]
    lines += [
        "  subcmc export 110000/hardware --run 1 | head -2",
        "  subcmc verify",
        f"  subcmc serve   # {words['demo.browser']}",
        words["demo.ended"],
    ]
    return "\n".join(lines)

"""`subcmc serve`: the read-only dashboard, until it is stopped."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from subcmc_crawler.cli.common import note, say, settings, start_logging, store
from subcmc_crawler.config import read_registry
from subcmc_crawler.dashboard.access import is_loopback, read_password
from subcmc_crawler.dashboard.application import serving
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.store import Database, silence

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Where the dashboard listens, who may look, and whose plan it shows."""

    host: str
    port: int
    password_file: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    registry: Path | None = None
    lang: str | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it, up to the port."""
        return f"http://[{self.host}]" if ":" in self.host else f"http://{self.host}"


async def serve(wanted: Serving) -> int:
    """Serves until SIGTERM or SIGINT, which end it well: 0. The address goes to standard output."""
    guard = _guard(wanted)
    chosen = settings(registry=wanted.registry, lang=wanted.lang)
    if wanted.registry is not None:
        read_registry(wanted.registry)  # one that was named must be there; the default may be missing
    start_logging()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with store(chosen) as db:
        site = Site(db=db, lang=chosen.lang, registry=partial(_registry, chosen.registry))
        try:
            async with serving(site, guard, host=wanted.host, port=wanted.port) as port:
                gc.freeze()  # what was loaded stays: no collection in the middle of a page looks through it again
                say(f"{wanted.url}:{port}/")
                looking = asyncio.create_task(_tell_of_silence(db, chosen.uri or ""))
                await stop.wait()
                looking.cancel()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise BadConfig(
                f"{wanted.host}:{wanted.port} cannot be served: {reason}; choose another --host or --port"
            ) from None
    return 0


async def _tell_of_silence(db: Database, uri: str) -> None:
    """Says once, at the start, that MongoDB does not answer; it may come later, so this is no end."""
    if why := await silence(db, uri):
        note(f"{why}; pages say so until it answers")


def _guard(wanted: Serving) -> Guard:
    """Who may look; BadConfig without a password where others than this machine could."""
    local = is_loopback(wanted.host)
    if wanted.password_file is None:
        if not local:
            raise BadConfig(
                f"--host {wanted.host}: others can reach it, so it needs a password: "
                "write user:password into a file and name it with --password-file"
            )
        return Guard(names=_names(wanted))
    password, exposed = read_password(wanted.password_file)
    if exposed:
        note(
            f"{wanted.password_file} can be read by every user of this machine: chmod 600 {wanted.password_file}"
        )
    return Guard(password=password, names=_names(wanted) if local else None)


def _names(wanted: Serving) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in wanted.allowed_hosts)


def _registry(path: Path) -> Registry | None:
    """The registry as it is now, None where there is none that can be read."""
    try:
        return read_registry(path)
    except BadConfig as error:
        _LOG.debug("no plan is shown: %s", error.faults[0])
        return None

"""What the channels share: limits, the one fault, secrets and certificates. Secrets never leave here in text."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from subcmc_crawler.report.alert import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a digest may take: two tries of `try_seconds` and the pause between them, on each channel."""

    try_seconds: float = 20.0
    pause_seconds: float = 2.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Undelivered(Exception):
    """A try that failed: `fault` is a kind of `fault.*`; `again` says that nothing can have arrived."""

    def __init__(self, fault: str, *, again: bool = False) -> None:
        super().__init__(fault)
        self.fault = fault
        self.again = again


class Channel(Protocol):
    """A way to reach somebody."""

    @property
    def name(self) -> str:
        """`webhook HOST:PORT` or `mail HOST:PORT`: what may be shown, so without path, user and addresses."""

    def check(self) -> None:
        """Undelivered when a secret or a certificate cannot be read."""

    async def send(self, digest: Digest, seconds: float) -> None:
        """Hands the digest over within that time; Undelivered when that failed."""


def secret(folder: Path, file: str | None, variable: str | None) -> str | None:
    """One line of text from a file or the environment, None when neither is named; Undelivered otherwise."""
    if file is None and variable is None:
        return None
    try:
        text = (
            (folder / file).read_text("utf-8").strip() if file else os.environ.get(str(variable), "").strip()
        )
    except (OSError, UnicodeDecodeError):
        raise Undelivered("secret") from None
    if not text or not text.isprintable():
        raise Undelivered("secret")
    return text


def tls(folder: Path, ca_file: str | None) -> ssl.SSLContext:
    """A context that verifies, against our own authority if one is named; Undelivered when it is no PEM file."""
    try:
        return ssl.create_default_context(cafile=str(folder / ca_file) if ca_file else None)
    except (OSError, ssl.SSLError):
        raise Undelivered("secret") from None

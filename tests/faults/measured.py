"""Runs `subcmc` with the given arguments, and says at its end how much memory it ever held, in kB."""

from __future__ import annotations

import sys
from pathlib import Path

from subcmc_crawler.cli import run


def tell() -> None:
    """The high-water mark of the resident set, as Linux counts it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"peak {peak}", file=sys.stderr)  # noqa: T201 - this is what it is for


sys.argv[0] = "subcmc"
code = run()
tell()
sys.exit(code)

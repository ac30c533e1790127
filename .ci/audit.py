"""Known vulnerabilities of everything that is locked, asked of the PyPI advisory service by pip-audit.

    python .ci/audit.py [--unless-unreachable] PIP_AUDIT LOCK

A vulnerability ends it with 1 unless `IGNORED` explains it. No answer proves nothing and ends it with 1 as well;
with `--unless-unreachable`, on a machine without a network, that is said in one line and ends it with 0.
"""

# ruff: noqa: T201 - a program, and this is its output

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

IGNORED: Final[dict[str, str]] = {}
"""Identifier of a vulnerability -> why it cannot be used against this program, and when that is looked at again."""

_SECONDS: Final = 300


def main(arguments: list[str]) -> int:
    """The exit code."""
    lenient = arguments[0] == "--unless-unreachable"
    program, lock = arguments[lenient:]
    found, silence = _asked(program, lock)
    if silence:
        print(f"{lock}: not audited: {silence}", file=sys.stderr)
        return 0 if lenient else 1
    for line in found:
        print(f"{lock}: {line}", file=sys.stderr)
    if not found:
        print(f"{lock}: no known vulnerability", file=sys.stderr)
    return 1 if found else 0


def _asked(program: str, lock: str) -> tuple[list[str], str]:
    """A line for each vulnerability that nothing explains, or else why there is no answer."""
    # strict: otherwise what the service does not know is left out, and nothing audited is a success
    command = [program, "--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603 - the program that the Makefile names, and no shell
            [*command, "--format", "json", "-r", lock],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return [], f"no answer within {_SECONDS} s"
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines()
        return [], said[-1] if said else f"pip-audit ended with {done.returncode}"
    return [line for package in packages for line in _vulnerabilities(package)], ""


def _vulnerabilities(package: dict[str, Any]) -> list[str]:
    return [
        f"{package['name']} {package['version']}: {each['id']}, mended in "
        f"{', '.join(each['fix_versions']) or 'no release yet'}"
        for each in package.get("vulns", [])
        if not IGNORED.keys() & {each["id"], *each.get("aliases", ())}
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Commands in processes of their own: what the tests of the command line play with."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from forking import Loaded
from patience import waited

FIRST_LINE_SECONDS = 120
TRY_LATER = 75


@dataclass
class Shell:
    """A directory and an environment in which `subcmc` runs."""

    folder: Path
    environment: dict[str, str]
    program: Loaded

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        told = {**self.environment, **environment}
        done = self.program.run(*arguments, folder=self.folder, environment=told)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def when_free(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command, once more as long as another has the lease: MongoDB's clock ends that of a dead one."""
        tries = [self(*arguments, **environment)]

        def is_free() -> bool:
            if tries[-1].returncode == TRY_LATER:
                tries.append(self(*arguments, **environment))
            return tries[-1].returncode != TRY_LATER

        waited(is_free, "the end of the lease of another process")
        return tries[-1]

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """One command that goes on."""
        return subprocess.Popen(
            [sys.executable, "-m", "subcmc_crawler", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def turn(port: int, night: int) -> None:
    """Tells a simulator which night to serve."""
    body = json.dumps({"night": night}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_simulator/night", data=body, timeout=30):
        return

"""A report as a file: made for its owner alone, never thrown at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from shells import Shell
from workbooks import csv_rows, workbook


def test_a_workbook_and_a_table_are_files_for_their_owner_alone(
    shell: Shell, provinces: Callable[..., int]
) -> None:
    provinces("--fault", "110000/ua_user:badrows=2")
    assert shell("crawl", "--now", "--province", "110000", "--dataset", "ua_user").returncode == 0
    for kind in ("xlsx", "csv"):
        file = shell.folder / f"night.{kind}"
        done = shell("report", "--format", kind, "--output", str(file))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert file.stat().st_mode & 0o777 == 0o600
    book = workbook((shell.folder / "night.xlsx").read_bytes())
    head, row = csv_rows((shell.folder / "night.csv").read_bytes())
    assert [each.value for each in book["Cells"][1]] == head
    assert book["Cells"]["B2"].value == row[1] == "110000"
    assert book["Broken rules"].max_row == 3
    done = shell("report", "--format", "csv", "--problems")
    assert done.returncode == 2
    assert done.stderr == "subcmc: --problems is for --format text and html: the others hold every cell\n"


def test_a_workbook_is_not_written_to_a_terminal(shell: Shell) -> None:
    ours, theirs = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "subcmc_crawler", "report", "--format", "xlsx"],
            cwd=shell.folder,
            env=shell.environment,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert done.stderr == "subcmc: --format xlsx makes a file: name it with --output FILE\n"

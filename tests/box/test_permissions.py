"""What is written is for its owner alone, whatever the umask and whatever was there before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from subcmc_crawler.cli.common import own_file
from subcmc_crawler.errors import NotFound


@pytest.fixture(params=[0o022, 0o000, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with own_file(path) as file:
        assert stat.S_IMODE(path.stat().st_mode) & 0o177 == 0  # before anything is in it
        file.write(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.usefixtures("umask")
def test_a_file_that_everybody_could_read(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"longer than what comes")
    path.chmod(0o666)
    with own_file(path) as file:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        file.write(b"x")
    assert path.read_bytes() == b"x"


def test_a_pipe_or_a_device_keeps_its_mode(tmp_path: Path) -> None:
    """As root, `--output /dev/null` would otherwise lock everybody out of it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o640)
    pipe.chmod(0o640)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with own_file(pipe) as file:
        file.write(b"x")
    assert os.read(reader, 10) == b"x"
    os.close(reader)
    assert stat.S_IMODE(pipe.stat().st_mode) == 0o640


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="cannot be written"), own_file(tmp_path):
        pass

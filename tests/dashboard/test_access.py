"""Who may look: password files, addresses, and `subcmc serve` as a process."""

from __future__ import annotations

import base64
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from shells import Shell
from subcmc_crawler.dashboard.access import is_own_name, read_password
from subcmc_crawler.errors import BadConfig


def written(folder: Path, raw: bytes, mode: int = 0o600) -> Path:
    path = folder / "dashboard.password"
    path.write_bytes(raw)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "must hold one line, user:password"),
        (b"\noperator:long enough\n", "must hold one line, user:password"),
        (b"operator", "must hold one line, user:password"),
        (b":long enough", "must hold one line, user:password"),
        (b"operator:", "must have 8 characters or more"),
        (b"operator:secret7", "must have 8 characters or more"),
        (b"operator:\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "cannot be read"),
    ],
)
def test_a_bad_password_file_is_one_line_that_tells_no_password(
    tmp_path: Path, raw: bytes, says: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        read_password(written(tmp_path, raw))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret7" not in str(caught.value)


def test_a_password_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read"):
        read_password(tmp_path / "nowhere")
    with pytest.raises(BadConfig, match="cannot be read"):
        read_password(tmp_path)


def test_a_password_may_hold_colons_and_a_file_that_all_may_read_is_told(tmp_path: Path) -> None:
    password, exposed = read_password(written(tmp_path, "操作员:a:b:c:d:e\r\n".encode(), 0o644))
    assert exposed
    header = base64.b64encode("操作员:a:b:c:d:e".encode()).decode()
    assert password.admits(f"Basic {header}")
    assert not password.admits(f"Basic {header[:-4]}")
    assert read_password(written(tmp_path, b"operator:long enough"))[1] is False


@pytest.mark.parametrize(
    ("header", "own"),
    [
        ("localhost:8080", True),
        ("127.0.0.1", True),
        ("[::1]:8080", True),
        ("night.example:8080", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_which_names_are_ours(header: str, own: bool) -> None:
    assert is_own_name(header, frozenset({"night.example"})) is own


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--host", "0.0.0.0"), "so it needs a password"),  # noqa: S104 - it is refused
        (("--password-file", "nowhere"), "nowhere cannot be read"),
        (("--host", "192.0.2.1", "--password-file", "good"), "cannot be served"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_78(
    shell: Shell, arguments: tuple[str, ...], says: str
) -> None:
    written(shell.folder, b"operator:long enough").rename(shell.folder / "good")
    done = shell("serve", "--port", "0", *arguments)
    assert done.returncode == 78
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_it_says_that_the_store_is_silent_and_goes_on_serving(shell: Shell) -> None:
    shell.environment["MONGODB_URI"] = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"
    serving = shell.begin("serve", "--port", "0")
    assert serving.stdout is not None
    assert serving.stderr is not None
    url = serving.stdout.readline().strip()
    assert "MongoDB at 127.0.0.1:9 cannot be reached" in serving.stderr.readline()
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{url}healthz", timeout=30)  # noqa: S310 - ours
    serving.send_signal(signal.SIGTERM)
    serving.communicate(timeout=60)
    assert serving.returncode == 0


def test_it_says_where_it_listens_and_ends_well_with_a_watcher(shell: Shell) -> None:
    serving = shell.begin("serve", "--port", "0")
    assert serving.stdout is not None
    url = serving.stdout.readline().strip()
    with urllib.request.urlopen(f"{url}healthz", timeout=30) as answer:  # noqa: S310 - ours
        assert answer.status == 200
    with urllib.request.urlopen(f"{url}live/events", timeout=30) as stream:  # noqa: S310 - ours
        assert stream.readline().startswith(b":")
        serving.send_signal(signal.SIGTERM)
        _, told = serving.communicate(timeout=60)
    assert serving.returncode == 0
    assert "Traceback" not in told

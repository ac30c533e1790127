"""Settings from the environment, and the registry file."""

from __future__ import annotations

from pathlib import Path

import pytest

from subcmc_crawler.config import VARIABLES, load, read_registry
from subcmc_crawler.errors import BadConfig

ROOT = Path(__file__).parents[1]
SECRET = "hunter2"
URI = f"mongodb://operator:{SECRET}@db.example:27017/night"


def faults(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(BadConfig) as caught:
        load(environment)
    return caught.value.faults


def test_an_empty_environment_gives_the_defaults() -> None:
    found = load({})
    assert (found.registry, found.uri, found.database, found.driver) == (
        Path("provinces.toml"),
        None,
        "",
        "motor",
    )
    assert (found.data, found.lang, found.lease_seconds) == (Path(".subcmc"), "zh", 60)


def test_every_variable_is_read(tmp_path: Path) -> None:
    environment = {
        "SUBCMC_REGISTRY": "/etc/subcmc/provinces.toml",
        "MONGODB_URI": URI,
        "SUBCMC_DATABASE": "night",
        "SUBCMC_DRIVER": "pymongo",
        "SUBCMC_DATA": str(tmp_path),
        "SUBCMC_LANG": "en",
        "SUBCMC_LEASE_SECONDS": "30",
    }
    found = load(environment)
    assert (found.registry, found.uri, found.database) == (Path("/etc/subcmc/provinces.toml"), URI, "night")
    assert (found.driver, found.data, found.lang, found.lease_seconds) == ("pymongo", tmp_path, "en", 30)
    assert environment.keys() <= VARIABLES.keys()


def test_options_win_over_the_environment(tmp_path: Path) -> None:
    environment = {"SUBCMC_REGISTRY": "other.toml", "SUBCMC_LANG": "zh"}
    found = load(environment, registry=tmp_path / "mine.toml", lang="en")
    assert (found.registry, found.lang) == (tmp_path / "mine.toml", "en")


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "en_GB", "LANG": "zh_CN"}, "en"),
        ({"LANG": "C"}, "zh"),
        ({"LANG": "fr_FR"}, "zh"),
        ({"SUBCMC_LANG": "zh", "LC_ALL": "en_US"}, "zh"),
        ({"SUBCMC_LANG": "", "LC_ALL": "en_US"}, "en"),
    ],
)
def test_the_language_follows_the_locale(environment: dict[str, str], lang: str) -> None:
    assert load(environment).lang == lang


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    found = faults(
        {
            "SUBCMC_DRIVER": "pymango",
            "SUBCMC_LEASE_SECONDS": "soon",
            "SUBCMC_LANG": "fr",
            "MONGODB_URI_FILE": str(tmp_path / "absent"),
        }
    )
    named = [line.partition(":")[0] for line in found]
    assert sorted(named) == ["MONGODB_URI_FILE", "SUBCMC_DRIVER", "SUBCMC_LANG", "SUBCMC_LEASE_SECONDS"]


@pytest.mark.parametrize("seconds", ["2", "3601", "-60", "60.0", "", " 60", "9" * 5000])
def test_a_lease_is_a_whole_number_of_seconds(seconds: str) -> None:
    (line,) = faults({"SUBCMC_LEASE_SECONDS": seconds})
    assert line.startswith("SUBCMC_LEASE_SECONDS: must be a whole number from 3 to 3600")


@pytest.mark.parametrize("seconds", ["3", "3600"])
def test_the_ends_of_a_lease_are_allowed(seconds: str) -> None:
    assert load({"SUBCMC_LEASE_SECONDS": seconds}).lease_seconds == int(seconds)


def test_the_uri_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_text(URI + "\n")
    assert load({"MONGODB_URI_FILE": str(file)}).uri == URI
    assert load({"MONGODB_URI_FILE": "", "MONGODB_URI": URI}).uri == URI


def test_two_uris_are_one_too_many(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_text(URI)
    (line,) = faults({"MONGODB_URI": URI, "MONGODB_URI_FILE": str(file)})
    assert line == "MONGODB_URI and MONGODB_URI_FILE are both set; keep one of them"


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_file_is_not_taken_for_no_uri(tmp_path: Path, content: str) -> None:
    """Without a URI a local mongod is started: an empty secret must not lead there."""
    file = tmp_path / "uri"
    file.write_text(content)
    (line,) = faults({"MONGODB_URI_FILE": str(file)})
    assert line.startswith(f"MONGODB_URI_FILE: {file} ")


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_bytes(b"\xff\xfe" + SECRET.encode())
    (line,) = faults({"MONGODB_URI_FILE": str(file)})
    assert "UnicodeDecodeError" in line
    assert SECRET not in line


def test_no_secret_is_shown(tmp_path: Path) -> None:
    found = load({"MONGODB_URI": URI})
    assert SECRET not in repr(found)
    assert SECRET not in str(found)
    file = tmp_path / "uri"
    file.write_text(URI)
    for line in faults({"MONGODB_URI": URI, "MONGODB_URI_FILE": str(file), "SUBCMC_LANG": "fr"}):
        assert SECRET not in line


def test_the_registry_of_the_repository_is_read() -> None:
    registry = read_registry(ROOT / "provinces.toml")
    assert len(registry.provinces) == 35
    assert registry.where == str(ROOT / "provinces.toml")


def test_a_registry_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "provinces.toml"
    file.write_bytes(b"\xef\xbb\xbf" + (ROOT / "provinces.toml").read_bytes())
    assert len(read_registry(file).provinces) == 35


def test_without_a_registry_it_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="there is no registry; write one, or name it with --registry"):
        read_registry(tmp_path / "absent.toml")


def test_a_registry_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "gbk.toml"
    file.write_bytes("name = '甘肃省'".encode("gbk"))
    with pytest.raises(BadConfig, match="UnicodeDecodeError; it must be a file in UTF-8"):
        read_registry(file)
    with pytest.raises(BadConfig, match="IsADirectoryError"):
        read_registry(tmp_path)


def test_the_faults_of_a_registry_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "provinces.toml"
    file.write_text("[defaults]\npage_size = 0\nwindow = 'never'\n")
    with pytest.raises(BadConfig) as caught:
        read_registry(file)
    assert len(caught.value.faults) == 3
    assert all(line.startswith(f"{file}: ") for line in caught.value.faults)

"""Settings of the program, from environment and options: parsed once, frozen. Names no secret in any message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast

from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.registry import Registry, parse

Lang = Literal["zh", "en"]

VARIABLES: Final = {
    "SUBCMC_REGISTRY": "the registry file (default: ./provinces.toml)",
    "MONGODB_URI": "MongoDB; without it a local mongod is started",
    "MONGODB_URI_FILE": "a file that holds that URI, for secrets",
    "SUBCMC_DATABASE": "the database (default: the one of the URI, else subcmc)",
    "SUBCMC_DRIVER": "motor (default) or pymongo",
    "SUBCMC_DATA": "where a local mongod keeps its files (default: ./.subcmc)",
    "SUBCMC_MONGOD": "the mongod to start (default: PATH, else the extra `embedded`)",
    "SUBCMC_LANG": "zh or en (default: by LC_ALL or LANG, else zh)",
    "SUBCMC_METRICS_FILE": "the file that `crawl` writes its metrics into, as `--metrics-file`",
    "SUBCMC_LEASE_SECONDS": "how long a lease holds when its holder is gone (default: 60)",
}
"""Every environment variable that the program reads, and what for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a command needs to know before it starts."""

    registry: Path
    uri: str | None = field(repr=False)  # may hold a password
    database: str = ""
    driver: Literal["motor", "pymongo"] = "motor"
    data: Path = Path(".subcmc")
    lang: Lang = "zh"
    lease_seconds: int = 60
    metrics_file: Path | None = None


def load(
    environment: Mapping[str, str],
    *,
    registry: Path | None = None,
    lang: str | None = None,
    metrics_file: Path | None = None,
) -> Settings:
    """The settings; BadConfig holds every fault at once."""
    faults: list[str] = []
    uri = _uri(environment, faults)
    driver = environment.get("SUBCMC_DRIVER", "motor")
    if driver not in ("motor", "pymongo"):
        faults.append(f"SUBCMC_DRIVER: must be motor or pymongo, not {driver!r}")
    seconds = environment.get("SUBCMC_LEASE_SECONDS", "60")
    if not seconds.isdecimal() or len(seconds) > 4 or not 3 <= int(seconds) <= 3600:
        faults.append(f"SUBCMC_LEASE_SECONDS: must be a whole number from 3 to 3600, not {seconds[:20]!r}")
    chosen = lang or environment.get("SUBCMC_LANG") or _by_locale(environment)
    if chosen not in ("zh", "en"):
        faults.append(f"SUBCMC_LANG: must be zh or en, not {chosen!r}")
    named = environment.get("SUBCMC_METRICS_FILE")
    if faults:
        raise BadConfig(*faults)
    return Settings(
        registry=registry or Path(environment.get("SUBCMC_REGISTRY", "provinces.toml")),
        uri=uri,
        database=environment.get("SUBCMC_DATABASE", ""),
        driver=cast('Literal["motor", "pymongo"]', driver),
        data=Path(environment.get("SUBCMC_DATA", ".subcmc")),
        lang=cast("Lang", chosen),
        lease_seconds=int(seconds),
        metrics_file=metrics_file or (Path(named) if named else None),
    )


def read_registry(path: Path) -> Registry:
    """The registry in a file; BadConfig when it cannot be read or holds faults."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadConfig(
            f"{path}: there is no registry; write one, or name it with --registry or SUBCMC_REGISTRY"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(
            f"{path}: cannot be read: {type(error).__name__}; it must be a file in UTF-8"
        ) from None
    return parse(text, where=str(path))


def _uri(environment: Mapping[str, str], faults: list[str]) -> str | None:
    named = environment.get("MONGODB_URI_FILE")
    if not named:
        return environment.get("MONGODB_URI") or None
    if environment.get("MONGODB_URI"):
        faults.append("MONGODB_URI and MONGODB_URI_FILE are both set; keep one of them")
        return None
    try:
        uri = Path(named).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"MONGODB_URI_FILE: {named} cannot be read ({type(error).__name__})")
        return None
    if not uri:  # without a URI a local mongod would be started
        faults.append(f"MONGODB_URI_FILE: {named} is empty; write the URI into it")
    return uri


def _by_locale(environment: Mapping[str, str]) -> str:
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "en" if locale.startswith("en") else "zh"

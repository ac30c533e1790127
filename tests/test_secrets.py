"""A secret comes from a file or the environment, and no class that holds one shows it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import subcmc_crawler
from subcmc_crawler.alerting.mail import Mail
from subcmc_crawler.alerting.webhook import Webhook
from subcmc_crawler.config import VARIABLES, load
from subcmc_crawler.dashboard.access import Password
from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province import credentials
from subcmc_crawler.province.registry import parse
from subcmc_crawler.province.settings import Alerts

SECRET = "hunter2hunter2"
SOUNDS_SECRET = re.compile(
    r"uri|password|passwd|secret|token|credential|authorization|headers|webhook_url|private"
)
NAMES_A_PLACE = re.compile(r"_(file|env|header)$")
HARMLESS = {
    ("Alerts", "smtp_security"),  # tls, starttls or none
    ("Guard", "password"),  # a Password, which hides itself
}

CENTRE = """
[[province]]
cmcId = "620000"
areaCode = "620000"
name = "甘肃省"
pullAddressList = ["127.0.0.1:1"]
[province.auth]
kind = "{kind}"
{more}
token_env = "SUBCMC_TEST_TOKEN"
"""


def classes() -> Iterator[type[Any]]:
    """Every dataclass and every pydantic model of the package; simulated centres have no secrets."""
    for module in pkgutil.walk_packages(subcmc_crawler.__path__, "subcmc_crawler."):
        if module.name.endswith("__main__") or ".simulator" in module.name:
            continue
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if each.__module__ == module.name and (
                dataclasses.is_dataclass(each) or issubclass(each, BaseModel)
            ):
                yield each


def shown_fields(kind: type[Any]) -> Iterator[str]:
    """The fields that `repr` shows."""
    if issubclass(kind, BaseModel):
        yield from (name for name, field in kind.model_fields.items() if field.repr)
    elif kind.__dataclass_params__.repr:
        yield from (field.name for field in dataclasses.fields(kind) if field.repr)


def test_no_field_that_sounds_like_a_secret_is_shown() -> None:
    found = list(classes())
    assert len(found) > 100
    shown = {
        (kind.__name__, name)
        for kind in found
        for name in shown_fields(kind)
        if SOUNDS_SECRET.search(name) and not NAMES_A_PLACE.search(name)
    }
    assert shown == HARMLESS


@pytest.mark.parametrize(
    ("kind", "more"), [("bearer", ""), ("basic", 'username = "u"'), ("header", 'header = "X-K"')]
)
def test_credentials_of_a_province(monkeypatch: pytest.MonkeyPatch, kind: str, more: str) -> None:
    monkeypatch.setenv("SUBCMC_TEST_TOKEN", SECRET)
    registry = parse(CENTRE.format(kind=kind, more=more))
    found = credentials.load(registry.provinces[0], Path())
    assert any(found.headers.values())
    for text in (repr(found), str(found), repr(registry), repr(registry.provinces[0].auth)):
        assert SECRET not in text
        assert all(value not in text for value in found.headers.values())


@pytest.mark.parametrize("name", ["token", "password", "secret", "key"])
def test_a_secret_in_the_registry_itself_is_refused_without_being_repeated(name: str) -> None:
    text = CENTRE.format(kind="bearer", more=f'{name} = "{SECRET}"')
    with pytest.raises(BadConfig) as refused:
        parse(text)
    assert name in str(refused.value)
    assert SECRET not in str(refused.value) + repr(refused.value)


def test_the_uri_of_mongodb(tmp_path: Path) -> None:
    uri = f"mongodb://crawler:{SECRET}@mongo/subcmc"
    kept = tmp_path / "uri"
    kept.write_text(uri, encoding="utf-8")
    for environment in ({"MONGODB_URI": uri}, {"MONGODB_URI_FILE": str(kept)}):
        chosen = load(environment)
        assert chosen.uri == uri
        assert SECRET not in repr(chosen) + str(chosen)


def test_the_password_of_the_dashboard() -> None:
    password = Password.of("operator", SECRET)
    assert "operator" not in repr(password)
    assert SECRET not in repr(password)


def test_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBCMC_TEST_TOKEN", SECRET)
    alerts = Alerts(
        webhook_url=f"https://hooks.example/{SECRET}",
        webhook_token_env="SUBCMC_TEST_TOKEN",
        smtp_host="mail.example",
        smtp_user="ministry",
        smtp_password_env="SUBCMC_TEST_TOKEN",
        sender="a@example.cn",
        recipients=["b@example.cn"],
    )
    channels: list[Any] = [Webhook(alerts, Path()), Mail(alerts, Path())]
    for channel in channels:
        channel.check()
        assert SECRET not in repr(channel) + channel.name
    assert SECRET not in repr(alerts) + str(alerts)


def test_no_option_takes_a_secret() -> None:
    """What is given on a command line stands in the list of processes."""
    commands = (Path(__file__).parents[1] / "docs" / "commands.md").read_text("utf-8")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", commands))
    assert "--password-file" in options
    assert [each for each in options if re.search(r"password|token|secret|uri", each)] == ["--password-file"]
    assert "MONGODB_URI" in VARIABLES

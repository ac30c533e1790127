"""`[ministry]` of the registry: strictly read, like everything there."""

from __future__ import annotations

from pathlib import Path

import pytest

from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.credentials import load_ministry
from subcmc_crawler.province.registry import Ministry, parse
from subcmc_crawler.spec.query import SHAPES, Shape

PROVINCE = '[[province]]\ncmcId = "620000"\nareaCode = "620000"\nname = "甘肃省"\n'


def read(text: str) -> Ministry:
    found = parse(f"{PROVINCE}[ministry]\n{text}").ministry
    assert found is not None
    return found


def test_without_the_table_there_is_no_ministry_to_ask() -> None:
    assert parse(PROVINCE).ministry is None


def test_an_address_is_enough() -> None:
    ministry = read('query_url = "https://10.2.64.165:10020"')
    assert str(ministry.address) == "https://10.2.64.165:10020"
    assert ministry.settings.shapes == SHAPES
    assert ministry.settings.pull.page_size == 1000
    assert ministry.tls.verify
    assert ministry.auth is None


def test_https_is_meant_where_no_scheme_is_named() -> None:
    assert str(read('query_url = "10.2.64.165:10020/base/"').address) == "https://10.2.64.165:10020/base"


def test_every_setting_reaches_the_walk() -> None:
    ministry = read(
        'query_url = "http://a"\npage_size = 5000\nrequests_per_second = 2\nmax_in_flight = 3\n'
        "request_timeout_seconds = 4\ncool_down_seconds = 5\nmax_attempts = 6\nmax_passes = 7\n"
        'rows = "data.items"\ntotal = "data.count"\n'
    )
    pull = ministry.settings.pull
    assert (pull.page_size, pull.requests_per_second, pull.max_in_flight) == (5000, 2, 3)
    assert (pull.request_timeout_seconds, pull.cool_down_seconds) == (4, 5)
    assert (pull.max_attempts, pull.max_passes) == (6, 7)
    assert ministry.settings.shapes == (Shape.of("data.items", "data.count"),)


def test_credentials_are_those_of_its_own_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_TOKEN", "secret")
    ministry = read(
        'query_url = "https://a"\n[ministry.auth]\nkind = "header"\nheader = "X-Key"\ntoken_env = "QUERY_TOKEN"\n'
        '[ministry.tls]\nserver_hostname = "mps"\n'
    )
    credentials = load_ministry(ministry, Path())
    assert credentials.headers == {"X-Key": "secret"}
    assert credentials.server_hostname == "mps"


def test_a_secret_that_is_not_there_is_told_by_its_place() -> None:
    ministry = read('query_url = "https://a"\n[ministry.auth]\nkind = "bearer"\ntoken_file = "no-such"\n')
    with pytest.raises(BadConfig, match="ministry: auth: the file no-such cannot be read"):
        load_ministry(ministry, Path())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "ministry.query_url: is required"),
        ('query_uri = "x"', 'ministry.query_uri: unknown key; did you mean "query_url"?'),
        ('query_url = "https://user:secret@a"', 'ministry.query_url: must be written "host:port/base"'),
        ('query_url = "ftp://a"', "ministry.query_url: the scheme must be http or https"),
        (
            'query_url = "a"\npage_size = 5001',
            "ministry.page_size: must be less than or equal to 5000, not 5001",
        ),
        ('query_url = "a"\nrows = "data"', "ministry: rows and total go together"),
        ('query_url = "a"\nrows = "a..b"\ntotal = "t"', "ministry.rows:"),
        (
            'query_url = "a"\n[ministry.tls]\nverfy = false',
            'ministry.tls.verfy: unknown key; did you mean "verify"?',
        ),
        ('query_url = "a"\n[ministry.auth]\nkind = "bearer"', "ministry.auth: needs exactly one of"),
    ],
)
def test_what_is_wrong_is_named(text: str, told: str) -> None:
    with pytest.raises(BadConfig) as bad:
        read(text)
    assert told in str(bad.value)
    assert "secret" not in str(bad.value)


def test_a_table_of_another_name_is_no_ministry() -> None:
    with pytest.raises(BadConfig, match='did you mean "ministry"'):
        parse(f'{PROVINCE}[ministy]\nquery_url = "a"\n')

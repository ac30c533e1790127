"""provinces.toml as delivered."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from subcmc_crawler.province import registry
from subcmc_crawler.province.settings import RunSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "provinces.toml").read_text("utf-8")
PROVINCES: list[dict[str, Any]] = tomllib.loads(TEXT)["province"]


def test_holds_the_35_centres_of_the_area_table() -> None:
    assert len(PROVINCES) == 35
    assert len({province["cmcId"] for province in PROVINCES}) == 35
    assert len({province["name"] for province in PROVINCES}) == 35


def test_identifiers_are_area_codes_of_six_digits() -> None:
    for province in PROVINCES:
        assert province["cmcId"] == province["areaCode"]
        assert re.fullmatch(r"[1-8]\d0000", province["areaCode"])


def test_only_this_machine_is_contacted() -> None:
    for province in PROVINCES:
        assert province["pullAddressList"] == [f"http://127.0.0.1:18080/{province['cmcId']}"]
        assert province["pushIpList"] == ["127.0.0.1"]


def test_the_program_reads_it() -> None:
    assert len(registry.parse(TEXT).provinces) == 35


def test_names_every_default_and_its_true_value() -> None:
    defaults = tomllib.loads(TEXT)["defaults"]
    assert set(defaults) == set(RunSettings.model_fields)
    assert registry.parse(TEXT).run == RunSettings()


def test_the_commented_examples_hold_when_uncommented() -> None:
    uncommented = re.sub(
        r"^# ((?:\[province\.|\[alerts\]|\[ministry|[a-z_]+ = ).*)$", r"\1", TEXT, flags=re.M
    )
    read = registry.parse(uncommented)
    assert read.alerts is not None
    assert read.alerts.recipients == ["duty@example.gov.cn"]
    assert read.ministry is not None
    assert str(read.ministry.address) == "https://10.2.64.165:10020"
    beijing, gansu = read.province("110000"), read.province("620000")
    assert beijing.pull.requests_per_second == 2.0
    assert beijing.datasets["mr_resservice"] is None
    assert gansu.tls.ca_file == "secrets/gansu-ca.pem"
    assert gansu.auth is not None

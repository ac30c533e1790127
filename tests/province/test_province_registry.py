"""The registry: what is read, what is inherited, and every fault of a bad file at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from subcmc_crawler.errors import BadConfig, NotFound
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.registry import Registry, parse
from subcmc_crawler.province.settings import Auth, DatasetSettings, Guard, PullSettings, RunSettings, Tls
from subcmc_crawler.schedule import Window
from subcmc_crawler.spec.datasets import DATASETS

ROOT = Path(__file__).parents[2]

SAMPLE = """
[defaults]
scheme = "https"               # addresses come without one; "http://..." in an address wins
timezone = "Asia/Shanghai"
window = "01:00-05:30"         # may cross midnight
page_size = 1000
requests_per_second = 5.0      # 0: no limit
max_in_flight = 2              # pages at once in one province
max_bytes_per_second = 0       # 0: no limit
max_provinces = 8
request_timeout_seconds = 60
cool_down_seconds = 600        # after 408, 509, 429, 503 and connection faults (spec 1.3.3)
max_attempts = 5
max_passes = 3
tolerance = 0                  # missing rows that may still be published
[defaults.guard]
rows = 100
percent = 20
minimum = 500

[[province]]
cmcId = "620000"
areaCode = "620000"
name = "甘肃省"
pullAddressList = ["192.168.1.23:8080/gansu1", "192.168.1.24:8090/gansu2"]
pushIpList = ["192.168.1.23"]
[province.pull]
window = "02:00-04:00"
requests_per_second = 2.0
[province.tls]
ca_file = "secrets/gansu-ca.pem"     # cert_file, key_file for mutual TLS; verify = false is reported every night
[province.auth]
kind = "bearer"                      # or "basic", "header"
token_file = "secrets/gansu.token"   # or token_env
[province.datasets]
hardware = { page_size = 200, tolerance = 5 }
mr_resservice = false
"""
"""The sample of design section 11, as it stands there."""

GANSU = 'cmcId = "620000"\nareaCode = "620000"\nname = "甘肃省"\n'
LABEL = "province[1](甘肃省)"


def province(more: str = "", *, defaults: str = "", registration: str = GANSU) -> str:
    return f"[defaults]\n{defaults}\n[[province]]\n{registration}{more}"


def faults(text: str) -> list[str]:
    with pytest.raises(BadConfig) as caught:
        parse(text, where="p.toml")
    assert str(caught.value) == "\n".join(caught.value.faults)
    assert all(line.startswith("p.toml: ") for line in caught.value.faults)
    return sorted(line.removeprefix("p.toml: ") for line in caught.value.faults)


def the_fault(text: str) -> str:
    (line,) = faults(text)
    return line


# ── what is read ────────────────────────────────────────────────────────────────────────────────────────


def test_the_sample_of_the_design_is_read() -> None:
    registry = parse(SAMPLE)
    (gansu,) = registry.provinces
    assert (gansu.cmc_id, gansu.name, gansu.registration.areaCode) == ("620000", "甘肃省", "620000")
    assert gansu.registration.pushIpList == ["192.168.1.23"]
    assert gansu.addresses == (
        Address("https", "192.168.1.23", 8080, "/gansu1"),
        Address("https", "192.168.1.24", 8090, "/gansu2"),
    )
    assert gansu.pull == PullSettings(window=Window.parse("02:00-04:00"), requests_per_second=2.0)
    assert gansu.tls == Tls(ca_file="secrets/gansu-ca.pem")
    assert gansu.auth == Auth(kind="bearer", token_file="secrets/gansu.token")
    assert gansu.datasets["hardware"] == DatasetSettings(page_size=200, tolerance=5)
    assert gansu.datasets["mr_resservice"] is None
    assert gansu.datasets["ua_org"] == DatasetSettings()
    assert list(gansu.datasets) == list(DATASETS)


def test_the_defaults_of_the_sample_are_those_of_the_program() -> None:
    registry = parse(SAMPLE)
    assert registry.run == RunSettings()
    assert registry.run.guard == Guard(rows=100, percent=20, minimum=500)
    assert str(registry.timezone) == "Asia/Shanghai"
    assert parse(province()).run == registry.run


def test_the_registry_of_the_repository_holds_35_provinces() -> None:
    registry = parse((ROOT / "provinces.toml").read_text("utf-8"))
    assert len(registry.provinces) == 35
    assert all(len(each.addresses) == 1 for each in registry.provinces)


def test_a_province_without_addresses_is_registered_all_the_same() -> None:
    (gansu,) = parse(province()).provinces
    assert gansu.addresses == ()


def test_provinces_keep_the_order_of_the_file() -> None:
    text = "".join(f'[[province]]\ncmcId = "{n}"\nareaCode = "{n}"\nname = "省{n}"\n' for n in (3, 1, 2))
    assert [each.cmc_id for each in parse(text).provinces] == ["3", "1", "2"]


def test_a_province_is_found_by_its_identifier_or_its_name() -> None:
    registry = parse(SAMPLE, where="p.toml")
    assert registry.province("620000") is registry.province("甘肃省") is registry.provinces[0]
    with pytest.raises(NotFound, match=r"no province '62000' in p\.toml; did you mean \"620000\"\?"):
        registry.province("62000")
    with pytest.raises(NotFound, match="known: 620000, 甘肃省"):
        registry.province("河南")


# ── what is inherited ───────────────────────────────────────────────────────────────────────────────────


def dataset(registry: Registry, code: str) -> DatasetSettings:
    found = registry.provinces[0].datasets[code]
    assert found is not None
    return found


def test_settings_go_from_the_defaults_to_the_province_to_the_dataset() -> None:
    registry = parse(
        province(
            "[province.pull]\nmax_passes = 4\ntolerance = 2\n[province.datasets]\nhardware = { tolerance = 3 }\n",
            defaults="page_size = 300\nmax_passes = 2\ntolerance = 1\nmax_in_flight = 7",
        )
    )
    pull = registry.provinces[0].pull
    assert (pull.page_size, pull.max_passes, pull.tolerance, pull.max_in_flight) == (300, 4, 2, 7)
    hardware, org = dataset(registry, "hardware"), dataset(registry, "ua_org")
    assert (hardware.page_size, hardware.max_passes, hardware.tolerance) == (300, 4, 3)
    assert (org.page_size, org.max_passes, org.tolerance) == (300, 4, 2)
    assert (registry.run.max_passes, registry.run.tolerance) == (2, 1)


def test_the_guard_is_inherited_key_by_key() -> None:
    registry = parse(
        province(
            "[province.pull]\nguard = { percent = 30 }\n"
            "[province.datasets]\nhardware = { guard = { minimum = 7 } }\n",
            defaults="guard = { rows = 50 }",
        )
    )
    assert registry.run.guard == Guard(rows=50, percent=20, minimum=500)
    assert registry.provinces[0].pull.guard == Guard(rows=50, percent=30, minimum=500)
    assert dataset(registry, "ua_org").guard == Guard(rows=50, percent=30, minimum=500)
    assert dataset(registry, "hardware").guard == Guard(rows=50, percent=30, minimum=7)


def test_one_province_does_not_inherit_from_another() -> None:
    henan = '[[province]]\ncmcId = "410000"\nareaCode = "410000"\nname = "河南省"\n'
    registry = parse(province("[province.pull]\npage_size = 5\n") + henan)
    assert [each.pull.page_size for each in registry.provinces] == [5, 1000]


def test_the_scheme_of_the_defaults_and_of_the_province() -> None:
    addresses = 'pullAddressList = ["h:1", "https://h:2"]\n'
    registry = parse(province(addresses, defaults='scheme = "http"'))
    assert [each.base for each in registry.provinces[0].addresses] == ["http://h:1", "https://h:2"]
    registry = parse(province(addresses + '[province.pull]\nscheme = "https"\n', defaults='scheme = "http"'))
    assert [each.base for each in registry.provinces[0].addresses] == ["https://h:1", "https://h:2"]


def test_true_leaves_a_dataset_switched_on() -> None:
    registry = parse(province("[province.datasets]\nhardware = true\n"))
    assert dataset(registry, "hardware") == DatasetSettings()


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_fault_of_a_file_is_told_at_once_and_where() -> None:
    text = """
        [default]
        [defaults]
        pagesize = 3
        max_attempts = 0
        window = "1-5"
        [defaults.guard]
        percent = 101
        [[province]]
        cmcId = "bad id"
        name = ""
        pullAddressList = ["h:0", "ok:1"]
        vender = "x"
        [province.pull]
        max_provinces = 3
        tolerance = -1
        [province.tls]
        verify = "no"
        [province.auth]
        kind = "magic"
        [province.datasets]
        hardwear = true
        hardware = 5
        ua_org = { page_size = 0, guard = { rows = -1 } }
        [[province]]
        cmcId = "620000"
        areaCode = "62"
        name = "甘肃省"
        pullAddressList = ["h:0", "ok:1", "a..b"]
    """
    found = faults(text)
    assert [line.partition(": ")[0] for line in found] == sorted(
        [
            "default",
            "defaults.pagesize",
            "defaults.max_attempts",
            "defaults.window",
            "defaults.guard.percent",
            "province[1]().cmcId",
            "province[1]().name",
            "province[1]().areaCode",
            "province[1]().vender",
            "province[1]().pull.max_provinces",
            "province[1]().pull.tolerance",
            "province[1]().tls.verify",
            "province[1]().auth.kind",
            "province[1]().datasets.hardwear",
            "province[1]().datasets.hardware",
            "province[1]().datasets.ua_org.page_size",
            "province[1]().datasets.ua_org.guard.rows",
            "province[2](甘肃省).pullAddressList[1]",
            "province[2](甘肃省).pullAddressList[3]",
        ]
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (province(defaults="page_sizes = 1"), 'defaults.page_sizes: unknown key; did you mean "page_size"?'),
        (province(defaults="[defaults.guard]\nrow = 1"), 'defaults.guard.row: unknown key; did you mean "rows"?'),
        (province('cmcid = "1"\n'), f'{LABEL}.cmcid: unknown key; did you mean "cmcId"?'),
        (province("[province.pull]\nmax_inflight = 1\n"),
         f'{LABEL}.pull.max_inflight: unknown key; did you mean "max_in_flight"?'),
        (province("[province.datasets]\nua_orgs = false\n"),
         f'{LABEL}.datasets.ua_orgs: unknown dataset; did you mean "ua_org"?'),
        (province() + "[provinces]\n", 'provinces: unknown table; did you mean "province"?'),
        (province("[province.tls]\ncafile = 'x'\n"), f'{LABEL}.tls.cafile: unknown key; did you mean "ca_file"?'),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named_with_its_neighbour(text: str, line: str) -> None:
    assert the_fault(text) == line


def test_an_unknown_key_without_a_neighbour_is_told_what_there_is() -> None:
    assert the_fault(province("[province.tls]\nzzz = 1\n")).startswith(
        f"{LABEL}.tls.zzz: unknown key; known: ca_file"
    )


@pytest.mark.parametrize("key", ["timezone", "max_provinces"])
def test_what_belongs_to_the_run_cannot_be_set_for_a_province(key: str) -> None:
    value = '"UTC"' if key == "timezone" else "3"
    assert the_fault(province(f"[province.pull]\n{key} = {value}\n")).startswith(
        f"{LABEL}.pull.{key}: unknown key"
    )


@pytest.mark.parametrize(
    "key", ["window", "requests_per_second", "scheme", "max_in_flight", "cool_down_seconds"]
)
def test_what_belongs_to_a_province_cannot_be_set_for_a_dataset(key: str) -> None:
    line = the_fault(province(f"[province.datasets]\nhardware = {{ {key} = 1 }}\n"))
    assert line.startswith(f"{LABEL}.datasets.hardware.{key}: unknown key")


def test_a_fault_of_the_defaults_is_told_once_for_all_provinces() -> None:
    henan = '[[province]]\ncmcId = "410000"\nareaCode = "410000"\nname = "河南省"\n'
    assert the_fault(province(defaults="page_size = 0") + henan).startswith("defaults.page_size: ")


def test_a_fault_of_a_province_is_told_once_for_all_datasets() -> None:
    assert the_fault(province("[province.pull]\npage_size = 0\n")).startswith(f"{LABEL}.pull.page_size: ")
    line = the_fault(province("[province.pull]\nguard = { rows = -5 }\n", defaults="guard = { rows = 5 }"))
    assert line == f"{LABEL}.pull.guard.rows: must be greater than or equal to 0, not -5"


def test_an_identifier_is_registered_once() -> None:
    again = f"[[province]]\n{GANSU}"
    assert faults(province() + again + again) == [
        'province[2].cmcId: "620000" is already province[1]',
        'province[3].cmcId: "620000" is already province[1]',
    ]


@pytest.mark.parametrize("text", ["", "[defaults]\n", "province = 3\n", "province = []\n"])
def test_a_registry_without_a_province_is_refused(text: str) -> None:
    assert the_fault(text).startswith("province: no [[province]] is registered")


def test_what_is_no_toml_is_refused() -> None:
    assert the_fault("[defaults\n").startswith("not valid TOML: ")
    assert the_fault("a = 1\na = 2\n").startswith("not valid TOML: ")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("defaults = 3\n[[province]]\n" + GANSU, "defaults"),
        ("province = [3]\n", "province[1]"),
        (province("pull = 3\n"), f"{LABEL}.pull"),
        (province("tls = []\n"), f"{LABEL}.tls"),
        (province("datasets = 'all'\n"), f"{LABEL}.datasets"),
    ],
)
def test_a_table_is_a_table(text: str, path: str) -> None:
    assert the_fault(text).startswith(f"{path}: must be a table")


@pytest.mark.parametrize("key", ["cmcId", "areaCode", "name"])
def test_what_the_specification_requires_is_required(key: str) -> None:
    registration = "".join(line + "\n" for line in GANSU.splitlines() if not line.startswith(key))
    assert the_fault(province(registration=registration)).endswith(f".{key}: is required")


@pytest.mark.parametrize(
    ("key", "longest"),
    [
        ("cmcId", 50),
        ("areaCode", 10),
        ("name", 50),
        ("vendor", 255),
        ("contact", 20),
        ("phone", 20),
        ("mobile", 20),
    ],
)
def test_texts_have_the_lengths_of_the_specification(key: str, longest: int) -> None:
    def registration(length: int) -> str:
        values = {"cmcId": "620000", "areaCode": "620000", "name": "甘肃省", key: "1" * length}
        return "".join(f'{name} = "{value}"\n' for name, value in values.items())

    assert len(parse(province(registration=registration(longest))).provinces) == 1
    line = the_fault(province(registration=registration(longest + 1)))
    assert f".{key}: " in line
    assert f"at most {longest} characters" in line


@pytest.mark.parametrize(
    ("key", "item", "longest"), [("pushIpList", "1", 32), ("pullAddressList", "http://h/", 1024)]
)
def test_lists_have_the_counts_and_lengths_of_the_specification(key: str, item: str, longest: int) -> None:
    full = item + "x" * (longest - len(item))
    assert len(parse(province(f"{key} = {[full] * 10}\n")).provinces) == 1
    assert f"{LABEL}.{key}: " in the_fault(province(f"{key} = {[item] * 11}\n"))
    assert f"{LABEL}.{key}.[2]: " in the_fault(province(f"{key} = {[item, full + 'x']}\n"))


@pytest.mark.parametrize("value", ["", "62 00", "甘肃", "62/00", "a\\u0000b"])
def test_an_identifier_is_letters_digits_dots_and_dashes(value: str) -> None:
    registration = GANSU.replace('cmcId = "620000"', f'cmcId = "{value}"')
    assert ".cmcId: " in the_fault(province(registration=registration))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("page_size", "0"), ("page_size", "100001"), ("page_size", "'9'"), ("page_size", "1.0"),
        ("page_size", "true"),
        ("request_timeout_seconds", "0"), ("request_timeout_seconds", "86401"), ("request_timeout_seconds", "nan"),
        ("max_attempts", "0"), ("max_passes", "0"), ("tolerance", "-1"),
        ("requests_per_second", "-1"), ("requests_per_second", "inf"), ("requests_per_second", "nan"),
        ("max_in_flight", "0"), ("max_in_flight", "65"), ("max_bytes_per_second", "-1"), ("cool_down_seconds", "-1"),
        ("cool_down_seconds", "inf"), ("max_provinces", "0"), ("max_provinces", "10001"),
        ("scheme", "'ftp'"), ("window", "'24:00-01:00'"), ("window", "5"),
        ("timezone", "'Asia/Lanzhou'"), ("timezone", "'../etc/passwd'"), ("timezone", "''"),
        ("guard", "{ rows = -1 }"), ("guard", "{ percent = 100.5 }"), ("guard", "{ minimum = -1 }"), ("guard", "3"),
    ],
)  # fmt: skip
def test_settings_have_their_limits(key: str, value: str) -> None:
    assert the_fault(province(defaults=f"{key} = {value}")).startswith(f"defaults.{key}")


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("requests_per_second", "0", 0.0),
        ("requests_per_second", "2", 2.0),
        ("request_timeout_seconds", "0.5", 0.5),
        ("cool_down_seconds", "0", 0.0),
        ("max_bytes_per_second", "0", 0),
        ("max_in_flight", "64", 64),
        ("page_size", "100_000", 100_000),
        ("guard", "{ percent = 0, rows = 0, minimum = 0 }", Guard(rows=0, percent=0, minimum=0)),
    ],
)
def test_the_ends_of_the_limits_are_allowed(key: str, value: str, read: Any) -> None:
    assert getattr(parse(province(defaults=f"{key} = {value}")).run, key) == read


@pytest.mark.parametrize(
    ("auth", "what"),
    [
        ("kind = 'bearer'", "exactly one of token_file and token_env"),
        ("kind = 'bearer'\ntoken_file = 'a'\ntoken_env = 'A'", "exactly one of token_file and token_env"),
        ("kind = 'basic'\ntoken_env = 'A'", "username goes with"),
        ("kind = 'bearer'\nusername = 'u'\ntoken_env = 'A'", "username goes with"),
        ("kind = 'header'\ntoken_env = 'A'", "header (a header name) goes with"),
        ("kind = 'header'\nheader = 'X Key'\ntoken_env = 'A'", "match"),
        ("kind = 'header'\nheader = \"X-Key\\r\\nHost\"\ntoken_env = 'A'", "match"),
        ("kind = 'bearer'\ntoken = 'hunter2'\ntoken_env = 'A'", "unknown key"),
        ("token_env = 'A'", "is required"),
    ],
)  # fmt: skip
def test_credentials_are_complete_and_never_in_the_registry_itself(auth: str, what: str) -> None:
    line = the_fault(province(f"[province.auth]\n{auth}\n"))
    assert what in line
    assert "hunter2" not in line


def test_a_key_of_tls_needs_its_certificate() -> None:
    line = the_fault(province("[province.tls]\nkey_file = 'k'\n"))
    assert line.endswith("key_file needs cert_file beside it")


def test_texts_of_a_bad_file_are_not_shown() -> None:
    """A secret may have been pasted anywhere."""
    text = province(
        "phone = 'hunter2-hunter2-hunter2'\n[province.auth]\nkind = 'hunter2'\ntoken_env = 3\n",
        defaults="scheme = 'hunter2'\ntimezone = 'hunter2'\npage_size = 'hunter2'",
    )
    found = faults(text)
    assert len(found) == 6
    assert not [line for line in found if "hunter2" in line]

"""TLS contexts and secrets from files and environment; no secret is ever shown."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.credentials import Credentials, load
from subcmc_crawler.province.registry import Province, parse

SECRET = "hunter2-甘肃"
ENV = "SUBCMC_TEST_TOKEN"


def province(more: str = "") -> Province:
    registration = '[[province]]\ncmcId = "620000"\nareaCode = "620000"\nname = "甘肃省"\n'
    return parse(registration + more).provinces[0]


def auth(more: str) -> Province:
    return province(f"[province.auth]\n{more}\n")


def fault(of: Province, folder: Path) -> str:
    with pytest.raises(BadConfig) as caught:
        load(of, folder)
    (line,) = caught.value.faults
    assert line.startswith("620000(甘肃省): ")
    assert SECRET not in line
    return line


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENV, SECRET)
    (tmp_path / "token").write_text(SECRET + "\n", encoding="utf-8")


SOURCES = ["token_file = 'token'", f"token_env = '{ENV}'"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_bearer_token(source: str, tmp_path: Path) -> None:
    found = load(auth(f"kind = 'bearer'\n{source}"), tmp_path)
    assert found.headers == {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize("source", SOURCES)
def test_a_name_and_password(source: str, tmp_path: Path) -> None:
    found = load(auth(f"kind = 'basic'\nusername = '部平台'\n{source}"), tmp_path)
    scheme, _, encoded = found.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(encoded).decode() == f"部平台:{SECRET}"


@pytest.mark.parametrize("source", SOURCES)
def test_a_header_of_its_own(source: str, tmp_path: Path) -> None:
    found = load(auth(f"kind = 'header'\nheader = 'X-Api-Key'\n{source}"), tmp_path)
    assert found.headers == {"X-Api-Key": SECRET}


def test_without_auth_there_is_no_header(tmp_path: Path) -> None:
    assert load(province(), tmp_path).headers == {}


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    found = load(auth(f"kind = 'bearer'\n{SOURCES[0]}"), tmp_path)
    assert SECRET not in repr(found)
    assert SECRET not in str(found)
    assert "headers" not in repr(found)


def test_a_file_of_secrets_may_lie_anywhere(tmp_path: Path) -> None:
    of = auth(f"kind = 'bearer'\ntoken_file = '{tmp_path / 'token'}'")
    assert load(of, Path("/nowhere")).headers["Authorization"].endswith(SECRET)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    line = fault(auth("kind = 'bearer'\ntoken_file = 'absent'"), tmp_path)
    assert "auth: the file absent cannot be read (FileNotFoundError)" in line


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    line = fault(auth("kind = 'bearer'\ntoken_env = 'SUBCMC_TEST_ABSENT'"), tmp_path)
    assert "auth: the environment variable SUBCMC_TEST_ABSENT holds no usable secret" in line


@pytest.mark.parametrize(
    "content",
    ["", " \n", f"{SECRET}\r\nHost: evil", f"{SECRET}\0", f"{SECRET}\nsecond line", f"\ufeff{SECRET}"],
)
def test_what_is_no_line_of_text_is_no_secret(content: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(content, encoding="utf-8", newline="")
    assert "auth: the file token holds no usable secret" in fault(
        auth(f"kind = 'bearer'\n{SOURCES[0]}"), tmp_path
    )


def test_bytes_are_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    assert "(UnicodeDecodeError)" in fault(auth(f"kind = 'bearer'\n{SOURCES[0]}"), tmp_path)


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_certificates_are_verified_unless_it_was_switched_off(tmp_path: Path) -> None:
    found = load(province(), tmp_path).tls
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_REQUIRED, True)
    found = load(province("[province.tls]\nverify = false\n"), tmp_path).tls
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_NONE, False)


def test_files_of_tls_are_relative_to_the_registry(tmp_path: Path) -> None:
    ca = trustme.CA()
    cert = ca.issue_cert("client@ministry.example")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    cert.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    cert.private_key_pem.write_to_path(tmp_path / "key.pem")
    cert.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    found: list[Credentials] = [
        load(province(f"[province.tls]\nca_file = 'ca.pem'\n{more}\n"), tmp_path)
        for more in ("cert_file = 'cert.pem'\nkey_file = 'key.pem'", "cert_file = 'both.pem'", "")
    ]
    assert [each.tls.cert_store_stats()["x509_ca"] for each in found] == [1, 1, 1]
    assert (
        load(province("[province.tls]\nserver_hostname = 'g.example'\n"), tmp_path).server_hostname
        == "g.example"
    )


@pytest.mark.parametrize(
    ("tls", "error"),
    [
        ("ca_file = 'absent.pem'", "FileNotFoundError with absent.pem"),
        ("ca_file = 'token'", "SSLError with token"),
        ("cert_file = 'absent.pem'", "FileNotFoundError with absent.pem"),
        ("cert_file = 'token'\nkey_file = 'key.pem'", "SSLError with token, key.pem"),
    ],
)
def test_files_that_are_no_pem_are_named(tls: str, error: str, tmp_path: Path) -> None:
    trustme.CA().issue_cert("a.example").private_key_pem.write_to_path(tmp_path / "key.pem")
    line = fault(province(f"[province.tls]\n{tls}\n"), tmp_path)
    assert f"tls: {error}: check that they are PEM files" in line


def test_a_key_with_a_password_is_a_fault_and_no_prompt(tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal, and the night would wait for an answer."""
    cert = trustme.CA().issue_cert("a.example")
    cert.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    key = serialization.load_pem_private_key(cert.private_key_pem.bytes(), None)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )
    line = fault(province("[province.tls]\ncert_file = 'cert.pem'\nkey_file = 'key.pem'\n"), tmp_path)
    assert "SSLError with cert.pem, key.pem" in line

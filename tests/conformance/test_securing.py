"""TLS and credentials as a check sees them, over real handshakes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from centre import NOW, Asked, Centre, Reply, card_of, outcomes, registered, result_of, served, spring, wrong

from subcmc_crawler.checking import check_province
from subcmc_crawler.conformance.checks import Scorecard
from subcmc_crawler.conformance.results import Outcome
from subcmc_crawler.conformance.securing import trouble

TLS = ("tls-https", "tls-handshake", "tls-trusted", "tls-name", "tls-expiry", "tls-version")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def folder(tmp_path: Path, authority: trustme.CA) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "token").write_text("hunter2")
    return tmp_path


def context(
    authority: trustme.CA, name: str = "127.0.0.1", *, not_after: datetime | None = None
) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=not_after).configure_cert(made)
    return made


CA = '[province.tls]\nca_file = "ca.pem"\n'


async def checked(folder: Path, tls: ssl.SSLContext, more: str = CA, *, host: str = "127.0.0.1") -> Scorecard:
    return await card_of(tls=tls, more=more, folder=folder, host=host)


async def test_a_sound_one_passes_all(folder: Path, authority: trustme.CA) -> None:
    now = datetime.now(UTC)
    tls = context(authority, not_after=now + timedelta(days=90, minutes=5))
    card = await card_of(tls=tls, more=CA, folder=folder, now=now)
    assert wrong(card) == {}
    found = outcomes(card)
    assert [found[name] for name in TLS] == [Outcome.PASS] * len(TLS)
    assert result_of(card, "tls-version").values == {"version": "TLSv1.3"}
    assert result_of(card, "tls-expiry").values == {"days": 90}


async def test_one_that_expires_soon_is_a_warning(folder: Path, authority: trustme.CA) -> None:
    now = datetime.now(UTC)
    tls = context(authority, not_after=now + timedelta(days=5, minutes=5))
    card = await card_of(tls=tls, more=CA, folder=folder, now=now)
    assert wrong(card) == {"tls-expiry": "warn"}
    assert [found.values for found in result_of(card, "tls-expiry").found] == [{"days": 5}]


async def test_an_expired_one_fails_alone(folder: Path, authority: trustme.CA) -> None:
    card = await checked(folder, context(authority, not_after=datetime.now(UTC) - timedelta(days=1)))
    assert wrong(card) == {"tls-expiry": "fail"}
    assert len(card.seen) == 1


async def test_another_name_fails_alone(folder: Path, authority: trustme.CA) -> None:
    card = await checked(folder, context(authority, "gansu.example"))
    assert wrong(card) == {"tls-name": "fail"}


async def test_an_unknown_authority_fails_alone(folder: Path, authority: trustme.CA) -> None:
    card = await checked(folder, context(authority), more="")
    assert wrong(card) == {"tls-trusted": "fail"}


@contextmanager
def old_server(tls: ssl.SSLContext) -> Iterator[int]:
    """A server that says why a handshake failed, as those of the world do and those of asyncio do not."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with suppress(OSError), tls.wrap_socket(line, server_side=True):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


async def test_old_versions_fail_alone(folder: Path, authority: trustme.CA) -> None:
    tls = context(authority)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with old_server(tls) as port:
        province = registered([f"https://127.0.0.1:{port}/1"], CA)
        card = await check_province(province, folder, now=lambda: NOW)
    assert wrong(card) == {"tls-version": "fail"}


async def test_a_certificate_of_ours_that_is_wanted_and_not_registered_fails_the_handshake(
    folder: Path, authority: trustme.CA
) -> None:
    tls = context(authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    card = await checked(folder, tls)
    assert wrong(card) == {"tls-handshake": "fail"}


async def test_a_port_without_tls_fails_the_handshake(folder: Path) -> None:
    async with served(Centre()) as port:
        province = registered([f"https://127.0.0.1:{port}/1"])
        card = await check_province(province, folder, now=lambda: NOW)
    assert wrong(card) == {"tls-handshake": "fail"}


@pytest.mark.parametrize(
    ("ca", "name", "expected"),
    [
        ("ca", "127.0.0.1", {"tls-trusted": "warn would_verify"}),
        ("", "127.0.0.1", {"tls-trusted": "warn unverified_fault"}),
        ("ca", "gansu.example", {"tls-trusted": "warn unverified", "tls-name": "fail fault"}),
    ],
)
async def test_a_certificate_that_nobody_looks_at_is_a_warning_and_is_looked_at(
    folder: Path, authority: trustme.CA, ca: str, name: str, expected: dict[str, str]
) -> None:
    tls = context(authority, name, not_after=datetime.now(UTC) + timedelta(days=3650))
    named = 'ca_file = "ca.pem"' if ca else ""
    card = await checked(folder, tls, more=f"[province.tls]\nverify = false\n{named}")
    said = {name: result_of(card, name).found[0].what.rpartition(".")[2] for name in wrong(card)}
    assert {name: f"{outcome} {said[name]}" for name, outcome in wrong(card).items()} == expected
    assert outcomes(card)["total-rows"] is Outcome.PASS  # the rest is checked all the same


AUTH = '[province.auth]\nkind = "bearer"\ntoken_file = "token"\n'


async def test_a_secret_that_is_looked_at_passes(folder: Path) -> None:
    def demand(asked: Asked, reply: Reply) -> Reply | None:
        del reply
        return None if asked.authorization == "Bearer hunter2" else spring(401, "Unauthorized")

    card = await card_of(demand, more=AUTH, folder=folder)
    assert outcomes(card)["auth-enforced"] is Outcome.PASS
    assert wrong(card) == {"tls-https": "warn"}
    assert "hunter2" not in repr(card)


async def test_a_secret_that_nobody_looks_at_fails_alone(folder: Path) -> None:
    card = await card_of(more=AUTH, folder=folder)
    assert wrong(card) == {"tls-https": "warn", "auth-enforced": "fail"}


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ("Hostname mismatch, certificate is not valid for 'x'.", "name"),  # row 1
        ("IP address mismatch, certificate is not valid for '127.0.0.1'.", "name"),
        ("certificate has expired", "time"),  # row 2
        ("certificate is not yet valid", "time"),
        ("tlsv1 alert protocol version", "version"),  # row 3
        ("unsupported protocol", "version"),
        ("the port does not speak TLS", "handshake"),  # row 4
        ("the connection was dropped in the TLS handshake: the port may not speak TLS", "handshake"),
        ("the province wants a client certificate, and none is registered (cert_file)", "handshake"),
        ("self-signed certificate", "chain"),  # row 5
        ("unable to get local issuer certificate", "chain"),
        ("certificate revoked", "chain"),
    ],
)
def test_rows_1_to_5_trouble_is_told_by_its_words(detail: str, kind: str) -> None:
    assert trouble(detail) == kind

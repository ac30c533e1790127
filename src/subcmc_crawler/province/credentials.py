"""TLS contexts and credentials from files and environment (1.2.1, 1.3.1). Secrets never leave here in text."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.registry import Ministry, Province
from subcmc_crawler.province.settings import Auth, Tls


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the client of one province needs to be let in; the secret is not part of `repr`.

    `shows_certificate` says whether `tls` holds a certificate of ours, for mutual TLS.
    """

    tls: ssl.SSLContext
    server_hostname: str | None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    shows_certificate: bool = False


def load(province: Province, folder: Path) -> Credentials:
    """The credentials of a province; paths are relative to `folder`. BadConfig names the setting, not its value."""
    return _load(province.tls, province.auth, folder, f"{province.cmc_id}({province.name})")


def load_all(provinces: Iterable[Province], folder: Path) -> dict[str, Credentials]:
    """The credentials of provinces, by cmcId; those with the same TLS settings share a context."""
    contexts: dict[str, ssl.SSLContext] = {}
    found = {}
    for province in provinces:
        where = f"{province.cmc_id}({province.name})"
        files = province.tls.model_copy(update={"server_hostname": None}).model_dump_json()
        if files not in contexts:
            contexts[files] = _context(province.tls, folder, where)
        found[province.cmc_id] = _credentials(contexts[files], province.tls, province.auth, folder, where)
    return found


def load_ministry(ministry: Ministry, folder: Path) -> Credentials:
    """The credentials for the ministry's own platform."""
    return _load(ministry.tls, ministry.auth, folder, "ministry")


def _load(tls: Tls, auth: Auth | None, folder: Path, where: str) -> Credentials:
    """The credentials that two tables of the registry name; `where` is who they are for."""
    return _credentials(_context(tls, folder, where), tls, auth, folder, where)


def _credentials(
    context: ssl.SSLContext, tls: Tls, auth: Auth | None, folder: Path, where: str
) -> Credentials:
    return Credentials(
        context,
        tls.server_hostname,
        _headers(auth, folder, where) if auth else {},
        shows_certificate=tls.cert_file is not None,
    )


def _context(tls: Tls, folder: Path, where: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(folder / tls.ca_file) if tls.ca_file else None)
        if tls.cert_file:
            key = str(folder / tls.key_file) if tls.key_file else None
            # without a password OpenSSL would ask for one on the terminal
            context.load_cert_chain(str(folder / tls.cert_file), key, password="")
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(name for name in (tls.ca_file, tls.cert_file, tls.key_file) if name)
        raise BadConfig(
            f"{where}: tls: {type(error).__name__} with {files}: check that they are PEM files"
        ) from None
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _headers(auth: Auth, folder: Path, where: str) -> dict[str, str]:
    secret = _secret(auth, folder, where)
    if auth.kind == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    if auth.kind == "basic":
        pair = base64.b64encode(f"{auth.username}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {str(auth.header): secret}


def _secret(auth: Auth, folder: Path, where: str) -> str:
    if auth.token_env is not None:
        secret = os.environ.get(auth.token_env, "")
        source = f"the environment variable {auth.token_env}"
    else:
        source = f"the file {auth.token_file}"
        try:
            secret = (folder / str(auth.token_file)).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfig(f"{where}: auth: {source} cannot be read ({type(error).__name__})") from None
    if not secret or not secret.isprintable():
        raise BadConfig(f"{where}: auth: {source} holds no usable secret; put one line of text there")
    return secret

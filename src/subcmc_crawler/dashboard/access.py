"""Who may look: the password, and under which names the dashboard answers. Pure, but for reading the file."""

from __future__ import annotations

import base64
import binascii
import hmac
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from subcmc_crawler.errors import BadConfig

_SHORTEST: Final = 8
_LONGEST_HEADER: Final = 1_000


@dataclass(frozen=True, slots=True)
class Password:
    """A user and a password, of which only digests are kept."""

    user: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, user: str, secret: str) -> Password:
        """The pair by its digests, which are of one length whatever was given."""
        return cls(_digest(user), _digest(secret))

    def admits(self, authorization: str | None) -> bool:
        """Whether a header `Authorization` carries this very pair; takes as long for a near miss as for a far one."""
        given = _basic(authorization or "")
        if given is None:
            return False
        user, secret = given
        same_user = hmac.compare_digest(_digest(user), self.user)
        return hmac.compare_digest(_digest(secret), self.secret) and same_user


def read_password(path: Path) -> tuple[Password, bool]:
    """The `user:password` of the first line of a file, and whether all users of the machine can read that file.

    BadConfig when there is none, or one of less than eight characters.
    """
    try:
        exposed = bool(path.stat().st_mode & stat.S_IROTH)
        line = path.read_text(encoding="utf-8").splitlines()[:1]
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"--password-file: {path} cannot be read ({type(error).__name__})") from None
    user, colon, secret = (line[0] if line else "").partition(":")
    if not colon or not user:
        raise BadConfig(f"--password-file: {path} must hold one line, user:password")
    if len(secret) < _SHORTEST:
        raise BadConfig(f"--password-file: the password in {path} must have {_SHORTEST} characters or more")
    return Password.of(user, secret), exposed


def is_loopback(host: str) -> bool:
    """Whether an address to bind to is reached from this machine alone; of names only `localhost` is known."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_name(header: str) -> str:
    """The name or address in a header `Host`, without port and brackets, in lower case."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if name.count(":") == 1 else name


def is_own_name(header: str, names: frozenset[str]) -> bool:
    """Whether a request means us: by a loopback name or address, or by one of `names`.

    A page elsewhere may let its own name point at 127.0.0.1 and have a browser on this machine ask us; the name in
    `Host` is then still its own (DNS rebinding).
    """
    name = host_name(header)
    return name in names or is_loopback(name)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, credentials = header[:_LONGEST_HEADER].partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, secret = text.partition(":")
    return (user, secret) if colon else None


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()

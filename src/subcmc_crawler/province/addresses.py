"""One entry of `pullAddressList`: `[http(s)://]host:port[/base]` (2.1.1). Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_FORM = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:@\[\]]+)(?::(?P<port>\d+))?(?P<base>/.*)?"
)
_HOSTNAME = re.compile(r"(?!0[xX])[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_BASE = re.compile(r"(?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)*/?")
_DOTS = re.compile(r"(?:\.|%2[Ee]){1,2}")  # the library decodes them before it resolves segments


@dataclass(frozen=True, slots=True)
class Address:
    """Where a province answers; `base` is what a dataset's path is appended to."""

    scheme: str
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, text: str, default_scheme: str) -> Address:
        """The address that `text` names; a scheme in it wins. ValueError says what is wrong."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError('must be written "host:port/base", for example "192.168.1.23:8080/gansu1"')
        scheme = match["scheme"] or default_scheme
        if scheme not in ("http", "https"):
            raise ValueError(f'the scheme must be http or https, not "{scheme}"')
        port = int(match["port"]) if match["port"] else None
        if port is not None and not 1 <= port <= 65535:
            raise ValueError(f"the port must lie between 1 and 65535, not {port}")
        path = match["base"] or ""
        if not _BASE.fullmatch(path) or any(_DOTS.fullmatch(part) for part in path.split("/")):
            raise ValueError(
                "the base path may hold letters, digits and . _ ~ % - only, and no . or .. segment"
            )
        return cls(scheme, _host(match["host"]), port, path.rstrip("/"))

    @property
    def base(self) -> str:
        """`scheme://host:port/base`, without a slash at its end."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"

    def __str__(self) -> str:
        return self.base


def _host(text: str) -> str:
    """The host if it is an IP address or a name; forms that only inet_aton() knows are refused."""
    try:
        (ipaddress.IPv6Address if text.startswith("[") else ipaddress.IPv4Address)(text.strip("[]"))
    except ValueError:
        labels = text.split(".")
        named = all(_HOSTNAME.fullmatch(label) for label in labels) and not labels[-1].isdigit()
        if text.startswith("[") or not named or len(text) > 253:
            raise ValueError(f'"{text}" is neither an IP address nor a host name') from None
    return text

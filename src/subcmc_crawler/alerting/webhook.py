"""One POST of a digest as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from subcmc_crawler import __version__
from subcmc_crawler.alerting.channel import Undelivered, secret, tls
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.report.alert import Digest

_BUSY: Final = frozenset({408, 429})


class Webhook:
    """The webhook of `[alerts]`. Any 2xx is success; no redirect is followed, no proxy of the environment used."""

    def __init__(self, alerts: Alerts, folder: Path) -> None:
        self._alerts = alerts
        self._folder = folder

    @property
    def name(self) -> str:
        """The host alone: the path may hold a key."""
        return f"webhook {urlsplit(self._alerts.webhook_url or '').netloc}"

    def check(self) -> None:
        """Undelivered when the token or the certificate cannot be read."""
        self._headers()
        tls(self._folder, self._alerts.ca_file)

    async def send(self, digest: Digest, seconds: float) -> None:
        """Posts the digest; see the rows of `alerting` for what is tried again."""
        timeout = aiohttp.ClientTimeout(total=None, connect=seconds / 2)
        connector = aiohttp.TCPConnector(ssl=tls(self._folder, self._alerts.ca_file), force_close=True)
        url, jar = self._alerts.webhook_url or "", aiohttp.DummyCookieJar()
        try:
            async with (
                asyncio.timeout(seconds),
                aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as session,
                session.post(
                    url, data=digest.payload(), headers=self._headers(), allow_redirects=False
                ) as answer,
            ):
                _judge(answer.status)
        except aiohttp.ClientSSLError:
            raise Undelivered("tls", again=True) from None  # 1
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Undelivered("connect", again=True) from None  # 1
        except TimeoutError:
            raise Undelivered("timeout") from None  # 4
        except (aiohttp.ClientError, OSError):
            raise Undelivered("disconnected") from None  # 4

    def _headers(self) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": f"subcmc-crawler/{__version__}"}
        alerts = self._alerts
        token = secret(self._folder, alerts.webhook_token_file, alerts.webhook_token_env)
        if token is None:
            return headers
        if alerts.webhook_header is None:
            return {**headers, "Authorization": f"Bearer {token}"}
        return {**headers, alerts.webhook_header: token}


def _judge(status: int) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Undelivered("redirect")  # 3
    raise Undelivered(f"http-{status}", again=status in _BUSY or status >= 500)  # 2, 3

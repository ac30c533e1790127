"""One mail with a digest, by the standard library's SMTP in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final

from subcmc_crawler.alerting.channel import Undelivered, secret, tls
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.report.alert import Digest

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}


class Mail:
    """The mail server of `[alerts]`. Both tries carry the same Message-ID."""

    def __init__(self, alerts: Alerts, folder: Path) -> None:
        self._alerts = alerts
        self._folder = folder
        self._id = make_msgid(domain=str(alerts.sender).partition("@")[2])

    @property
    def name(self) -> str:
        """The server, without user and addresses."""
        return f"mail {self._alerts.smtp_host}:{self._port}"

    def check(self) -> None:
        """Undelivered when the password or the certificate cannot be read."""
        self._password()
        tls(self._folder, self._alerts.ca_file)

    async def send(self, digest: Digest, seconds: float) -> None:
        """Sends the mail; see the rows of `alerting` for what is tried again."""
        letter = _Letter(self._alerts, self._port, self._message(digest), seconds)
        work = _in_thread(lambda: letter.send(self._password(), tls(self._folder, self._alerts.ca_file)))
        try:
            await asyncio.wait_for(work, seconds)
        except TimeoutError:
            letter.abandon()
            raise Undelivered("timeout", again=not letter.leaving) from None  # 1, 4

    @property
    def _port(self) -> int:
        return self._alerts.smtp_port or _PORTS[self._alerts.smtp_security]

    def _password(self) -> str | None:
        return secret(self._folder, self._alerts.smtp_password_file, self._alerts.smtp_password_env)

    def _message(self, digest: Digest) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["Subject"] = digest.subject
        message["From"] = self._alerts.sender
        message["To"] = ", ".join(self._alerts.recipients)
        message["Date"] = formatdate(localtime=True)
        message["Message-ID"] = self._id
        message["Auto-Submitted"] = "auto-generated"  # out-of-office answers stay away (RFC 3834)
        message.set_content(digest.text, cte="base64")
        return message


class _Letter:
    """One try. `leaving` is set once the server may have taken the message."""

    def __init__(self, alerts: Alerts, port: int, message: EmailMessage, seconds: float) -> None:
        self._alerts = alerts
        self._port = port
        self._message = message
        self._seconds = seconds
        self._smtp: smtplib.SMTP | None = None
        self._abandoned = False
        self.leaving = False

    def send(self, password: str | None, context: ssl.SSLContext) -> None:
        """Talks to the server, blocking; Undelivered in the words of `fault.*`."""
        try:
            self._talk(password, context)
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"smtp-{error.smtp_code}", again=400 <= error.smtp_code < 500) from None  # 2, 3
        except smtplib.SMTPRecipientsRefused as error:
            busy = all(400 <= code < 500 for code, _ in error.recipients.values())
            raise Undelivered("refused-recipients", again=busy) from None  # 2, 3
        except smtplib.SMTPNotSupportedError:
            raise Undelivered("no-starttls") from None  # 3
        except ssl.SSLError:
            raise Undelivered("tls", again=not self.leaving) from None  # 1, 4
        except TimeoutError:
            raise Undelivered("timeout", again=not self.leaving) from None  # 1, 4
        except (smtplib.SMTPException, OSError) as error:
            # smtplib calls it a disconnection when its own clock rings before ours
            silent = self._abandoned or isinstance(error.__context__, TimeoutError)
            kind = "timeout" if silent else "connect" if self._smtp is None else "disconnected"
            raise Undelivered(kind, again=not self.leaving) from None  # 1, 4

    def abandon(self) -> None:
        """Wakes a thread that still waits for the server."""
        self._abandoned = True
        line = self._smtp.sock if self._smtp else None
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _talk(self, password: str | None, context: ssl.SSLContext) -> None:
        self._smtp = smtp = self._connected(context)
        try:
            if self._alerts.smtp_security == "starttls":
                smtp.starttls(context=context)
            if self._alerts.smtp_user and password is not None:
                smtp.login(self._alerts.smtp_user, password)
            smtp.ehlo_or_helo_if_needed()
            self.leaving = True
            refused = smtp.send_message(self._message)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()  # the message was taken: what comes now changes nothing
            if refused:
                raise Undelivered("refused-recipients")  # 3: the others have it
        finally:
            smtp.close()

    def _connected(self, context: ssl.SSLContext) -> smtplib.SMTP:
        host, own = str(self._alerts.smtp_host), socket.gethostname() or "localhost"
        if self._alerts.smtp_security == "tls":
            return smtplib.SMTP_SSL(
                host, self._port, local_hostname=own, timeout=self._seconds, context=context
            )
        return smtplib.SMTP(host, self._port, local_hostname=own, timeout=self._seconds)


def _in_thread(work: Callable[[], None]) -> asyncio.Future[None]:
    """The work in a thread that does not keep the process alive: a server may hold a line for ever."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def done(error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    def run() -> None:
        error = None
        try:
            work()
        except BaseException as raised:  # handed over to who waits
            error = raised
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(done, error)

    threading.Thread(target=run, name="subcmc-mail", daemon=True).start()
    return future

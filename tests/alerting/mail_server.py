"""A mail server on a real socket, as small as can be, that answers as a test wants."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """`answers` replaces the reply to a verb (`""` is the greeting); None for a verb means silence."""

    answers: Mapping[str, str | None] = field(default_factory=dict)
    on_silence: Callable[[], None] = lambda: None
    tls: ssl.SSLContext | None = None
    port: int = 0
    dialogues: int = 0
    verbs: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    encrypted: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Starts a dialogue."""
        self.dialogues += 1
        self.talks.add(asyncio.create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say(writer, "", "220 ready")
            while line := (await reader.readline()).decode().strip():
                verb = line.split()[0].upper()
                self.verbs.append(verb)
                if verb == "STARTTLS" and self.tls:
                    await self._say(writer, verb, "220 go")
                    await writer.start_tls(self.tls)
                    self.encrypted = True
                    continue
                await self._say(writer, verb, self._reply(line, verb))
                if verb == "DATA":
                    await self._take(reader, writer)
                if verb == "QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _reply(self, line: str, verb: str) -> str:
        if verb == "EHLO":
            starttls = "250-STARTTLS\r\n" if self.tls and not self.encrypted else ""
            return f"250-here\r\n{starttls}250 AUTH PLAIN"
        if verb == "AUTH":
            self.secrets.append(base64.b64decode(line.split()[2]).decode())
            return "235 welcome"
        if verb == "RCPT":
            self.recipients.append(line.partition("<")[2].rstrip(">"))
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 fine")

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = await reader.readuntil(b"\r\n.\r\n")
        self.messages.append(message_from_bytes(raw[:-3], policy=policy.default))
        await self._say(writer, ".", "250 taken")

    async def _say(self, writer: asyncio.StreamWriter, verb: str, usual: str) -> None:
        answer = self.answers.get(verb, usual)
        if answer is None:  # silence to the end of the test
            self.on_silence()
            await self.over.wait()
            raise ConnectionAbortedError
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def mail_server(
    answers: Mapping[str, str | None] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    at_once: ssl.SSLContext | None = None,
    on_silence: Callable[[], None] = lambda: None,
) -> AsyncIterator[MailServer]:
    """A server that is up; `tls` offers STARTTLS, `at_once` speaks TLS from the first byte."""
    mail = MailServer(answers=answers or {}, tls=tls, on_silence=on_silence)
    server = await asyncio.start_server(mail.begin, "127.0.0.1", 0, ssl=at_once)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        mail.over.set()
        await asyncio.wait_for(asyncio.gather(*mail.talks), 10)

"""Messengers: a webhook, and e-mail. What they carry is about the node alone: no voice, no take, no code."""

import json
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import urllib3
from urllib3.exceptions import HTTPError

from core.adapters.copy import Copy
from core.errors import Unavailable
from core.ports.messages import Message, Told

WEBHOOK_S = urllib3.Timeout(connect=3.0, read=7.0)
MAIL_S = 7.0


class Webhook:
    """Posts JSON to one address; a certificate that cannot be verified is a failure."""

    name = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(timeout=WEBHOOK_S, retries=False, maxsize=1)

    def send(self, message: Message) -> None:
        """See `core.ports.messages.Messenger`."""
        body = {
            "node": message.node,
            "warnings": [_plain(told) for told in message.warnings],
            "cleared": message.cleared,
        }
        headers = {"Content-Type": "application/json", "User-Agent": "memory-engine"}
        try:
            # What is answered is not read: whoever answers without end must not hold the node.
            answer = self._pool.request(
                "POST", self._url, body=json.dumps(body), headers=headers, preload_content=False, redirect=False
            )
        except (HTTPError, ValueError, OSError) as error:
            raise Unavailable(f"The webhook does not answer: {type(error).__name__}.") from error
        answer.close()
        if not 200 <= answer.status < 300:
            raise Unavailable(f"The webhook answered {answer.status}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class MailPlace:
    """A mail server, how the way to it is secured (`starttls`, `tls`, `none`), and who writes to whom."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


class Mail:
    """Hands one e-mail to a mail server."""

    name = "email"

    def __init__(self, place: MailPlace, copy: Copy) -> None:
        self._place = place
        self._copy = copy

    def send(self, message: Message) -> None:
        """See `core.ports.messages.Messenger`."""
        try:
            with self._open() as server:
                if self._place.user:
                    server.login(self._place.user, self._place.password)
                server.send_message(self._written(message), self._place.sender, self._place.recipients)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Unavailable(f"The mail server did not take it: {type(error).__name__}.") from error

    def _open(self) -> smtplib.SMTP:
        place = self._place
        if place.security == "tls":
            return smtplib.SMTP_SSL(place.host, place.port, timeout=MAIL_S, context=ssl.create_default_context())
        server = smtplib.SMTP(place.host, place.port, timeout=MAIL_S)
        if place.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _written(self, message: Message) -> EmailMessage:
        t, first = self._copy.t, next(iter(message.warnings), None)
        written = EmailMessage()
        written["Subject"] = f"{message.node}: {first.wording.title if first else t('warnings.mail_cleared')}"
        written["From"] = self._place.sender
        written["To"] = ", ".join(self._place.recipients)
        written["Date"] = formatdate(usegmt=True)
        written["Message-ID"] = make_msgid(domain="memory-engine.invalid")
        lines = [line for told in message.warnings for line in self._lines(told)]
        if message.cleared:
            lines.append(t("warnings.mail_cleared"))
        written.set_content("\n".join([*lines, "", t("warnings.mail_foot", node=message.node)]))
        return written

    def _lines(self, told: Told) -> list[str]:
        level = self._copy.t(f"warnings.level_{told.wording.level}")
        since = self._copy.t("warnings.mail_since", since=f"{told.since.astimezone():%Y-%m-%d %H:%M}")
        return [f"{level}: {told.wording.title}", told.wording.detail, since, ""]


def _plain(told: Told) -> dict[str, str]:
    return {
        "name": told.name,
        "level": told.wording.level,
        "title": told.wording.title,
        "detail": told.wording.detail,
        "since": told.since.isoformat(),
    }

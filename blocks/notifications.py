"""E-mail by a mail server of one's own: Prefect brings blocks for webhooks and chats, and not this."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

from prefect.blocks.abstract import NotificationBlock, NotificationError
from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9.-]+")
"""Plain addresses in ASCII: nothing that ends a header or an envelope."""


class EmailNotification(NotificationBlock):
    """Messages by e-mail, sent by SMTP.

    Works wherever Prefect takes a notification block, automations too.
    """

    _block_type_name = "Email Notification"
    _block_type_slug = "email-notification"
    _description = "Sends notifications by e-mail, through an SMTP server."

    model_config = ConfigDict(validate_assignment=True)

    host: str = Field(
        pattern=r"^[A-Za-z0-9.:-]{1,253}$", description="SMTP server, for example smtp.example.org."
    )
    port: int = Field(
        587, ge=1, le=65_535, description="587 for STARTTLS, 465 for TLS, 25 for none."
    )
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="starttls: asked for first; tls: from the first byte; none: in clear.",
    )
    ca_file: str | None = Field(
        None, description="Certificates to trust besides the system's; empty for none."
    )
    user: str | None = Field(None, description="To log in as; empty where no login is needed.")
    password: SecretStr | None = Field(None, description="Of that user.")
    sender: str = Field(description="Address that messages come from.")
    recipients: list[str] = Field(
        min_length=1, max_length=50, description="Addresses that messages go to."
    )
    timeout_seconds: float = Field(
        20.0, gt=0, le=300, description="For the connection and for each answer."
    )

    @field_validator("sender", "recipients")
    @classmethod
    def _addresses(cls, value: str | list[str]) -> str | list[str]:
        for address in [value] if isinstance(value, str) else value:
            if not ADDRESS.fullmatch(address):
                message = f"{address!r:.100} is no address such as name@example.org"
                raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _login(self) -> EmailNotification:
        if (self.user is None) is not (self.password is None):
            message = "user and password belong together: set both or neither"
            raise ValueError(message)
        if self.user is not None and self.tls == "none" and not _is_here(self.host):
            message = f"{self.host} would get the password in clear; set tls to starttls or tls"
            raise ValueError(message)
        return self

    async def notify(self, body: str, subject: str | None = None) -> None:
        """Send a message to every recipient.

        Args:
            body: Plain text.
            subject: One line; what is not is made one.

        Raises:
            NotificationError: The server did not take it for one of the recipients.
            OSError: It does not answer, or refuses; `smtplib`'s errors are among these.
        """
        await asyncio.to_thread(self._send, self._message(body, subject))

    def _message(self, body: str, subject: str | None) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = " ".join((subject or "Homeostat").split())[:200]
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        message.set_content(body)
        return message

    def _send(self, message: EmailMessage) -> None:
        with self._connected() as server:
            if self.tls == "starttls":
                server.starttls(context=self._trust())
            if self.user is not None and self.password is not None:
                server.login(self.user, self.password.get_secret_value())
            refused = server.send_message(message, self.sender, self.recipients)
        if refused:
            problem = f"sent, but not taken for {', '.join(sorted(refused))}"
            raise NotificationError(problem)

    def _connected(self) -> smtplib.SMTP:
        # The name of this machine without asking the network for it.
        place = (self.host, self.port, socket.gethostname())
        if self.tls == "tls":
            return smtplib.SMTP_SSL(*place, timeout=self.timeout_seconds, context=self._trust())
        return smtplib.SMTP(*place, timeout=self.timeout_seconds)

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

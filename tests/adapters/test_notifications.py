"""Messages arrive at receivers on loopback; one that does not take them is told of and stops nothing."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.notifications import CustomWebhookNotificationBlock, SlackWebhook
from pydantic import SecretStr, ValidationError

from blocks.notifications import EmailNotification
from tasks.adapters.notifications import PAUSES_SECONDS, Delivery, deliver, notify
from tests.support.receivers import (
    Answer,
    HttpReceiver,
    Received,
    SmtpReceiver,
    http_receiver,
    smtp_receiver,
)

# The library below Prefect's blocks imports it where Python still has it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PASSWORD = "correct horse battery"
TOKEN = "T0KEN/B0T/verysecretword"
SUBJECT, BODY = "Approval wanted", "Stack eu\nSaves $70 a month"


class Pauses:
    """Stands for waiting: keeps how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


def sent(block: NotificationBlock, pauses: Pauses, name: str = "any/one") -> Delivery:
    return deliver(block, block=name, subject=SUBJECT, body=BODY, pause=pauses)


def webhook(address: str, **more: Any) -> CustomWebhookNotificationBlock:
    payload = {"text": "{{subject}}\n{{body}}"}
    return CustomWebhookNotificationBlock(
        **{"name": "hook", "url": f"{address}/{TOKEN}", "json_data": payload, "timeout": 5.0} | more
    )


def slack(address: str) -> SlackWebhook:
    # Slack's own address is fixed; the block hands any other to the library below it.
    return SlackWebhook(url=SecretStr(address.replace("http://", "json://") + f"/{TOKEN}"))


def mail(port: int, **more: Any) -> EmailNotification:
    fields = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "sender": "homeostat@example.org",
        "recipients": ["ops@example.org", "finops@example.org"],
        "timeout_seconds": 5.0,
    }
    return EmailNotification(**fields | more)


def test_a_webhook_gets_subject_and_body(receiver: HttpReceiver, pauses: Pauses) -> None:
    assert sent(webhook(receiver.address), pauses) == Delivery(
        block="any/one", delivered=True, attempts=1
    )
    assert receiver.received[0].json == {"text": f"{SUBJECT}\n{BODY}"}


def test_the_slack_block_gets_subject_and_body(receiver: HttpReceiver, pauses: Pauses) -> None:
    assert sent(slack(receiver.address), pauses).delivered
    told = receiver.received[0].json
    assert (told["title"], told["message"]) == (SUBJECT, BODY)


def test_a_mail_arrives_at_everybody(pauses: Pauses) -> None:
    with smtp_receiver() as server:
        assert sent(mail(server.port), pauses).delivered

    sender, recipients, text = server.mails[0]
    read = email.message_from_bytes(text, policy=default)
    assert isinstance(read, EmailMessage)
    assert "homeostat@example.org" in sender
    assert recipients == ("ops@example.org", "finops@example.org")
    assert (read["Subject"], read["To"]) == (SUBJECT, ", ".join(recipients))
    assert read.get_content().splitlines() == BODY.splitlines()


def test_it_is_told_from_within_a_running_loop_too(receiver: HttpReceiver, pauses: Pauses) -> None:
    async def within() -> list[Delivery]:
        with smtp_receiver() as server:
            every = (webhook(receiver.address), slack(receiver.address), mail(server.port))
            return [sent(one, pauses) for one in every]

    assert all(one.delivered for one in asyncio.run(within()))


def test_a_receiver_that_is_busy_is_tried_again(pauses: Pauses) -> None:
    answers = [Answer(status=503), Answer(status=429)]

    with http_receiver(lambda _: answers.pop(0) if answers else Answer()) as busy:
        found = sent(webhook(busy.address), pauses)

    assert (found.delivered, found.attempts) == (True, 3)
    assert pauses.seconds == list(PAUSES_SECONDS)


def test_a_mail_server_that_says_later_is_tried_again(pauses: Pauses) -> None:
    with smtp_receiver(SmtpReceiver(busy=2)) as server:
        found = sent(mail(server.port), pauses)

    assert (found.delivered, found.attempts) == (True, 3)
    assert len(server.mails) == 1


def test_after_a_few_attempts_it_is_given_up(pauses: Pauses) -> None:
    with http_receiver(lambda _: Answer(status=500)) as broken:
        found = sent(webhook(broken.address), pauses)

    assert found == Delivery(
        block="any/one", delivered=False, attempts=3, reason="the receiver answered 500"
    )


def test_what_is_refused_is_not_tried_again(pauses: Pauses) -> None:
    with http_receiver(lambda _: Answer(status=404)) as wrong:
        for block in (webhook(wrong.address), slack(wrong.address)):
            found = sent(block, pauses)
            assert (found.delivered, found.attempts) == (False, 1)
            assert "404" in found.reason
    assert pauses.seconds == []


def said(_: Received) -> Answer:
    """Refuse in words that hold the secret."""
    return Answer(status=418, body={"error": f"no {TOKEN} {PASSWORD}"})


def test_reasons_have_no_secret_whoever_tells_them(pauses: Pauses) -> None:
    context = SmtpReceiver(login=f"homeostat:another {PASSWORD}")
    with http_receiver(said) as server, smtp_receiver(context) as mails:
        found = [
            sent(webhook(server.address), pauses),
            sent(webhook(server.address, headers={"Authorization": f"Bearer {PASSWORD}"}), pauses),
            sent(slack(server.address), pauses),
            # Its server answers with the password that it was given.
            sent(mail(mails.port, user="homeostat", password=SecretStr(PASSWORD)), pauses),
            sent(webhook("http://127.0.0.1:1"), pauses),
            sent(webhook("http://me:hunter2hunter2@127.0.0.1:1"), pauses),
            sent(webhook(f"nothing://{PASSWORD}".replace(" ", "")), pauses),
            sent(slack("http://127.0.0.1:1"), pauses),
        ]

    assert not any(one.delivered for one in found)
    assert all(one.reason for one in found)
    told = " ".join(one.reason for one in found)
    for secret in (*TOKEN.split("/"), PASSWORD, PASSWORD.replace(" ", ""), "hunter2hunter2"):
        assert secret not in told


def test_a_private_address_can_be_forbidden(receiver: HttpReceiver, pauses: Pauses) -> None:
    found = sent(webhook(receiver.address, allow_private_urls=False), pauses)

    assert (found.delivered, found.attempts, receiver.received) == (False, 1, [])
    assert "private address" in found.reason
    assert "verysecretword" not in found.reason


def test_a_recipient_that_is_not_taken_is_named_and_the_others_have_it_once(pauses: Pauses) -> None:
    with smtp_receiver(SmtpReceiver(refuses=frozenset({"ops@example.org"}))) as server:
        found = sent(mail(server.port), pauses)

    assert (found.delivered, found.attempts, len(server.mails)) == (False, 1, 1)
    assert "not taken for ops@\u2060example.org" in found.reason
    assert server.mails[0][1] == ("finops@example.org",)


class Odd(NotificationBlock):
    """A block of somebody else, which fails in a way that nobody thought of."""

    async def notify(self, body: str, subject: str | None = None) -> None:
        raise ZeroDivisionError


def test_a_block_that_fails_oddly_stops_nothing(pauses: Pauses) -> None:
    found = sent(Odd(), pauses)

    assert (found.delivered, found.reason) == (False, "ZeroDivisionError")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a certificate of 127.0.0.1 and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def secure(certificate: Path, **more: Any) -> SmtpReceiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return SmtpReceiver(certificate=context, **more)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_login_goes_over_tls(tls: str, certificate: Path, pauses: Pauses) -> None:
    told = secure(certificate, login=f"homeostat:{PASSWORD}", at_once=tls == "tls")
    login = {"user": "homeostat", "password": SecretStr(PASSWORD)}

    with smtp_receiver(told) as server:
        found = sent(mail(server.port, tls=tls, ca_file=str(certificate), **login), pauses)

    assert found.delivered, found.reason
    assert server.secure


def test_a_certificate_that_nobody_vouches_for_is_not_taken(
    certificate: Path, pauses: Pauses
) -> None:
    with smtp_receiver(secure(certificate)) as server:
        found = sent(mail(server.port, tls="starttls"), pauses)

    assert not found.delivered
    assert "CERTIFICATE_VERIFY_FAILED" in found.reason
    assert server.mails == []


def test_a_server_without_tls_does_not_get_what_should_go_over_it(pauses: Pauses) -> None:
    with smtp_receiver() as server:
        found = sent(mail(server.port, tls="starttls"), pauses)

    assert not found.delivered
    assert "STARTTLS" in found.reason
    assert server.mails == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"recipients": ["a@b.example\nBcc: c@d.example"]}, "is no address"),
        ({"sender": "me"}, "is no address"),
        ({"recipients": []}, "at least 1 item"),
        ({"user": "me"}, "belong together"),
        ({"host": "smtp.example.org", "user": "me", "password": "x"}, "in clear"),
        ({"host": "a b"}, "match pattern"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"tls": "maybe"}, "Input should be"),
    ],
)
def test_a_mail_block_that_makes_no_sense_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        mail(**({"port": 25} | wrong))


def test_a_subject_of_many_lines_is_one(pauses: Pauses) -> None:
    with smtp_receiver() as server:
        found = deliver(
            mail(server.port), block="a/b", subject="a\r\nBcc: x@y.example", body="b", pause=pauses
        )

    assert found.delivered
    assert b"\r\nBcc" not in server.mails[0][2]


def test_names_that_are_no_block_are_told_without_asking() -> None:
    (found,) = notify(["<b>"], subject=SUBJECT, body=BODY)

    assert (found.delivered, found.attempts) == (False, 0)
    assert "name one as type/name" in found.reason


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_blocks_are_loaded_by_name_and_the_deaf_ones_do_not_keep_it_from_the_others(
    receiver: HttpReceiver, pauses: Pauses
) -> None:
    with smtp_receiver(secure_login()) as server:
        login = {"user": "homeostat", "password": SecretStr(PASSWORD)}
        mail(server.port, **login).save("ops-mail", overwrite=True)
        webhook(receiver.address).save("ops-hook", overwrite=True)
        slack("http://127.0.0.1:1").save("ops-slack", overwrite=True)
        names = ["slack-webhook/ops-slack", "email-notification/ops-mail", "secret/none"]
        names += ["custom-webhook/ops-hook", "custom-webhook/ops-hook", "nothing/none"]

        found = notify(names, subject=SUBJECT, body=BODY, pause=pauses)

    assert [(one.block.partition("/")[2], one.delivered) for one in found] == [
        ("ops-slack", False),
        ("ops-mail", True),
        ("none", False),
        ("ops-hook", True),
        ("none", False),
    ]
    assert len(server.mails) == 1
    assert len(receiver.received) == 1
    assert "there is no block" in found[2].reason
    assert "verysecretword" not in str(found)


def secure_login() -> SmtpReceiver:
    return SmtpReceiver(login=f"homeostat:{PASSWORD}")

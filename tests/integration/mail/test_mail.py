"""Mail, by a real SMTP server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from shared.mail.mailer import MAILS, Mailer, mailer_of
from shared.mail.settings import MailSettings
from shared.runtime.resources import Resources
from tests.support.certificates import authority
from tests.support.mail import MailServer

FROM = "Weir <weir@example.com>"
LINK = "https://weir.example.com/invitation#token=" + "x" * 80


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system trusts the tests' authority."""
    file = tmp_path / "ca.pem"
    file.write_text(authority().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def mailer_for(url: str, *pauses: float) -> Mailer:
    return Mailer(MailSettings(smtp_url=url, mail_from=FROM), pauses_seconds=pauses)


@pytest.fixture
async def mailer(server: MailServer) -> AsyncIterator[Mailer]:
    opened = mailer_for(f"smtp://127.0.0.1:{server.port}?tls=none", 0.01, 0.01)
    yield opened
    await opened.close()


async def test_a_mail_is_plain_text_and_says_that_a_machine_wrote_it(
    server: MailServer, mailer: Mailer
) -> None:
    mailer.send(to="ann@example.org", subject="Ann, füge dich ein", text=f"Grüße\n\n{LINK}\n.\nEnd")
    mail = await server.mail()
    assert mail["from"] == FROM
    assert mail["to"] == "ann@example.org"
    assert mail["subject"] == "Ann, füge dich ein"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["message-id"].endswith("@example.com>")
    assert mail["date"].datetime is not None
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == ["Grüße", "", LINK, ".", "End"]
    assert server.envelopes[0].mail_from == "weir@example.com"
    assert server.envelopes[0].rcpt_tos == ["ann@example.org"]


async def test_what_people_named_things_makes_no_header(server: MailServer, mailer: Mailer) -> None:
    mailer.send(to="ann@example.org", subject="Join\r\nBcc: all@example.org\r\n\r\nhello\x00", text="text")
    mail = await server.mail()
    assert mail["subject"] == "Join Bcc: all@example.org hello"
    assert mail["bcc"] is None
    assert server.envelopes[0].rcpt_tos == ["ann@example.org"]


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.org\r\nBcc: all@example.org",
        "ann@example.org, bob@example.org",
        "Ann <ann@example.org>",
        "ann@example.org\n",
        "ann",
        "",
        "<ann@example.org> NOTIFY=SUCCESS",
    ],
)
async def test_what_is_not_one_address_gets_nothing(server: MailServer, mailer: Mailer, to: str) -> None:
    mailer.send(to=to, subject="s", text="t")
    mailer.send(to="last@example.org", subject="s", text="t")
    await server.mail()
    await mailer.settle(60)
    assert [envelope.rcpt_tos for envelope in server.envelopes] == [["last@example.org"]]


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS"
)  # of aiosmtpd: it speaks TLS below that
async def test_it_is_sent_by_tls_from_the_start_to_who_logs_in(trusted: None) -> None:
    with MailServer(authority().server(), implicit=True, users={"weir@x": "pass:/word"}) as server:
        mailer = mailer_for(f"smtps://weir%40x:pass%3A%2Fword@127.0.0.1:{server.port}")
        mailer.send(to="ann@example.org", subject="s", text="t")
        await server.mail()
        await mailer.close()
        assert server.was_encrypted == [True]
        assert server.logins == 1


async def test_starttls_is_used(trusted: None) -> None:
    with MailServer(authority().server(), users={"weir": "password"}) as server:
        mailer = mailer_for(f"smtp://weir:password@127.0.0.1:{server.port}")
        mailer.send(to="ann@example.org", subject="s", text="t")
        await server.mail()
        await mailer.close()
        assert server.was_encrypted == [True]


async def test_without_starttls_nothing_is_sent(server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    mailer = mailer_for(f"smtp://weir:password@127.0.0.1:{server.port}")
    with caplog.at_level(logging.WARNING, "weir.mail"):
        mailer.send(to="ann@example.org", subject="s", text="t")
        await mailer.settle(60)
    assert "SMTPNotSupportedError" in caplog.text
    assert server.taken == []
    assert server.logins == 0


async def test_a_server_that_is_not_who_it_should_be_gets_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with MailServer(authority("Others").server(), users={"weir": "password"}) as server:
        mailer = mailer_for(f"smtp://weir:password@127.0.0.1:{server.port}")
        with caplog.at_level(logging.WARNING, "weir.mail"):
            mailer.send(to="ann@example.org", subject="s", text="t")
            await mailer.settle(60)
        assert "SSLCertVerificationError" in caplog.text
        assert server.logins == 0


async def test_a_wrong_password_is_not_tried_again_and_not_logged(
    trusted: None, caplog: pytest.LogCaptureFixture
) -> None:
    with MailServer(authority().server(), users={"weir": "password"}) as server:
        mailer = mailer_for(f"smtp://weir:wrong-one@127.0.0.1:{server.port}", 0.01)
        with caplog.at_level(logging.DEBUG, "weir.mail"):
            mailer.send(to="ann@example.org", subject="s", text=LINK)
            await mailer.settle(60)
        assert server.sessions <= 2  # before and after STARTTLS
        assert "SMTPAuthenticationError 535" in caplog.text
        for secret in ("wrong-one", LINK, "ann@example.org"):
            assert secret not in caplog.text


async def test_what_was_not_taken_for_now_is_tried_again(server: MailServer, mailer: Mailer) -> None:
    server.answers = ["451 later", "451 later"]
    mailer.send(to="ann@example.org", subject="s", text="t")
    await server.mail()
    assert server.sessions == 3


async def test_what_was_refused_is_not(server: MailServer, mailer: Mailer) -> None:
    before = _count("refused")
    server.answers = ["554 no"]
    mailer.send(to="ann@example.org", subject="s", text="t")
    await mailer.settle(60)
    assert server.sessions == 1
    assert _count("refused") == before + 1


@asynccontextmanager
async def odd_server(said: bytes) -> AsyncIterator[int]:
    """The port of one that says this to everybody, again and again, and nothing else."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reading = asyncio.create_task(reader.read())
        while not (await asyncio.wait({reading}, timeout=0.02))[0]:
            writer.write(said)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("said", [b"", b"2"], ids=["silent", "trickling"])
async def test_a_server_that_does_not_come_to_the_point_is_given_up(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.mail.mailer.SESSION_SECONDS", 0.3)
    before = _count("lost")
    async with odd_server(said) as port:
        mailer = mailer_for(f"smtp://127.0.0.1:{port}")
        mailer.send(to="ann@example.org", subject="s", text="t")
        assert _count("lost") == before  # it has not waited for that
        await mailer.settle(60)
        assert _count("lost") == before + 1
        await mailer.close()


async def test_the_end_of_a_process_waits_for_what_was_handed_off(
    server: MailServer, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_SMTP_URL", f"smtp://127.0.0.1:{server.port}?tls=none")
    monkeypatch.setenv("WEIR_MAIL_FROM", FROM)
    mailer = mailer_of(resources)
    assert mailer is mailer_of(resources)
    assert mailer.is_configured
    for number in range(5):
        mailer.send(to=f"p{number}@example.org", subject="s", text="t")
    await resources.close()
    assert len(server.taken) == 5


async def test_before_a_process_stands_still_its_mails_are_gone(
    server: MailServer, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_SMTP_URL", f"smtp://127.0.0.1:{server.port}?tls=none")
    monkeypatch.setenv("WEIR_MAIL_FROM", FROM)
    mailer_of(resources).send(to="ann@example.org", subject="s", text="t")
    await resources.settle(60)
    assert len(server.taken) == 1


async def test_to_pretend_is_a_session_without_a_mail(server: MailServer, mailer: Mailer) -> None:
    mailer.pretend()
    await mailer.settle(60)
    assert server.sessions == 1
    assert server.taken == []


async def test_without_a_server_nothing_is_sent(resources: Resources) -> None:
    mailer = mailer_of(resources)
    mailer.send(to="ann@example.org", subject="s", text="t")
    mailer.pretend()
    assert not mailer.is_configured


def _count(outcome: str) -> float:
    return MAILS._values.get((outcome,), 0)

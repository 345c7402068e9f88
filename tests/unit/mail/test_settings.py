"""What may be said of a mail server."""

import pytest
from pydantic import ValidationError

from shared.mail.settings import MailSettings, Server, is_address, server_of


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example.com", Server("mail.example.com", 465, "implicit")),
        (
            "smtps://a%40b:p%2Fw@mail.example.com:1465",
            Server("mail.example.com", 1465, "implicit", "a@b", "p/w"),
        ),
        ("smtp://mail.example.com", Server("mail.example.com", 587, "starttls")),
        ("smtp://[::1]:25?tls=none", Server("::1", 25, "none")),
    ],
)
def test_a_url_names_a_server(url: str, server: Server) -> None:
    assert server_of(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com:25",
        "http://mail.example.com",
        "smtp://",
        "smtp://user@mail.example.com",
        "smtp://user:secret-word@mail.example.com?tls=none",
        "smtps://user:secret-word@mail.example.com?tls=none",
        "smtp://mail.example.com?tls=maybe",
        "smtp://mail.example.com/box",
        "smtp://mail.example.com:port",
    ],
)
def test_what_cannot_be_used_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MailSettings(smtp_url=url, mail_from="weir@example.com")
    assert "secret-word" not in str(refused.value)


@pytest.mark.parametrize("sender", ["Weir", "weir@example.com\r\nBcc: x@example.org", "", "a@b, c@d"])
def test_a_sender_is_one_address(sender: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        MailSettings(smtp_url="smtp://mail.example.com", mail_from=sender)


def test_one_setting_without_the_other_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="WEIR_MAIL_FROM"):
        MailSettings(smtp_url="smtp://mail.example.com")
    with pytest.raises(ValidationError, match="WEIR_SMTP_URL"):
        MailSettings(mail_from="weir@example.com")
    assert MailSettings().server is None


def test_the_password_is_not_shown() -> None:
    settings = MailSettings(smtp_url="smtp://a:secret-word@mail.example.com", mail_from="weir@example.com")
    assert "secret-word" not in repr(settings) + repr(settings.server)


@pytest.mark.parametrize("text", ["a@b", "grün@example.org", "a+b.c@sub.example.org"])
def test_an_address(text: str) -> None:
    assert is_address(text)

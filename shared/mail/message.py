"""A mail as it is sent: plain text, and nothing in its head that somebody else wrote there."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid

from shared.mail.settings import is_address, sender_of

MAX_SUBJECT = 200


def compose(*, sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """The mail (RFC 5322). Raises ValueError for what is not one address.

    A subject may hold what people named things: what cannot be in one line of a header becomes a space.
    """
    if not is_address(to):
        raise ValueError("not one address")
    name, address = sender_of(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = one_line(subject)[:MAX_SUBJECT]
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    # RFC 3834, section 5: nobody's absence answers to it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def one_line(text: str) -> str:
    """`text` without line ends and other signs that are not to be seen."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())

"""What is written to somebody who is invited."""

import re
from urllib.parse import urlsplit

_LIKE_A_LINK = re.compile(r"[/:@\\]|\w\.\w")
MAX_NAME = 60


def subject(project: str) -> str:
    """The mail's subject."""
    return f"An invitation to the project {project} in Weir"


def text(*, inviter: str, project: str, role: str, link: str, days: int) -> str:
    """The mail. An inviter's name is their own word: one that a mail program could make a link of is left out."""
    host = urlsplit(link).netloc
    return (
        f"{_name(inviter)} invites you to the project {project} at {host}, as {role}.\n"
        f"\nAccept within {days} days:\n\n{link}\n"
        "\nThe link works once. If you do not know what this is about, leave it alone: nothing happens then.\n"
    )


def _name(name: str) -> str:
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not plain or len(plain) > MAX_NAME or _LIKE_A_LINK.search(plain):
        return "Somebody"
    return plain

"""What people sign in with beside a password, and what they are told of their account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class TotpSecret(Model):
    """What a user's authenticator shares with Weir, sealed.

    It counts from `confirmed_at` on. Codes of `last_step` and before are used up.
    """

    __tablename__ = "totp_secrets"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret_sealed: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class RecoveryCode(Model):
    """One of a set of codes for the day on which the second factor is lost. All of a set share a salt."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    used_at: Mapped[datetime | None]


class Passkey(Model):
    """A WebAuthn credential. It works for pages of `relying_party` and its sub-domains alone."""

    __tablename__ = "passkeys"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    relying_party: Mapped[str]
    name: Mapped[str]
    transports: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    is_synced: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_used_at: Mapped[datetime | None]


class Notice(Model):
    """Something that a user should know of their account. It is there until they have read it."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    address: Mapped[str]
    browser: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)

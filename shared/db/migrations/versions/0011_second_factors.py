"""What people sign in with beside a password, and what they are told of their account."""

from alembic import op

revision = "0011"
down_revision = "0010"
phase = "expand"


def upgrade() -> None:
    """One-time codes, recovery codes, passkeys and notices of a user."""
    op.execute(
        """
        CREATE TABLE totp_secrets (
            user_id UUID NOT NULL,
            secret_sealed BYTEA NOT NULL,
            last_step BIGINT DEFAULT 0 NOT NULL,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_totp_secrets PRIMARY KEY (user_id),
            CONSTRAINT fk_totp_secrets_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
        )
        """
    )
    op.execute(
        """
        CREATE TABLE recovery_codes (
            user_id UUID NOT NULL,
            code_hash BYTEA NOT NULL,
            salt BYTEA NOT NULL,
            used_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, code_hash),
            CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
        )
        """
    )
    op.execute(
        """
        CREATE TABLE passkeys (
            id UUID NOT NULL,
            user_id UUID NOT NULL,
            credential_id BYTEA NOT NULL,
            public_key BYTEA NOT NULL,
            sign_count BIGINT NOT NULL,
            relying_party TEXT NOT NULL,
            name TEXT NOT NULL,
            transports TEXT[] DEFAULT '{}' NOT NULL,
            is_synced BOOLEAN NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            last_used_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_passkeys PRIMARY KEY (id),
            CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id),
            CONSTRAINT fk_passkeys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX ix_passkeys_user_id ON passkeys (user_id)")
    op.execute(
        """
        CREATE TABLE notices (
            id UUID NOT NULL,
            user_id UUID NOT NULL,
            kind TEXT NOT NULL,
            address TEXT NOT NULL,
            browser TEXT NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_notices PRIMARY KEY (id),
            CONSTRAINT fk_notices_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX ix_notices_user_id ON notices (user_id)")


def downgrade() -> None:
    """Version 0010 knows passwords and links alone."""
    op.execute("DROP TABLE notices")
    op.execute("DROP TABLE passkeys")
    op.execute("DROP TABLE recovery_codes")
    op.execute("DROP TABLE totp_secrets")

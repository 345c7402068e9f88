"""Who was invited, and who signs in elsewhere."""

from alembic import op

revision = "0012"
down_revision = "0011"
phase = "expand"


def upgrade() -> None:
    """Invitations of projects, and the identities that providers give to users."""
    op.execute(
        """
        CREATE TABLE invitations (
            id UUID NOT NULL,
            project_id UUID NOT NULL,
            email TEXT NOT NULL,
            role TEXT NOT NULL,
            token_hash BYTEA NOT NULL,
            invited_by TEXT NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            accepted_at TIMESTAMP WITH TIME ZONE,
            accepted_by UUID,
            CONSTRAINT pk_invitations PRIMARY KEY (id),
            CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
            CONSTRAINT fk_invitations_project_id_projects
                FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
            CONSTRAINT fk_invitations_accepted_by_users
                FOREIGN KEY(accepted_by) REFERENCES users (id) ON DELETE SET NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_invitations_project_id ON invitations (project_id)")
    op.execute(
        """
        CREATE TABLE identities (
            issuer TEXT NOT NULL,
            subject TEXT NOT NULL,
            user_id UUID NOT NULL,
            email TEXT NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            last_used_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_identities PRIMARY KEY (issuer, subject),
            CONSTRAINT fk_identities_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX ix_identities_user_id ON identities (user_id)")


def downgrade() -> None:
    """Version 0011 knows neither."""
    op.execute("DROP TABLE identities")
    op.execute("DROP TABLE invitations")

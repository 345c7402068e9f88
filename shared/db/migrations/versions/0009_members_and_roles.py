"""Roles of a project's own, when members came and were seen, who made a key, and its secret before."""

from alembic import op

revision = "0009"
down_revision = "0008"
phase = "expand"

BUILT_IN = "'owner', 'admin', 'operator', 'viewer'"

TABLES = f"""
CREATE TABLE roles (
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    permissions TEXT[] DEFAULT '{{}}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_roles PRIMARY KEY (project_id, name),
    CONSTRAINT fk_roles_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
    CONSTRAINT ck_roles_name CHECK (name NOT IN ({BUILT_IN}))
);

ALTER TABLE members
    DROP CONSTRAINT ck_members_role,
    ADD COLUMN own_role TEXT GENERATED ALWAYS AS (CASE WHEN role NOT IN ({BUILT_IN}) THEN role END) STORED,
    ADD COLUMN joined_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN last_seen_at TIMESTAMP WITH TIME ZONE,
    ALTER COLUMN joined_at SET DEFAULT now();
ALTER TABLE members ADD CONSTRAINT fk_members_project_id_own_role
    FOREIGN KEY(project_id, own_role) REFERENCES roles (project_id, name) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ix_members_project_id_own_role ON members (project_id, own_role) WHERE own_role IS NOT NULL;

ALTER TABLE api_keys
    ADD COLUMN created_by TEXT,
    ADD COLUMN last_used_from TEXT,
    ADD COLUMN previous_hash BYTEA,
    ADD COLUMN previous_expires_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN previous_used_at TIMESTAMP WITH TIME ZONE;
"""

# Version 0008 knows the four roles alone. Who had another becomes a viewer where it allowed as much, and leaves
# otherwise: nobody may do more for it.
WITHOUT_OWN_ROLES = """
UPDATE members m SET role = 'viewer' FROM roles r
WHERE r.project_id = m.project_id AND r.name = m.own_role
  AND r.permissions @> ARRAY['events:read', 'subscriptions:read', 'deliveries:read', 'projects:read',
                             'producers:read', 'sources:read', 'types:read'];
DELETE FROM members WHERE own_role IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE members
    DROP CONSTRAINT fk_members_project_id_own_role,
    DROP COLUMN own_role,
    DROP COLUMN joined_at,
    DROP COLUMN last_seen_at,
    ADD CONSTRAINT ck_members_role CHECK (role IN ('owner', 'admin', 'operator', 'viewer'));
DROP TABLE roles;
ALTER TABLE api_keys
    DROP COLUMN created_by,
    DROP COLUMN last_used_from,
    DROP COLUMN previous_hash,
    DROP COLUMN previous_expires_at,
    DROP COLUMN previous_used_at;
"""


def upgrade() -> None:
    """Columns and a table; when members joined is not known of those who are there."""
    _run(TABLES)


def downgrade() -> None:
    """Back to four roles."""
    _run(WITHOUT_OWN_ROLES)


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)

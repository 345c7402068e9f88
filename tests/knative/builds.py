"""A next version of the image: the same code, with an expand and a contract migration, and a fault that can be switched on."""

import os
from pathlib import Path
from uuid import uuid4

from shared.db.migrate import chain
from tests.knative.tool import Tool

PACKAGES = "/usr/local/lib/python3.11/site-packages"

MIGRATION = '''"""{text}"""

from alembic import op

revision = "{revision}"
down_revision = "{before}"
phase = "{phase}"


def upgrade() -> None:
    op.execute("{upgrade}")


def downgrade() -> None:
    op.execute("{downgrade}")
'''

FAULT = '''"""A fault of the code: with WEIR_TEST_FAULT every event is answered 500, or after three seconds."""

import os

if kind := os.environ.get("WEIR_TEST_FAULT"):
    import asyncio

    from shared.runtime import guard

    begin = guard.Guard.__init__

    def faulty(self, app, *args, **kwargs):
        async def answer(scope, receive, send):
            if scope.get("path", "").startswith("/in/"):
                if kind == "errors":
                    raise RuntimeError("a fault of the code")
                await asyncio.sleep(3)
            await app(scope, receive, send)

        begin(self, answer, *args, **kwargs)

    guard.Guard.__init__ = faulty
'''


def next_image(image: str, folder: Path) -> str | None:
    """The name of an image that comes after `image`. None where there is nothing that could build one.

    WEIR_IMAGE_NEXT names one that is there already.
    """
    if there := os.environ.get("WEIR_IMAGE_NEXT"):
        return there
    tool = Tool.find()
    if tool is None:
        return None
    head = chain()[-1].revision
    (folder / "9001_drafts.py").write_text(
        MIGRATION.format(
            text="A column more.",
            revision="9001",
            before=head,
            phase="expand",
            upgrade="ALTER TABLE events ADD COLUMN draft TEXT",
            downgrade="ALTER TABLE events DROP COLUMN draft",
        )
    )
    (folder / "9002_no_drafts.py").write_text(
        MIGRATION.format(
            text="A column less.",
            revision="9002",
            before="9001",
            phase="contract",
            upgrade="ALTER TABLE events DROP COLUMN draft",
            downgrade="ALTER TABLE events ADD COLUMN draft TEXT",
        )
    )
    (folder / "sitecustomize.py").write_text(FAULT)
    lines = [
        f"FROM {image}",
        f"COPY 9001_drafts.py 9002_no_drafts.py {PACKAGES}/shared/db/migrations/versions/",
        f"COPY sitecustomize.py {PACKAGES}/",
    ]
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    name = f"{image.rpartition(':')[0]}:next-{uuid4().hex[:8]}"
    return tool.build(name, folder)

"""What the pages name exists, and what exists is named."""

import re
from pathlib import Path

from cli.main import weir
from events.housekeep.settings import HousekeepSettings
from functions.identity.oidc.settings import OidcSettings
from functions.identity.settings import IdentitySettings
from functions.ingest.settings import IngestSettings
from shared.auth.permissions import PERMISSIONS
from shared.core.delivery import DEFAULT, policy_json
from shared.db.models import Model
from shared.mail.settings import MailSettings
from shared.runtime import registry
from shared.runtime.settings import ConnectionSettings, Settings
from shared.sending.binding import BindingSettings
from shared.sending.replies import ReplySettings
from shared.transforms.settings import TransformSettings
from tests.support.helped import walk

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_the_page_for_operators_leads_to_every_other() -> None:
    pages = {page.name for page in (DOCS / "operate").glob("*.md")} - {"README.md"}
    assert pages - set(LINK.findall((DOCS / "operate/README.md").read_text())) == set()


def test_the_architecture_names_every_function_and_table() -> None:
    text = (DOCS / "architecture.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z]+)` \| (endpoint|handler) \|", text, re.MULTILINE))
    assert rows == {f.name: "handler" if f.is_handler else "endpoint" for f in registry.functions()}
    assert {name for name in Model.metadata.tables if f"`{name}`" not in text} == set()


def test_the_page_of_the_command_names_every_command() -> None:
    text = (DOCS / "start/command.md").read_text()
    named: set[tuple[str, ...]] = set()
    for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE):
        head: tuple[str, ...] = ()
        for words in re.findall(r"`([^`]+)`", row):
            path = tuple(word for word in words.split() if word.islower())
            if path[:1] == ("weir",):
                head = path = path[1:]
            elif len(head) > 1:
                # What follows `weir events ls` is of events too.
                path = (head[0], *path)
            named |= {path[:length] for length in range(len(path) + 1)}
    assert {path for path, _ in walk(weir)} - named == set()


def test_the_pages_for_operators_have_every_setting() -> None:
    text = "".join(
        (DOCS / page).read_text()
        for page in ("operate/knative.md", "operate/console.md", "start/local.md", "reference/ingest.md")
    )
    classes = (
        *(Settings, ConnectionSettings, IngestSettings, IdentitySettings),
        *(TransformSettings, ReplySettings, BindingSettings, HousekeepSettings, MailSettings, OidcSettings),
    )
    names = {f"WEIR_{name.upper()}" for settings in classes for name in settings.model_fields}
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_the_reference_has_every_delivery_setting_and_permission() -> None:
    text = (DOCS / "reference" / "api.md").read_text()
    assert {name for name in policy_json(DEFAULT) if name not in text} == set()
    groups = {permission.partition(":")[0] for permission in PERMISSIONS}
    assert {group for group in groups if f"`{group}:" not in text} == set()

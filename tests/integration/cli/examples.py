"""Which examples of the help are run, and what has to be prepared for which of them."""

from collections.abc import Callable

from tests.integration.cli import prepared
from tests.integration.cli.stage import Stage

Words = tuple[str, ...]

NOT_RUN: dict[Words, str] = {
    ("demo",): "for ever, and only a picture of all the rest: tests/integration/cli/test_demo.py",
    ("login",): "a person decides in a browser: tests/integration/cli/test_login.py",
    ("logout",): "ends what a login began: tests/integration/cli/test_login.py",
    ("deploy",): "a cluster is needed: tests/integration/deploy",
}
"""Commands, or groups of them, whose examples are not run here, and why."""

BEFORE: dict[Words, Callable[[Stage], None]] = {
    ("open",): prepared.event,
    ("events", "diff"): prepared.event,
    ("events", "explain"): prepared.event,
    ("events", "get"): prepared.event,
    ("emit",): prepared.report,
    ("deliveries", "cancel"): prepared.subscription,
    ("deliveries", "get"): prepared.delivery,
    ("deliveries", "ls"): prepared.subscription,
    ("deliveries", "retry"): prepared.delivery,
    ("replay",): prepared.delivery,
    ("replays", "cancel"): prepared.replay,
    ("replays", "get"): prepared.replay,
    ("replays", "pause"): prepared.replay,
    ("replays", "rate"): prepared.replay,
    ("replays", "resume"): prepared.paused_replay,
    ("searches", "delete"): prepared.search,
    ("searches", "run"): prepared.search,
    ("subscriptions", "apply"): prepared.documents,
    ("subscriptions", "check"): prepared.subscription,
    ("subscriptions", "create"): prepared.documents,
    ("subscriptions", "delete"): prepared.subscription,
    ("subscriptions", "diff"): prepared.documents,
    ("subscriptions", "get"): prepared.subscription,
    ("subscriptions", "pause"): prepared.subscription,
    ("subscriptions", "probe"): prepared.event,
    ("subscriptions", "resume"): prepared.subscription,
    ("subscriptions", "test"): prepared.subscription,
    ("subscriptions", "transform"): prepared.event,
    ("types", "check"): prepared.described_type,
    ("types", "delete"): prepared.described_type,
    ("types", "get"): prepared.described_type,
    ("types", "set"): prepared.type_files,
    ("producers", "delete"): prepared.producer,
    ("keys", "create"): prepared.producer,
    ("keys", "expire"): prepared.key,
    ("keys", "revoke"): prepared.key,
    ("keys", "rotate"): prepared.key,
    ("members", "remove"): prepared.member,
    ("members", "set"): prepared.member,
    ("roles", "delete"): prepared.role,
    ("roles", "set"): prepared.role,
    ("audit", "get"): prepared.audited,
    ("audit", "verify"): prepared.audited,
    ("sources", "delete"): prepared.source,
    ("sources", "rotate"): prepared.source,
    ("archive", "get"): prepared.archived,
    ("archive", "ls"): prepared.archived,
    ("archive", "recall"): prepared.archived,
    ("archive", "end-recall"): prepared.recall,
    ("archive", "verify"): prepared.archived,
    ("holds", "lift"): prepared.hold,
    ("secrets", "rotate"): prepared.sealing_keys,
    ("up",): prepared.other_home,
    ("down",): prepared.other_weir,
    ("serve",): prepared.its_settings,
}
"""What a command's examples need; a command that is not named needs nothing but a project."""

BEFORE_LINE: dict[str, Callable[[Stage], None]] = {
    "weir listen --forward https://localhost:3000/ --resume --format json": prepared.listened,
    "weir keys rotate 4fPq0ZkWbN3x --end-previous": prepared.rotated_key,
    "weir sources rotate repos --finish": prepared.rotating_source,
}
"""The same for examples that need something else than the others of their command."""

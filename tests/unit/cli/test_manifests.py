"""Subscriptions in files: what is read, and what it would change."""

from pathlib import Path
from typing import Any

import pytest

from cli.errors import CommandError
from cli.manifests import plan, read_manifests
from shared.core.delivery import parse_policy, policy_json
from shared.core.pointers import MISSING


def there(name: str, **members: Any) -> dict[str, Any]:
    """A subscription as the API shows it."""
    return {
        "id": f"id-{name}",
        "name": name,
        "filters": [],
        "sink": "https://a.example/",
        "delivery": policy_json(parse_policy(None)),
        "state": "active",
        "auth": None,
        "tls": None,
        "transform": None,
        **members,
    }


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def steps(folder: Path, *found: dict[str, Any], prune: bool = False) -> list[tuple[str, str, list[str]]]:
    planned = plan(read_manifests([str(folder)]), found, prune=prune)
    return [(s.name, s.action, [pointer for pointer, _, _ in s.differences]) for s in planned]


def test_folders_and_documents_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path, b="name: two\nsink: https://a.example/\n---\nname: one\nsink: https://a.example/\n")
    write(tmp_path / "deep", a="items: [{name: three, sink: https://a.example/}]")
    (tmp_path / "notes.txt").write_text("not: [yaml")
    assert [m.name for m in read_manifests([str(tmp_path)])] == ["one", "three", "two"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- a", "is an object"),
        ("sink: https://a.example/", "needs a name"),
        ("name: a", "has no sink"),
        ("name: [a", "neither JSON nor YAML"),
        ("name: a\nsink: https://a.example/\n---\nname: a\nsink: https://b.example/", "already"),
    ],
)
def test_what_is_no_subscription_is_named_with_its_file(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path, bad=text)
    with pytest.raises(CommandError, match=why) as refused:
        read_manifests([str(tmp_path)])
    assert refused.value.exit_code == 5
    assert "bad.yaml" in refused.value.message


def test_what_says_the_same_is_kept(tmp_path: Path) -> None:
    write(
        tmp_path,
        short="name: short\nsink: https://a.example/\n",
        types="name: types\nsink: https://a.example/\ntypes: [order.created]\n",
        whole="name: whole\nsink: https://a.example/\ndelivery: {retry: 12, timeout: PT15.0S}\nid: x\nversion: 4\n",
        auth="name: auth\nsink: https://a.example/\nauth: {type: basic, username: me}\n",
    )
    found = [
        there("short", state="paused", transform={"jsonata": "data"}),
        there("types", filters=[{"exact": {"type": "order.created"}}]),
        there("whole"),
        there("auth", auth={"type": "basic", "username": "me"}),
        there("other"),
    ]
    assert [(name, action) for name, action, _ in steps(tmp_path, *found)] == [
        ("auth", "keep"),
        ("short", "keep"),
        ("types", "keep"),
        ("whole", "keep"),
    ]
    assert steps(tmp_path, *found, prune=True)[-1] == ("other", "delete", [])


def test_what_changes_is_told_by_its_place(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="name: a\nsink: https://b.example/\nfilters: [{exact: {type: x}}]\ndelivery: {retry: 3}\nstate: paused\n",
        b="name: b\nsink: https://a.example/\n",
    )
    planned = plan(
        read_manifests([str(tmp_path)]),
        [there("a", delivery=policy_json(parse_policy({"ratePerSecond": 5})))],
    )
    changed, made = planned
    assert (made.name, made.action) == ("b", "create")
    assert changed.differences == [
        ("/filters/0", MISSING, {"exact": {"type": "x"}}),
        ("/sink", "https://a.example/", "https://b.example/"),
        ("/delivery/retry", 12, 3),
        ("/delivery/ratePerSecond", 5, MISSING),
        ("/state", "active", "paused"),
    ]


def test_secrets_are_sent_again_and_never_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="name: a\nsink: https://a.example/\nauth: {type: bearer, token: hush}\n",
        b="name: b\nsink: https://a.example/\nsigningSecrets: [whsec_aHVzaA==]\n",
    )
    for step in plan(read_manifests([str(tmp_path)]), [there("a", auth={"type": "bearer"}), there("b")]):
        assert (step.action, step.sends_secrets) == ("change", True)
        assert "hush" not in str(step.differences)


def test_delivery_that_cannot_be_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    write(tmp_path, a="name: a\nsink: https://a.example/\ndelivery: {retry: many}\n")
    with pytest.raises(CommandError, match="/delivery/retry"):
        steps(tmp_path, there("a"))

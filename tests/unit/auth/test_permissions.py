"""Roles and scopes stand for permissions that exist."""

import pytest

from shared.auth.permissions import PERMISSIONS, PROJECT_NAME, ROLES, granted


def test_roles_grow_and_name_only_what_exists() -> None:
    assert ROLES["viewer"] < ROLES["operator"] < ROLES["admin"] < ROLES["owner"] == PERMISSIONS
    assert not any(name.endswith((":write", ":create", ":retry")) for name in ROLES["viewer"])


def test_who_sees_people_and_who_sees_what_they_did() -> None:
    assert all("members:read" in permissions for permissions in ROLES.values())
    for permission in ("members:write", "roles:write", "audit:read"):
        assert {role for role, permissions in ROLES.items() if permission in permissions} == {
            "owner",
            "admin",
        }


def test_scopes_give_what_they_name_and_a_star_gives_all() -> None:
    assert granted(["events:read", "gone:read"]) == {"events:read"}
    assert granted(["*"]) == PERMISSIONS
    assert granted([]) == frozenset()


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a", True), ("a-b", True), ("a" * 63, True), ("a" * 64, False), ("a-", False), ("a\n", False)],
)
def test_project_names(name: str, is_one: bool) -> None:
    assert (PROJECT_NAME.fullmatch(name) is not None) == is_one

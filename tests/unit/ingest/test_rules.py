"""Which version of a schema is in force for an event."""

from shared.core.cloudevents import Event
from shared.intake.rules import Rules, Version, read_rules, version_for

PLAIN = (Version(1, None, b"1"), Version(2, None, b"2"))
NAMED = (
    Version(1, "https://a.example/1", b"1"),
    Version(2, "https://a.example/2", b"2"),
    Version(3, None, b"3"),
)


def event(dataschema=None, **members):
    return Event("1.0", "1", "/s", "t", dataschema=dataschema, **members)


def test_the_named_one_or_else_the_newest():
    assert version_for(event(), PLAIN) is PLAIN[1]
    assert version_for(event("https://a.example/1"), PLAIN) is PLAIN[1]
    assert version_for(event("https://a.example/1"), NAMED) is NAMED[0]
    assert version_for(event(), NAMED) is NAMED[2]
    assert version_for(event("https://a.example/9"), NAMED) is None


def test_version_03_calls_it_schemaurl():
    old = Event("0.3", "1", "/s", "t", extensions={"schemaurl": "https://a.example/1"})
    assert version_for(old, NAMED) is NAMED[0]
    assert version_for(event(extensions={"schemaurl": "https://a.example/1"}), NAMED) is NAMED[2]


def row(type_, mode, facets, version=None, dataschema=None):
    digest = None if version is None else bytes([version])
    return {
        "type": type_, "schema_mode": mode, "facets": facets,
        "version": version, "dataschema": dataschema, "digest": digest,
    }  # fmt: skip


def test_types_without_rules_are_left_out():
    rows = [
        row("a", "reject", {}, 1, "https://a.example/1"),
        row("a", "reject", {}, 2),
        row("b", "off", {"order": "/order/id"}),
        row("c", "warn", {}),
    ]
    assert read_rules(rows) == {
        "a": Rules(True, (), (Version(1, "https://a.example/1", b"\1"), Version(2, None, b"\2"))),
        "b": Rules(False, (("order", ("order", "id")),), ()),
    }

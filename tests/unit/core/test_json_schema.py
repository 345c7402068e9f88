"""Schemas that can be used and those that cannot, and that none of them makes ingest hang or fetch anything."""

import http.server
import json
import threading
import time

import pytest

from shared.core.json_schema import InvalidSchema, compile_schema, read_schema
from tests.support.brief import brief

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"


def faults(schema, data, size=None):
    compiled = compile_schema(read_schema(schema).text)
    return [(f.pointer, f.detail) for f in compiled.faults(data, size or len(json.dumps(data)))]


def refused(schema):
    with pytest.raises(InvalidSchema) as caught:
        read_schema(schema)
    return [(f.pointer, f.detail) for f in caught.value.faults]


def test_each_fault_has_its_place():
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"a/b": {"items": {"type": "integer"}}},
    }
    found = faults(schema, {"a/b": [1, "x", None]})
    assert sorted(pointer for pointer, _ in found) == ["", "/a~1b/1", "/a~1b/2"]
    assert faults(schema, {"id": 1, "a/b": [1]}) == []


def test_the_draft_is_what_the_schema_says():
    tuple_of_7 = {"items": [{"type": "string"}], "additionalItems": False}
    assert faults({"$schema": DRAFT_7, **tuple_of_7}, ["a", "b"]) != []
    assert (
        faults({"$schema": DRAFT_2020_12, "prefixItems": [{"type": "string"}], "items": False}, ["a", "b"])
        != []
    )
    assert faults({"prefixItems": [{"type": "string"}]}, [1]) != []
    # `format` is an annotation in the one and asserted in the other.
    assert faults({"format": "date"}, "no date") == []
    assert faults({"$schema": DRAFT_7, "format": "date"}, "no date") != []


@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-04/schema#", "https://example.com/mine", "", 7, None]
)
def test_other_drafts_are_refused(draft):
    assert refused({"$schema": draft})[0][0] == "/$schema"


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "objct"}, "/type"),
        ({"properties": {"a": {"minimum": "x"}}}, "/properties/a/minimum"),
        ({"$schema": DRAFT_7, "required": "id"}, "/required"),
        ({"properties": {"a": {"pattern": "(("}}}, "/properties/a/pattern"),
        ({"pattern": "(?=a)b"}, "/pattern"),
        ({"pattern": r"(a)\1"}, "/pattern"),
        ({"pattern": "(a{1000}){1000}"}, "/pattern"),
        ({"$ref": "#/$defs/none"}, "/$ref"),
        ({"properties": {"a": {"$ref": "#none"}}}, "/properties/a/$ref"),
        ([], ""),
        (True, ""),
        ({"minimum": float("nan")}, ""),
        ({"const": "\ud800"}, ""),
        ({"x": "y" * 262_144}, ""),
        ({"allOf": [{"pattern": f"^{n}"} for n in range(201)]}, ""),
    ],
)
def test_what_cannot_be_used_says_where(schema, pointer):
    ((found, detail),) = refused(schema)
    assert found == pointer
    assert detail


def test_a_schema_nested_too_deep_is_refused():
    schema: dict = {}
    for _ in range(500):
        schema = {"not": schema}
    assert refused(schema) != []
    for _ in range(100_000):
        schema = {"not": schema}
    assert refused(schema) == [("", "is nested too deep")]


def test_references_within_the_schema_work():
    schema = {
        "$id": "https://acme.example/order",
        "$defs": {
            "id": {"type": "string", "pattern": "^A-"},
            "line": {"$id": "line", "$anchor": "line", "type": "object", "required": ["sku"]},
        },
        "properties": {
            "id": {"$ref": "#/$defs/id"},
            "first": {"$ref": "line"},
            "second": {"$ref": "https://acme.example/line"},
            "next": {"$ref": "#"},
        },
    }
    assert faults(schema, {"id": "A-1", "first": {"sku": 1}, "next": {"next": {"id": "A-2"}}}) == []
    found = faults(schema, {"id": "B", "first": {}, "second": {}, "next": {"next": {"id": 1}}})
    assert sorted({pointer for pointer, _ in found}) == ["/first", "/id", "/next/next/id", "/second"]


def test_nothing_is_fetched():
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/schema"
        for reference in (url, "file:///etc/hostname", "other.json"):
            ((pointer, detail),) = refused({"properties": {"a": {"$ref": reference}}})
            assert pointer == "/properties/a/$ref"
            assert "nothing is fetched" in detail
        assert refused({"$schema": url})[0][0] == "/$schema"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert asked == []


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(.*a){20}$", r"^([a-zA-Z]+)*!$"])
def test_no_pattern_runs_away(pattern):
    compiled = compile_schema(read_schema({"pattern": pattern}).text)
    text = "a" * 20_000 + "\n"
    started = time.process_time()
    compiled.faults(text, len(text))
    # A backtracking engine would need longer than the universe has been there.
    assert time.process_time() - started < brief()


def test_data_nested_too_deep_is_a_fault_and_no_crash():
    schema = {"items": {"$ref": "#"}, "additionalProperties": {"$ref": "#"}}
    data: object = 1
    for _ in range(100_000):
        data = [data]
    ((pointer, detail),) = faults(schema, data, size=200_001)
    assert (pointer, detail) == ("", "is nested more than 200 levels deep, which is too deep for this schema")
    nested: object = 1
    for _ in range(199):
        nested = {"a": nested}
    assert faults(schema, nested) == []


def test_faults_are_few_and_short():
    compiled = compile_schema('{"items": {"type": "string"}}')
    assert len(compiled.faults([1] * 100, 300)) == 20
    assert len(compiled.faults([1] * 100, 300, most=3)) == 3
    assert len(compiled.faults([1] * 100_000, 200_001)) == 1
    ((_, detail),) = faults({"type": "integer"}, "x" * 1_000)
    assert len(detail) == 300


def test_numbers_of_any_size_and_odd_texts_are_looked_at():
    assert faults({"type": "integer"}, 10**400) == []
    assert faults({"maximum": 10}, 10**30) != []
    assert faults({"type": "string"}, "\ud800") == [("", "has half of a surrogate pair in a text")]
    assert faults({"type": "string"}, "a\0b") == []


def test_one_digest_for_what_says_the_same():
    one = read_schema({"type": "string", "minLength": 1})
    other = read_schema({"minLength": 1, "type": "string"})
    assert one.digest == other.digest
    assert one.text != other.text
    assert one.digest != read_schema({"minLength": 2, "type": "string"}).digest

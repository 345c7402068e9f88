import pytest

from shared.runtime.openapi import merged


def one(path, method="get", operation="readIt", schemas=None):
    return {
        "paths": {path: {method: {"operationId": operation, "responses": {}}}},
        "components": {"schemas": schemas or {}},
    }


def test_functions_are_merged_and_the_probes_added():
    whole = merged([one("/a"), one("/a", "post", "makeIt"), one("/b", operation="other")], "1")
    assert set(whole["paths"]["/a"]) == {"get", "post"}
    assert {"/b", "/healthz", "/readyz", "/metrics", "/openapi.json"} < set(whole["paths"])
    assert whole["paths"]["/healthz"]["get"]["security"] == []
    assert "security" not in whole["paths"]["/metrics"]["get"]


def test_two_functions_cannot_declare_one_operation():
    with pytest.raises(ValueError, match="two functions declare GET /a"):
        merged([one("/a"), one("/a")], "1")


def test_two_operations_cannot_have_one_id():
    with pytest.raises(ValueError, match="one operationId"):
        merged([one("/a"), one("/b")], "1")


def test_two_schemas_of_one_name_must_be_the_same():
    with pytest.raises(ValueError, match="different schemas 'Key'"):
        merged(
            [
                one("/a", schemas={"Key": {"type": "string"}}),
                one("/b", operation="other", schemas={"Key": {"type": "object"}}),
            ],
            "1",
        )

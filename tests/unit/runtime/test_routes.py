import pytest

from shared.runtime.function import Function
from shared.runtime.routes import Routes


def declared(name: str, *routes: str) -> Function:
    return Function(name=name, summary="", entry="", routes=routes)


ROUTES = Routes(
    [
        declared("ingest", "/in/{project}"),
        declared("projects", "/v1/projects", "/v1/projects/{project}", "/v1/projects/{project}/keys"),
        declared("explore", "/v1/projects/{project}/events"),
    ]
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/in/default", "ingest"),
        ("/in/default/github", "ingest"),
        ("/v1/projects", "projects"),
        ("/v1/projects/", "projects"),
        ("/v1/projects/a", "projects"),
        ("/v1/projects/a/keys/1", "projects"),
        ("/v1/projects/a/unknown", "projects"),
        ("/v1/projects/a/events", "explore"),
        ("/v1/projects/a/events/uid/explain", "explore"),
        ("/v1", None),
        ("/", None),
        ("/in", None),
        ("/assets/x.js", None),
    ],
)
def test_the_deepest_template_wins(path, name):
    found = ROUTES.find(path)
    assert (found.name if found else None) == name


def test_a_literal_segment_wins_over_any_but_does_not_hide_it():
    routes = Routes([declared("one", "/a/{x}/c"), declared("two", "/a/b")])
    assert routes.find("/a/b").name == "two"
    assert routes.find("/a/b/c").name == "one"


def test_two_functions_cannot_have_one_template():
    with pytest.raises(ValueError, match="both declare"):
        Routes([declared("one", "/a/{x}"), declared("two", "/a/{y}")])

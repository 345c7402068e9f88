"""nginx finds the function for a path that the process of `weir up` finds."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from shared.runtime import registry
from shared.runtime.function import Function
from shared.runtime.nginx import configuration, here
from shared.runtime.routes import Routes
from shared.runtime.settings import ConnectionSettings

LOCATION = re.compile(r"location ~ (\S+) \{\n +set \$weir_function (\w+);")

words = st.sampled_from(["a", "b", "c", "x.y"])
templates = st.lists(st.one_of(words, words.map("{{{}}}".format)), min_size=1, max_size=4).map(
    lambda segments: "/" + "/".join(segments)
)
paths = st.lists(words, min_size=1, max_size=6).map(lambda segments: "/" + "/".join(segments))


def declared(number: int, route: str) -> Function:
    return Function(name=f"f{number}", summary="", entry="", routes=(route,))


def chosen(text: str, path: str) -> str | None:
    """The function of the first location that matches, as nginx goes through regular expressions."""
    return next((name for pattern, name in LOCATION.findall(text) if re.search(pattern, path)), None)


def alike(route: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", route)


@example(["/{a}/{a}", "/{b}/a"], ["/a/a"])
@given(st.lists(templates, max_size=8, unique_by=alike), st.lists(paths, max_size=8))
def test_the_first_location_that_matches_is_the_deepest_template(routes: list[str], asked: list[str]) -> None:
    functions = [declared(number, route) for number, route in enumerate(routes)]
    text, expected = configuration(functions), Routes(functions)
    for path in asked:
        found = expected.find(path)
        assert chosen(text, path) == (found.name if found else None), path


def test_every_declared_route_has_one_location() -> None:
    found = LOCATION.findall(configuration(registry.functions()))
    declared_routes = [(route, f.name) for f in registry.functions() for route in f.routes]
    assert len(found) == len({pattern for pattern, _ in found}) == len(declared_routes)
    assert sorted(name for _, name in found) == sorted(name for _, name in declared_routes)


def test_a_longer_function_is_waited_for_longer() -> None:
    slow = Function(name="slow", summary="", entry="", routes=("/slow",), timeout_seconds=300)
    assert "proxy_read_timeout 315s" in configuration([slow])


def test_a_body_that_does_not_come_is_for_the_function_to_answer() -> None:
    """nginx closes the connection without a word, and counts anew with each piece."""
    (seconds,) = re.findall(r"client_body_timeout (\d+)s;", configuration([]))
    assert int(seconds) >= 10 * ConnectionSettings().body_timeout_seconds


def test_what_is_known_on_the_cluster_alone_is_in_a_file_of_its_own() -> None:
    assert here("weir-dev", "gateway.example:81") == (
        'map "" $weir_namespace { default weir-dev; }\n'
        "upstream gateway { server gateway.example:81; keepalive 64; }\n"
    )

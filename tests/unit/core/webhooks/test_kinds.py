"""Kinds are data: a new one is a file. What a file or the settings of a source may say is checked."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.webhooks.kind import SETTINGS
from shared.core.webhooks.load import FOLDER, InvalidKind, load_kinds
from shared.core.webhooks.mapping import Request, to_event
from shared.core.webhooks.recipe import InvalidSettings, SourceSettings, read_settings
from shared.core.webhooks.secret import InvalidSecret, check_secret, generate
from shared.core.webhooks.template import InvalidTemplate, Template
from shared.core.webhooks.verify import verify
from tests.support.webhooks import openssl_hmac, raw

# https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
SENTRY = {
    "name": "sentry",
    "title": "Sentry",
    "description": "Webhooks of integrations.",
    "documentation": ["https://docs.sentry.io/organization/integrations/integration-platform/webhooks/"],
    "secrets": {"hint": "The client secret of the integration."},
    "signature": {"header": "Sentry-Hook-Signature", "signed": "{body}"},
    "mapping": {
        "type": ["io.sentry.{header:sentry-hook-resource}.{/action}"],
        "source": ["https://sentry.io/installations/{/installation/uuid|uri}"],
        "id": ["{header:request-id}", "{digest}"],
        "time": ["{header:sentry-hook-timestamp|time}"],
    },
}


shipped = cache(load_kinds)
"""The kinds of the package, read once."""


def written(folder: Path, kind: dict[str, Any], name: str = "sentry") -> str:
    (folder / f"{name}.json").write_text(json.dumps(kind))
    return str(folder)


def faults(kind: str, settings: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidSettings) as raised:
        read_settings(shipped()[kind], settings)
    return [fault.pointer for fault in raised.value.faults]


def test_a_new_kind_is_a_file(tmp_path: Path) -> None:
    kinds = load_kinds(written(tmp_path, SENTRY))
    assert set(kinds) == {*shipped(), "sentry"}
    recipe = read_settings(kinds["sentry"], {})
    body = b'{"action": "created", "installation": {"uuid": "u"}}'
    headers = raw(
        {
            "Sentry-Hook-Signature": openssl_hmac(b"12345678", body).hex(),
            "Sentry-Hook-Resource": "issue",
            "Sentry-Hook-Timestamp": "1772366400",
            "Request-ID": "r",
        }
    )
    assert recipe.signing is not None
    signed = verify(recipe.signing, ["12345678"], headers, body, now=0)
    made = to_event(recipe, Request(headers, body, signed, name="s", project="p", received=0))
    assert made.attributes() == {
        "specversion": "1.0",
        "type": "io.sentry.issue.created",
        "source": "https://sentry.io/installations/u",
        "id": "r",
        "time": "2026-03-01T12:00:00Z",
    }


def test_a_file_may_replace_a_kind_of_the_package(tmp_path: Path) -> None:
    folder = written(tmp_path, SENTRY | {"name": "github"}, "github")
    assert load_kinds(folder)["github"].title == "Sentry"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": ""}, "regex"),
        ({"titel": "x"}, "unknown field"),
        ({"name": "other"}, "the file must have it"),
        ({"signature": None}, "either a signature or a token"),
        ({"token": {}}, "either a signature or a token"),
        ({"signature": {"header": "a b"}}, "regex"),
        ({"signature": {"header": "X", "signed": "{bodi}"}}, "{bodi} is not known"),
        ({"signature": {"header": "X", "signed": "nothing"}}, "{body} must be in it"),
        ({"signature": {"header": "X", "timestamp": {"header": "T"}}}, "{timestamp} must be in it"),
        (
            {"signature": {"header": "X", "signed": "{timestamp}{body}", "timestamp": {}}},
            "either in a header or",
        ),
        ({"signature": {"header": "X", "schemes": [{"algorithm": "md5"}]}}, "md5"),
        ({"mapping": {"type": ["t"], "source": ["/s"]}}, "mapping.id must have"),
        ({"mapping": SENTRY["mapping"] | {"type": ["{nothing}"]}}, "{nothing} is not known"),
        ({"mapping": SENTRY["mapping"] | {"extensions": {"id": ["x"]}}}, "not an extension"),
        ({"replies": [{"when": {"type": "x"}, "body": "x"}]}, "must be a JSON pointer"),
        ({"replies": [{"when": {"/type": "x"}, "body": "{"}]}, "brace"),
        ({"settings": ["colour"]}, "colour"),
    ],
)
def test_a_file_that_says_nonsense_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidKind, match=r"sentry\.json") as raised:
        load_kinds(written(tmp_path, SENTRY | change))
    assert says in str(raised.value)


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InvalidKind, match=r"x\.json"):
        load_kinds(str(tmp_path))


def test_kinds_are_read_once() -> None:
    assert load_kinds() is load_kinds()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_each_kind_of_the_package_cites_its_documentation(path: Path) -> None:
    kind = shipped()[path.stem]
    assert all(link.startswith("https://") for link in kind.documentation)
    assert "mapping" in kind.settings
    if kind.secrets.generate is not None:
        made = generate(read_settings(kind, {}))
        assert made is not None
        check_secret(read_settings(kind, {}), made)
        assert made != generate(read_settings(kind, {}))


def test_the_settings_that_kinds_may_name_are_those_that_are_read() -> None:
    assert set(SourceSettings.__struct_encode_fields__) == set(SETTINGS)


@pytest.mark.parametrize(
    ("kind", "settings", "pointers"),
    [
        ("github", {"header": "X"}, ["/header"]),
        ("github", {"a/b": 1, "algorithm": "sha1"}, ["/a~1b", "/algorithm"]),
        ("hmac", {"algorithm": "md5"}, ["/algorithm"]),
        ("hmac", {"header": "a\n"}, ["/header"]),
        ("hmac", {"header": "X\r\nSet-Cookie: a"}, ["/header"]),
        ("hmac", {"prefix": "a b"}, ["/prefix"]),
        ("hmac", {"separator": "|"}, ["/separator"]),
        ("hmac", {"toleranceSeconds": 0}, ["/toleranceSeconds"]),
        ("hmac", {"toleranceSeconds": "60"}, ["/toleranceSeconds"]),
        ("hmac", {"signed": "{timestamp}.{body}"}, ["/signed"]),
        ("hmac", {"timestampHeader": "X-At"}, ["/signed"]),
        ("hmac", {"signed": "a\0{body}"}, ["/signed"]),
        ("hmac", {"mapping": []}, ["/mapping"]),
        ("hmac", {"mapping": {"type": 7}}, ["/mapping/type"]),
        ("hmac", {"mapping": {"type": ["t", 7]}}, ["/mapping/type/1"]),
        ("hmac", {"mapping": {"type": ["{x}", "t", ""]}}, ["/mapping/type/0", "/mapping/type/2"]),
        ("hmac", {"mapping": {"type": ["t"] * 41}}, ["/mapping/type"]),
        ("hmac", {"mapping": {"extensions": ["t"]}}, ["/mapping/extensions"]),
        ("hmac", {"mapping": {"type": None, "subject": {}}}, ["/mapping/type", "/mapping/subject"]),
        ("hmac", {"mapping": {"type": ["{x}", "t"]}}, ["/mapping/type/0"]),
        ("hmac", {"mapping": {"source": "a b", "time": "noon"}}, ["/mapping/source", "/mapping/time"]),
        (
            "hmac",
            {"mapping": {"extensions": {"A": "x", "id": "y"}}},
            ["/mapping/extensions/A", "/mapping/extensions/id"],
        ),
        ("hmac", {"mapping": {"subject": "{/a}\0"}}, ["/mapping/subject"]),
        ("hmac", {"mapping": {"specversion": "1.0"}}, ["/mapping/specversion"]),
    ],
)
def test_settings_that_cannot_be_used_are_pointed_at(
    kind: str, settings: dict[str, Any], pointers: list[str]
) -> None:
    assert faults(kind, settings) == pointers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda x: st.lists(x) | st.dictionaries(st.text(st.characters(exclude_categories=())), x),
)


@pytest.mark.no_cover  # what costs is to make up settings; the lines are counted above
@given(st.dictionaries(st.sampled_from(SETTINGS) | st.text(), JSON))
def test_any_settings_are_read_or_pointed_at(settings: dict[str, Any]) -> None:
    try:
        recipe = read_settings(shipped()["hmac"], settings)
    except InvalidSettings as error:
        told = [fault.detail for fault in error.faults]
    else:
        told = [recipe.kind.name]
    assert all(told)
    assert told


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("github", "short"),
        ("github", "x" * 1025),
        ("github", "line\nbreak"),
        ("github", " padded at the ends "),
        ("github", "half \ud800 pair"),
        ("stripe", "no prefix at all"),
        ("standard-webhooks", "whsec_not base64"),
        ("standard-webhooks", "whsec_c2hvcnQ="),
        ("standard-webhooks", "whpk_c2hvcnQ="),
        ("standard-webhooks", "whsk_" + "A" * 43 + "="),
        ("plain", "käse und brot"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_without_being_shown(kind: str, secret: str) -> None:
    with pytest.raises(InvalidSecret) as raised:
        check_secret(read_settings(shipped()[kind], {}), secret)
    assert secret not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["{", "}", "{}", "{a}", "{header:}", "{cookie:a}", "{/a~2}", "{header:a|upper}", "{/a|tim}", "{{id}}"],
)
def test_a_template_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidTemplate):
        Template(text)

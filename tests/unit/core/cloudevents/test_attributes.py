"""Context attributes: which must be there, and what their names and values may be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import InvalidEvent, parse
from shared.core.cloudevents.uris import _reference, is_uri_reference
from tests.unit.core.cloudevents.messages import MINIMAL, structured

REQUIRED = ("specversion", "id", "source", "type")


def refused(**members: Any) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        structured(**members)
    return caught.value


@pytest.mark.spec("C02", "J03")
@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_attribute_that_is_null_is_missing_and_never_made_up(name: str) -> None:
    error = refused(**{name: None})
    assert error.pointer == f"/{name}"
    assert "must be present" in error.detail


@pytest.mark.spec("C19", "C21", "C22", "C23", "C28", "C29")
@pytest.mark.parametrize("name", [*REQUIRED, "subject", "time", "datacontenttype", "dataschema"])
@pytest.mark.parametrize("value", ["", 25, True, 1.5, {}, ["a"]])
def test_attributes_of_the_core_are_strings_that_are_not_empty(name: str, value: Any) -> None:
    assert refused(**{name: value}).pointer == f"/{name}"


@pytest.mark.spec("C22")
@pytest.mark.parametrize("version", ["0.9", "1", "1.0.2", "2.0", "1.0 "])
def test_an_unknown_version_is_refused(version: str) -> None:
    assert refused(specversion=version).pointer == "/specversion"


@pytest.mark.spec("C04", "C05", "C07", "C31")
@pytest.mark.parametrize(
    "name", ["", "MyExtension", "my.extension", "my_ext", "my-ext", "é", "abc\n", "٣", "data_"]
)
def test_a_name_has_lower_case_letters_and_digits_alone(name: str) -> None:
    error = refused(**{name: "x"})
    assert error.pointer == f"/{name}"
    assert "not an attribute name" in error.detail


@pytest.mark.spec("C05b", "C06", "X16")
@pytest.mark.parametrize("name", ["opcuametadatamajorversion", "1st", "123", "a" * 300])
def test_long_names_and_names_that_begin_with_a_digit_are_taken(name: str) -> None:
    assert structured(**{name: "x"}).extensions == {name: "x"}


@pytest.mark.spec("C09", "C10", "C18", "J02")
@pytest.mark.parametrize("value", [True, False, 0, -1, 2**31 - 1, -(2**31), "", "text", "ü 💧"])
def test_extensions_keep_their_type(value: Any) -> None:
    kept = structured(ext=value).extensions["ext"]
    assert (type(kept), kept) == (type(value), value)


@pytest.mark.spec("C10", "C18", "J02", "J23")
@pytest.mark.parametrize("value", [1.5, 1.0, 1e3, 2**31, -(2**31) - 1, 10**30, {}, {"a": 1}, [], ["a"]])
def test_an_extension_is_no_float_no_large_integer_no_object_and_no_array(value: Any) -> None:
    assert refused(ext=value).pointer == "/ext"


@pytest.mark.spec("J03", "C33")
def test_null_is_not_set_in_extensions_too() -> None:
    event = structured(subject=None, time=None, datacontenttype=None, dataschema=None, anything=None)
    assert event.attributes() == MINIMAL


@pytest.mark.spec("C11", "C12", "C13")
@pytest.mark.parametrize("name", ["id", "type", "subject", "ext"])
@pytest.mark.parametrize(
    "bad",
    ["\x00", "\n", "\x1f", "\x7f", "\x9f", "\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0010ffff", "\udead"],
)
def test_no_control_character_noncharacter_or_lone_surrogate(name: str, bad: str) -> None:
    refused(**{name: f"a{bad}b"})


@pytest.mark.spec("C13")
def test_a_surrogate_pair_is_one_character() -> None:
    assert structured(subject="\U000102ad").subject == "\U000102ad"


@pytest.mark.spec("C16", "C21")
@pytest.mark.parametrize(
    "source",
    ["#fragment", "/a", "a/b:c", "//h:1/p", "?q", "urn:a:b", "http://[::1]:80/x", "mailto:a@b", "http:///"],
)
def test_a_source_is_any_uri_reference(source: str) -> None:
    assert structured(source=source).source == source


@pytest.mark.spec("C16", "C21")
@pytest.mark.parametrize(
    "source",
    ["a b", "1a:b", ":x", "http://[::1", "http://h:8a/", "%2", "é", "/a|b", "a\n", "http://a@b@c", "a#b#c"],
)
def test_what_is_no_uri_reference_is_no_source(source: str) -> None:
    assert refused(source=source).pointer == "/source"


@pytest.mark.spec("C15", "C28")
@pytest.mark.parametrize("schema", ["/relative", "#x", "https://x.io/s#f", "no scheme:", "//x.io/s"])
def test_a_schema_is_an_absolute_uri_without_a_fragment(schema: str) -> None:
    assert refused(dataschema=schema).pointer == "/dataschema"


@pytest.mark.spec("C17", "C30")
@pytest.mark.parametrize(
    "time",
    [
        "2018-04-05T17:31:00Z",
        "2018-04-05t17:31:00z",
        "2018-04-05T17:31:00.000000001Z",
        "2016-12-31T23:59:60Z",
        "2024-02-29T00:00:00-23:59",
        "2000-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_time_is_kept_as_it_was_written(time: str) -> None:
    assert structured(time=time).time == time


@pytest.mark.spec("C17", "C30")
@pytest.mark.parametrize(
    "time",
    [
        "lunchtime",
        "2018-04-05",
        "2018-04-05T18:31Z",
        "2018-04-05T18:31:00",
        "2018-04-05T18:31:00X",
        "2018-04-05T18:31:00+05",
        "2018-04-05T18:31:00+25:00",
        "2018-04-05T18:31:61Z",
        "2018-04-05T24:00:00Z",
        "2018-04-31T18:31:00Z",
        "2018-13-01T18:31:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2018-W14-4T00:00:00Z",
        "2018-04-05 18:31:00Z",
        "2018-04-05T18:31:00,5Z",
        "2018-04-05T18:31:00Z\n",
        "٢018-04-05T18:31:00Z",
    ],
)
def test_what_is_no_rfc_3339_timestamp_is_no_time(time: str) -> None:
    assert refused(time=time).pointer == "/time"


@pytest.mark.spec("C24", "C25")
@pytest.mark.parametrize(
    "media_type",
    ["application/json", "TEXT/Plain; CharSet=utf-8", 'a/b; c="d;e\\""', "text/plain;", "model/gltf+json"],
)
def test_a_media_type_is_kept_with_its_parameters(media_type: str) -> None:
    assert structured(datacontenttype=media_type).datacontenttype == media_type


@pytest.mark.spec("C24")
@pytest.mark.parametrize(
    "media_type",
    ["xyz", "a/", "/b", "a/b/c", "a b/c", "a/b; c", "a/b; c=", 'a/b; c="d', "a/b\n", "a/b;\tc=d", "ä/b"],
)
def test_what_is_no_media_type_is_refused(media_type: str) -> None:
    assert refused(datacontenttype=media_type).pointer == "/datacontenttype"


def test_a_hostile_media_type_takes_no_longer_than_its_length() -> None:
    refused(datacontenttype="a/b" + " ; " * 20_000 + "=")


@pytest.mark.spec("C27")
def test_a_content_type_needs_no_data() -> None:
    assert structured(datacontenttype="application/json").data is None


@pytest.mark.spec("C32", "C33", "X01", "X05", "X07")
def test_unknown_extensions_are_kept() -> None:
    extensions = {"traceparent": "00-4bf9-00f0-01", "sampledrate": 5, "deprecated": True}
    assert structured(**extensions).extensions == extensions


def test_an_error_message_is_short_and_shows_no_control_characters() -> None:
    detail = refused(time="\x1b[31m" + "x" * 5000).detail
    assert len(detail) < 250
    assert detail.isprintable()


@pytest.mark.spec("C02", "H06")
def test_a_request_with_nothing_of_an_event_says_all_that_is_missing() -> None:
    with pytest.raises(InvalidEvent, match="specversion, id, source, type must be present"):
        parse([(b"content-type", b"application/json")], b"{}")


@given(st.from_regex(r"/?[a-z.~_-]*(?:/[A-Z0-9.~_-]*)*", fullmatch=True) | st.text("/a.:", max_size=8))
def test_simple_paths_are_what_the_grammar_says(text: str) -> None:
    assert is_uri_reference(text) is (_reference()(text) is not None)

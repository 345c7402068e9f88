"""Binary mode: attributes in headers, data in the body."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import (
    DataKind,
    Event,
    InvalidEvent,
    Mode,
    UnsupportedFormat,
    content_mode,
    parse,
    to_binary,
)
from tests.unit.core.cloudevents.messages import MINIMAL, binary, structured

CE = [(f"ce-{name}".encode(), value.encode()) for name, value in MINIMAL.items()]


@pytest.mark.spec("H06", "H11", "H13")
def test_header_names_have_any_case_and_every_ce_header_is_an_attribute() -> None:
    headers = [(b"Host", b"x"), (b"CE-Id", b"1"), (b"Ce-SpecVersion", b"1.0"), (b"ce-source", b"/s")]
    event = parse([*headers, (b"cE-TYPE", b"t"), (b"ce-Ext1", b"v"), (b"x-other", b"\xff")], b"")
    assert event.attributes() == {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "ext1": "v"}


@pytest.mark.spec("H01", "H08", "H10")
@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("application/json", b' {"a": 1} ', DataKind.JSON),
        ("Application/LD+JSON; Charset=UTF-8", b"1.0", DataKind.JSON),
        ("application/json", b"{broken", DataKind.BINARY),
        ("application/json", b'"\xff"', DataKind.BINARY),
        ("application/json", b"[" * 100_000, DataKind.BINARY),
        ("application/json; charset=utf-16", "1".encode("utf-16"), DataKind.BINARY),
        ("application/json; charset=utf-16", b"1", DataKind.JSON),
        ("application/json; charset=iso-8859-1", b'"\xfc"', DataKind.BINARY),
        ("application/json", b"\xef\xbb\xbf1", DataKind.BINARY),
        ("application/json", b"NaN", DataKind.BINARY),
        ("application/json", b" ", DataKind.BINARY),
        ('text/plain; a="; charset=utf-16"', "ü".encode(), DataKind.TEXT),
        ('text/plain; a="\\"; charset=x"; CHARSET="UTF-8"', "ü".encode(), DataKind.TEXT),
        ("text/plain; a=b; charset=utf-16; charset=utf-8", b"a\x00", DataKind.BINARY),
        ("text/plain", "ü".encode(), DataKind.TEXT),
        ("text/plain", b"\xff", DataKind.BINARY),
        ("text/plain; charset=iso-8859-1", b"a", DataKind.BINARY),
        ("application/soap+xml", b"<a/>", DataKind.TEXT),
        ("application/octet-stream", b"text", DataKind.BINARY),
        (None, b"{}", DataKind.BINARY),
    ],
)
def test_the_body_is_kept_byte_for_byte(content_type: str | None, body: bytes, kind: DataKind) -> None:
    event = binary(body, content_type)
    assert (event.datacontenttype, event.data, event.data_kind) == (content_type, body, kind)
    headers, again = to_binary(event)
    assert again == body
    assert dict(headers).get("content-type") == content_type


@pytest.mark.spec("H08", "K1.8")
def test_tabs_around_parameters_are_white_space() -> None:
    event = binary(b"a", "text/plain\t;\tcharset=utf-8\t")
    assert (event.datacontenttype, event.data_kind) == ("text/plain ; charset=utf-8", DataKind.TEXT)
    assert (
        content_mode([(b"content-type", b"application/cloudevents+json;\tcharset=utf-8")]) is Mode.STRUCTURED
    )


@pytest.mark.spec("C27")
def test_an_empty_body_is_no_data() -> None:
    event = binary(b"", "application/json")
    assert (event.data, event.data_kind) == (None, DataKind.NONE)


@pytest.mark.spec("H09")
def test_the_content_type_has_no_ce_header() -> None:
    with pytest.raises(InvalidEvent) as caught:
        binary(b"1", "application/json", datacontenttype="application/json")
    assert caught.value.pointer == "/datacontenttype"
    assert "ce-datacontenttype" not in dict(to_binary(structured(datacontenttype="a/b", data="x"))[0])


@pytest.mark.spec("C03")
@pytest.mark.parametrize("name", [b"ce-id", b"CE-ID", b"ce-type"])
def test_a_repeated_attribute_header_is_refused(name: bytes) -> None:
    with pytest.raises(InvalidEvent, match="more than once"):
        parse([*CE, (name, b"minimal")], b"")


def test_a_repeated_content_type_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="more than once"):
        parse([*CE, (b"content-type", b"a/b"), (b"Content-Type", b"a/b")], b"x")


@pytest.mark.spec("C04", "C05", "C07")
@pytest.mark.parametrize(
    "name", [b"ce-", b"ce-my_ext", b"ce-my-ext", b"ce-data", b"ce-\xe9", b"ce-" + b"A.b" * 50]
)
def test_a_header_that_names_no_attribute_is_refused(name: bytes) -> None:
    with pytest.raises(InvalidEvent):
        parse([*CE, (name, b"x")], b"")


@pytest.mark.spec("C24")
@pytest.mark.parametrize("content_type", ["", " ", "xyz", "text/plain; charset", "a/b, c/d", "a/b;;="])
def test_a_content_type_that_is_no_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        binary(b"x", content_type)
    assert caught.value.pointer == "/datacontenttype"


@pytest.mark.spec("H18b", "H19", "H20", "H21")
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("%2520", "%20"),
        ("%41%42c", "ABc"),
        ('"a b"c', "a bc"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        ('x"%20"y" "', "x y "),
        ('""', ""),
        ("  padded\t", "padded"),
        (r'"\%41"', "A"),
        ('"a" "b"', "a b"),
        ("%25%34%31", "%41"),
        ("%%41", "%A"),
        ("%F4%8F%BF%BD", "\U0010fffd"),
    ],
)
def test_a_value_is_unquoted_and_then_percent_decoded_once(header: str, value: str) -> None:
    assert binary(ext=header).extensions == {"ext": value}


@pytest.mark.spec("C11", "H20")
@pytest.mark.parametrize("header", ["%0A", "a%00b", '"a\tb"', "%EF%BF%BF"])
def test_what_no_attribute_may_have_does_not_come_in_encoded(header: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        binary(ext=header)
    assert caught.value.pointer == "/ext"


@pytest.mark.spec("H22")
@pytest.mark.parametrize(
    "header", ["%C0%A0", "%ED%A0%80", "%ED%A0%80%ED%B0%80", "%E2%82", "a%FFb", "%F4%90%80%80", '"%C0"%A0']
)
def test_percent_encoding_that_is_not_utf_8_is_refused(header: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        binary(ext=header)
    assert caught.value.pointer == "/ext"


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(InvalidEvent):
        parse([*CE, (b"ce-ext", b"\xff")], b"")


@pytest.mark.parametrize("header", ["100%", "a b", "%zz", "% 1", 'no "end', "ü"])
def test_what_senders_without_encoding_send_is_taken_literally(header: str) -> None:
    assert binary(ext=header).extensions == {"ext": header}


@pytest.mark.parametrize(
    ("header", "source"),
    [("/a%20b", "/a%20b"), ("/a%2520b", "/a%20b"), ("/a%2Fb", "/a/b"), ('"/a%20b"', "/a%20b")],
)
def test_a_source_that_was_not_encoded_keeps_the_percent_signs_of_its_uri(header: str, source: str) -> None:
    assert binary(source=header).source == source


@pytest.mark.spec("C21")
def test_a_source_that_is_no_uri_either_way_is_refused() -> None:
    with pytest.raises(InvalidEvent) as caught:
        binary(source="/a b%20")
    assert caught.value.pointer == "/source"


def test_many_quotes_take_no_longer_than_their_length() -> None:
    assert binary(ext='"' + '\\"' * 30_000).extensions["ext"].startswith('"')


@pytest.mark.spec("H15", "H16", "H17", "H18")
@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ('"100%"', "%22100%25%22"),
        ("/:?&=,;!#$'()*+@[]{}|\\^`~<>-._", "/:?&=,;!#$'()*+@[]{}|\\^`~<>-._"),
    ],
)
def test_what_needs_it_is_percent_encoded_and_nothing_else(value: str, header: str) -> None:
    assert dict(to_binary(structured(ext=value))[0])["ce-ext"] == header


@pytest.mark.spec("C08", "C09", "H14")
@pytest.mark.parametrize(
    ("value", "header"), [(True, "true"), (False, "false"), (-5, "-5"), ("TWE=", "TWE=")]
)
def test_values_are_sent_in_their_canonical_form(value: str | int | bool, header: str) -> None:
    assert dict(to_binary(structured(ext=value))[0])["ce-ext"] == header


@pytest.mark.spec("H12", "X01")
def test_traceparent_has_its_ce_header() -> None:
    assert dict(to_binary(structured(traceparent="00-1-2-01"))[0])["ce-traceparent"] == "00-1-2-01"


@pytest.mark.spec("C26", "J20")
def test_json_without_a_content_type_gets_it_when_it_leaves_json() -> None:
    headers, body = to_binary(structured(data="I am a string"))
    assert dict(headers)["content-type"] == "application/json"
    assert body == b'"I am a string"'


@pytest.mark.spec("J08", "J17")
def test_bytes_without_a_content_type_gain_none() -> None:
    headers, body = to_binary(structured(data_base64="TWE="))
    assert "content-type" not in dict(headers)
    assert body == b"Ma"


@pytest.mark.parametrize(
    ("charset", "body"), [("iso-8859-1", b"\xfc"), ("us-ascii", b"\xc3\xbc"), ("x-unknown", b"\xc3\xbc")]
)
def test_a_text_is_sent_in_the_charset_that_its_content_type_names(charset: str, body: bytes) -> None:
    assert to_binary(structured(datacontenttype=f"text/plain; charset={charset}", data="ü"))[1] == body


def test_a_text_that_its_charset_cannot_hold_is_sent_in_utf_8() -> None:
    event = structured(datacontenttype="text/plain; charset=iso-8859-1", data="€")
    assert to_binary(event)[1] == "€".encode()


headers = st.lists(
    st.tuples(
        st.sampled_from([b"ce-id", b"ce-source", b"ce-time", b"ce-x", b"content-type", b"CE-SpecVersion"])
        | st.binary(max_size=8),
        st.binary(max_size=20) | st.sampled_from([b"1.0", b"/s", b'"%41"', b"application/json"]),
    ),
    max_size=8,
)


@given(headers, st.binary(max_size=20))
def test_no_headers_at_all_raise_anything_but_invalid_event(
    extra: list[tuple[bytes, bytes]], body: bytes
) -> None:
    for message in (extra, [*CE, *extra]):
        with suppress(InvalidEvent, UnsupportedFormat):
            assert isinstance(parse(message, body), Event)

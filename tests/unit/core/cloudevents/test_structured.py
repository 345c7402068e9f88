"""The JSON event format in structured mode."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import DataKind, InvalidEvent, parse, parse_structured, to_json
from tests.unit.core.cloudevents.messages import MINIMAL, STRUCTURED, structured

HEAD = b'{"specversion":"1.0","id":"1","source":"/s","type":"t"'


def refused(body: bytes) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        parse_structured(body)
    return caught.value


@pytest.mark.spec("C01", "H02", "J05")
def test_a_json_object_is_an_event() -> None:
    event = parse(STRUCTURED, json.dumps(MINIMAL).encode())
    assert event.attributes() == MINIMAL
    assert (event.data, event.data_kind) == (None, DataKind.NONE)


@pytest.mark.spec("H25")
def test_headers_that_repeat_attributes_do_not_count_in_structured_mode() -> None:
    event = parse([*STRUCTURED, (b"ce-id", b"other"), (b"ce-bad_name", b"x")], json.dumps(MINIMAL).encode())
    assert event.attributes() == MINIMAL


@pytest.mark.spec("J10", "J11", "J14", "J15", "J24")
@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b"1",
        b"-0.10",
        b"true",
        b'"text"',
        b'{"a": 1,"a":2}',
        b"[1 ,2]",
        b"123456789012345678901234567890",
    ],
)
def test_json_data_keeps_its_bytes(data: bytes) -> None:
    event = parse_structured(HEAD + b',"data":' + data + b"}")
    assert (event.data, event.data_kind) == (data, DataKind.JSON)
    assert to_json(event).endswith(b',"data":' + data + b"}")


@pytest.mark.spec("J09", "J18")
@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "image/svg+json", None]
)
def test_a_string_of_json_content_is_a_json_string(media_type: str | None) -> None:
    event = structured(datacontenttype=media_type, data='{"a":1}')
    assert (event.data, event.data_kind) == (rb'"{\"a\":1}"', DataKind.JSON)


@pytest.mark.spec("J12", "J19")
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "application/octet-stream", "a/jsonx"]
)
def test_a_string_of_other_content_is_a_text(media_type: str) -> None:
    event = structured(datacontenttype=media_type, data="ü\n")
    assert (event.data, event.data_kind) == ("ü\n".encode(), DataKind.TEXT)
    assert json.loads(to_json(event))["data"] == "ü\n"


@pytest.mark.spec("J19")
@pytest.mark.parametrize("data", [{"a": 1}, [1], 1, True, None])
def test_content_that_is_not_json_is_a_string_in_json(data: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(datacontenttype="text/plain", data=data)
    assert caught.value.pointer == "/data"


@pytest.mark.spec("C14", "J07", "J16", "J17", "J22")
@pytest.mark.parametrize("media_type", [None, "image/png", "application/json"])
@pytest.mark.parametrize("data", [b"", b"\x00\xff", b'{"a":1}'])
def test_data_base64_is_bytes_whatever_the_content_type(media_type: str | None, data: bytes) -> None:
    text = base64.b64encode(data).decode()
    event = structured(datacontenttype=media_type, data_base64=text)
    assert (event.data, event.data_kind) == (data, DataKind.BINARY)
    assert json.loads(to_json(event))["data_base64"] == text
    assert event.datacontenttype == media_type


@pytest.mark.spec("C14", "J16")
@pytest.mark.parametrize(
    "text",
    ["a", "TWE", "TW E=", " TWE=", "TWE=\n", "T-E_", "__8=", "TWE==", "TWE=TWE=", "=", "é", 5, {}, [], True],
)
def test_what_is_not_base64_is_refused(text: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(data_base64=text)
    assert caught.value.pointer == "/data_base64"


@pytest.mark.spec("J13")
@pytest.mark.parametrize("data", ["text", None])
def test_data_and_data_base64_exclude_each_other(data: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(data=data, data_base64="TWE=")
    assert caught.value.pointer == "/data_base64"


def test_data_base64_that_is_null_is_not_there() -> None:
    assert structured(data_base64=None).data_kind is DataKind.NONE
    assert structured(data=1, data_base64=None).data == b"1"


@pytest.mark.spec("C03")
@pytest.mark.parametrize(
    ("tail", "name"),
    [
        (b',"id":"2"}', "id"),
        (b',"id":"1"}', "id"),
        (b',"ext":1,"ext":1}', "ext"),
        (b' , "ext" : 1 , "ext" : 1 }', "ext"),
        (b',"i\\u0064":"2"}', "id"),
        (b',"data":1,"data":{"a":[1, 2]}}', "data"),
        (b',"data_base64":"","data_base64":""}', "data_base64"),
        (b',"ext":null,"ext":null}', "ext"),
        (b',"ext":1,"ext":null}', "ext"),
        (b',"\\u0065xt":1 ,"ext":2}', "ext"),
        # As much white space in a name as the member that is left out has characters.
        (b',"ext":1,"ext":2,"a        b":null}', "ext"),
        (b' ,"ext":1,"ext":2, "a        b":null}', "ext"),
        (b',"ext":1,"ext":2,"a\\u0020b":null}', "ext"),
    ],
)
def test_a_repeated_member_is_refused(tail: bytes, name: str) -> None:
    error = refused(HEAD + tail)
    assert error.pointer == f"/{name}"
    assert "more than once" in error.detail


@pytest.mark.spec("C03", "J24")
def test_members_repeated_inside_data_are_the_senders_affair() -> None:
    body = HEAD + b', "data" : {"id": 1, "id": 2}, "e\\u0078t": "x"}'
    assert parse_structured(body).data == b'{"id": 1, "id": 2}'
    assert parse_structured(body).extensions == {"ext": "x"}


@pytest.mark.spec("J03", "J24")
@pytest.mark.parametrize(
    "tail",
    [b',"a b":null}', b' , "a b" : null }', b',"a\\u0020b":null}', b',"EXT":null}', '"ü":null}'.encode()],
)
def test_a_name_whose_value_is_null_is_not_there(tail: bytes) -> None:
    event = parse_structured(HEAD + (tail if tail[:1] in b", " else b"," + tail))
    assert event.extensions == {}


@pytest.mark.spec("J15", "J24")
@pytest.mark.parametrize("number", [b"1" * 5_000, b"-" + b"9" * 5_000, b"1e999", b"0.1" + b"0" * 5_000])
def test_numbers_of_any_size_are_data_but_no_attribute(number: bytes) -> None:
    body = HEAD + b', "e\\u0078t":"x", "data": {"n":' + number + b"}}"
    assert parse_structured(body).data == b'{"n":' + number + b"}"
    assert refused(HEAD + b',"ext":' + number + b"}").detail != "an event must be a JSON object"


@pytest.mark.spec("J02", "C10")
@pytest.mark.parametrize(
    "text", [b"1.0", b"1e0", b"1E2", b"-0.0", b"2147483648", b"NaN", b"Infinity", b"01", b"+1", b"0x1", b".5"]
)
def test_an_integer_has_no_fraction_no_exponent_and_32_bits(text: bytes) -> None:
    refused(HEAD + b',"ext":' + text + b"}")


@pytest.mark.spec("J02", "C10")
@pytest.mark.parametrize(("text", "value"), [(b"-0", 0), (b"0", 0), (b"-2147483648", -(2**31))])
def test_an_integer_may_have_a_minus(text: bytes, value: int) -> None:
    assert parse_structured(HEAD + b',"ext":' + text + b"}").extensions == {"ext": value}


@pytest.mark.spec("C12", "C13")
@pytest.mark.parametrize("escapes", [r"\ud800", r"\udead\ud800", r"\ud800x", r"\uffff", r"\ufdd0", r"\u0085"])
def test_what_no_string_may_have_does_not_come_in_by_escapes(escapes: str) -> None:
    refused(HEAD + b',"ext":"' + escapes.encode() + b'"}')


@pytest.mark.spec("J12", "J19")
def test_the_rules_for_strings_are_not_for_data() -> None:
    event = structured(datacontenttype="text/plain", data="\x00\x85\uffff")
    assert event.data == "\x00\x85\uffff".encode()


whitespace = st.text(" \t\r\n", max_size=3)


@pytest.mark.spec("C03")
@given(st.data())
def test_repetition_is_seen_through_any_white_space(data: st.DataObject) -> None:
    members = [(f'"{k}"', json.dumps(v)) for k, v in MINIMAL.items()]
    members += [(f'"x{i}"', json.dumps(data.draw(st.text(" ab\t", max_size=4)))) for i in range(2)]
    members.append(('"data"', data.draw(st.sampled_from(["[1 , 2]", '" "', "0"]))))
    twice = data.draw(st.booleans())
    if twice:
        members.append(data.draw(st.sampled_from(members)))
    members = data.draw(st.permutations(members))

    def pad(text: str) -> str:
        return data.draw(whitespace) + text + data.draw(whitespace)

    body = pad("{" + ",".join(pad(k) + ":" + pad(v) for k, v in members) + "}").replace("\\t", " ")
    if twice:
        assert "more than once" in refused(body.encode()).detail
    else:
        assert parse_structured(body.encode()).id == "minimal"


@pytest.mark.spec("C03", "J03")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ['"ext"', '"e\\u0078t"', '"a b"', '"a        b"', '"a\\u0020b"', '"ü"', '"data"']
            ),
            st.sampled_from(["null", " null", "1 ", '" "', '"        "', "2"]),
        ),
        max_size=5,
    )
)
def test_repetition_is_what_another_reader_says_it_is(members: list[tuple[str, str]]) -> None:
    body = HEAD + "".join(f",{name}:{value}" for name, value in members).encode() + b"}"
    pairs: list[tuple[str, Any]] = json.loads(body, object_pairs_hook=list)
    kept = {name: value for name, value in pairs if value is not None}
    if len({name for name, _ in pairs}) < len(pairs):
        assert "more than once" in refused(body).detail
    elif kept.keys() <= {*MINIMAL, "ext", "data"}:
        assert parse_structured(body).extensions == {k: v for k, v in kept.items() if k == "ext"}
    else:
        assert "more than once" not in refused(body).detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b"1",
        b'"text"',
        b"null",
        b"{}x",
        HEAD,
        HEAD + b",}",
        HEAD + b',"data":NaN}',
        HEAD + b',"data":[Infinity]}',
        HEAD + b',"data":-Infinity}',
        HEAD + b',"data":01}',
        HEAD + b',"data":"\n"}',
        HEAD + b',"data":"\\x"}',
        HEAD + b',"data":"\xff"}',
        HEAD + b',"data":{"\xed\xa0\x80":1}}',
        HEAD + b',"ext":"\xc0\xa0"}',
        HEAD + b',"\xff":1}',
        HEAD + b",'a':1}",
        b"\xef\xbb\xbf" + HEAD + b"}",
        (HEAD + b"}").decode().encode("utf-16"),
    ],
)
def test_what_is_not_a_json_object_in_utf_8_is_refused(body: bytes) -> None:
    assert refused(body).detail


@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("name", [b"data", b"ext"])
def test_deep_nesting_is_an_invalid_event_and_no_crash(name: bytes, open_: bytes, close: bytes) -> None:
    error = refused(HEAD + b',"' + name + b'":' + open_ * 50_000 + b"1" + close * 50_000 + b"}")
    assert "too deep" in error.detail


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: HEAD + b"," + tail))
def test_no_bytes_at_all_raise_anything_but_invalid_event(body: bytes) -> None:
    with suppress(InvalidEvent):
        parse_structured(body)


@pytest.mark.spec("J01", "J04", "J06", "C08")
def test_every_attribute_is_a_member_and_what_is_not_set_is_left_out() -> None:
    members = MINIMAL | {
        "subject": "s",
        "time": "2018-04-05T17:31:00Z",
        "datacontenttype": "text/plain",
        "dataschema": "https://cloudevents.io/schema",
        "extinteger": 10,
        "extboolean": True,
        "data": "Simple text",
    }
    assert json.loads(to_json(structured(**members))) == members

"""Requests to the door that were right once: what a client with a bug, or a grudge, makes of them."""

from dataclasses import dataclass

from hypothesis import strategies as st

from shared.core.cloudevents.json_format import is_json

STRUCTURED = b"application/cloudevents+json"
BATCH = b"application/cloudevents-batch+json"

NAMES = [
    *(
        b"ce-" + name
        for name in (b"specversion", b"id", b"source", b"type", b"time", b"subject", b"dataschema")
    ),
    *(b"ce-" + name for name in (b"datacontenttype", b"schemaurl", b"datacontentencoding", b"partitionkey")),
    *(b"ce-" + name for name in (b"data", b"data_base64", b"", b"-", b"UP", b"a_b", b"\xff", b"x" * 300)),
    *(b"content-type", b"content-length", b"content-encoding", b"prefer", b"authorization", b"expect", b"ce"),
]
VALUES = [
    *(
        b"",
        b" ",
        b"\t",
        b'"',
        b'""',
        b'"a',
        b'"a\\"b"',
        b"\\",
        b"%",
        b"%0",
        b"%zz",
        b"%00",
        b"%0A",
        b"%25",
        b"%2525",
    ),
    *(
        b"%C0%A0",
        b"%ED%A0%80",
        b"%F4%90%80%80",
        b"%EF%BF%BE",
        b"%F0%9F%98%80",
        b"%e2%82%ac",
        b"\xff",
        b"\xc3",
        b"\xc2\x85",
    ),
    *(
        "ü€😀".encode(),
        "\ufdd0".encode(),
        "\u202e".encode(),
        b"\x00",
        b"\x7f",
        b"\x1b[0m",
        b"a\r\nb",
        b"a" * 9000,
    ),
    *(
        b"1.0",
        b"0.3",
        b"2.0",
        b"1",
        b"true",
        b"-0",
        b"2147483648",
        b"9" * 400,
        b"NaN",
        b"Infinity",
        b"1e400",
        b"null",
    ),
    *(
        b"2026-02-30T00:00:00Z",
        b"2026-02-28T23:59:60Z",
        b"0000-01-01t00:00:00z",
        b"9999-12-31T23:59:59.999999999999+23:59",
    ),
    *(
        b"http://[::1]/%",
        b"http://[::",
        b"//",
        b"#",
        b"?",
        b"a b",
        b"urn:x",
        b":",
        b"%41",
        b"http://\xc3\xbc/",
        b"../..",
    ),
    *(
        b"application/json",
        b"application/json; charset=utf-16",
        b"application/json;charset=latin1",
        b"text/plain",
    ),
    *(
        b"text/xml; charset=utf-16",
        b"text/plain; charset=iso-8859-1",
        b"application/octet-stream",
        b"a/b;",
        b"a",
        b"/",
    ),
    *(
        STRUCTURED,
        BATCH,
        STRUCTURED + b"; charset=utf-8",
        b"application/cloudevents+avro",
        b"APPLICATION/CloudEvents+JSON",
    ),
    *(
        b"handling=lenient",
        b"handling=strict, handling=lenient",
        b"base64",
        b"Base64",
        b"Bearer x",
        b"Basic eDp4",
    ),
]
JSON = [
    *(
        b"null",
        b"true",
        b"false",
        b"0",
        b"-0",
        b"1",
        b"-2147483648",
        b"2147483648",
        b"1.0",
        b"1e2",
        b"1e400",
        b"-1e-400",
    ),
    *(
        b"9" * 400,
        b"0." + b"1" * 400,
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"+1",
        b".5",
        b"0x1",
        b"tru",
        b"'a'",
    ),
    *(
        b'""',
        b'" "',
        b'"a"',
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\\udc00\\ud800"',
        b'"\\ufffe"',
        b'"\\x"',
        b'"\n"',
    ),
    *('"ü€😀"'.encode(), b'"\xff"', b'"\xc0\xa0"', b'"\xed\xa0\x80"', b'"\x7f"', b'"' + b"a" * 9000 + b'"'),
    *(
        b"[]",
        b"{}",
        b"[null]",
        b'{"a":1,"a":2}',
        b'{"":{}}',
        b"[" * 2000 + b"]" * 2000,
        b"[" * 2000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
    ),
    *(
        b'"AA=="',
        b'"AA="',
        b'"AA"',
        b'"!!!!"',
        b'"A\\u0041=="',
        b'"1.0"',
        b'"0.3"',
        b'"base64"',
        b'"2026-03-31T15:12:00Z"',
    ),
    *(
        b'"application/json"',
        b'"text/plain"',
        b'"application/xml; charset=utf-16"',
        b'"a/b;charset=\\"utf-16\\""',
        b'"/"',
        b'"#"',
        b'"%"',
    ),
    *(b"\xef\xbb\xbf1", b"/**/1", b"1 ", b" 1", b"1,", b",", b"", b"}", b"]", b"{", b'"'),
]
MEMBERS = [
    *(
        b"specversion",
        b"id",
        b"source",
        b"type",
        b"time",
        b"subject",
        b"dataschema",
        b"datacontenttype",
        b"data",
    ),
    *(
        b"data_base64",
        b"datacontentencoding",
        b"schemaurl",
        b"partitionkey",
        b"",
        b"A",
        b"a_b",
        b"\\u0069d",
        b"i\\u0064",
    ),
    *(b"\\u0000", b"\\ud800", "ü".encode(), b"\xff", b"x" * 300, b"~/", b"data\\u0020"),
]


@dataclass(frozen=True)
class Request:
    """A POST as it goes to the server, or as an ASGI server hands it on."""

    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def raw(self) -> bytes:
        """The bytes of the message, framed unless it frames itself."""
        lines = [b"POST " + self.target + b" HTTP/1.1", b"host: weir"]
        lines += (name + b": " + value for name, value in self.headers)
        if not any(name.lower() == b"content-length" for name, _ in self.headers):
            lines.append(b"content-length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


def _spoil(text: bytes, tokens: list[bytes]) -> st.SearchStrategy[bytes]:
    """`text` with one thing done to it."""
    place = st.integers(0, len(text))
    span = st.tuples(place, st.integers(1, 12))
    token = st.sampled_from(tokens)
    return st.one_of(
        span.map(lambda s: text[: s[0]] + text[s[0] + s[1] :]),  # drop
        span.map(lambda s: text[: s[0] + s[1]] + text[s[0] :]),  # duplicate
        place.map(lambda p: text[:p]),  # truncate
        st.tuples(place, token).map(lambda s: text[: s[0]] + s[1] + text[s[0] :]),  # insert a token
        st.tuples(place, st.binary(min_size=1, max_size=4)).map(lambda s: text[: s[0]] + s[1] + text[s[0] :]),
        st.tuples(place, st.integers(0, 7)).map(
            lambda s: (
                text[: s[0]] + bytes(byte ^ (1 << s[1]) for byte in text[s[0] : s[0] + 1]) + text[s[0] + 1 :]
            )
        ),
    )


@st.composite
def spoilt(draw: st.DrawFn, text: bytes, tokens: list[bytes]) -> bytes:
    """`text` after a few mishaps, none in a third of the cases."""
    for _ in range(draw(st.sampled_from((0, 0, 1, 1, 2, 3)))):
        text = draw(_spoil(text, tokens))
    return text


@st.composite
def objects(draw: st.DrawFn, identity: bytes) -> bytes:
    """An event in the JSON format, its members dropped, repeated and exchanged."""
    members = [
        (b"specversion", b'"1.0"'),
        (b"id", b'"%b"' % identity),
        (b"source", b'"/fuzz"'),
        (b"type", b'"com.example.fuzz"'),
        (b"datacontenttype", b'"application/json"'),
        (b"data", b'{"n": [1, 2.50, "\\u00e9"]}'),
    ]
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(members)))
        match draw(st.integers(0, 4)):
            case 0:
                members[place : place + 1] = []
            case 1:
                members.insert(place, (draw(st.sampled_from(MEMBERS)), draw(st.sampled_from(JSON))))
            case 2:
                members[place : place + 1] = [
                    (n, draw(st.sampled_from(JSON))) for n, _ in members[place : place + 1]
                ]
            case 3:
                members[place : place + 1] = [
                    (draw(st.sampled_from(MEMBERS)), v) for _, v in members[place : place + 1]
                ]
            case _:
                members += members[place : place + 1]
    colon, comma = draw(st.sampled_from(((b":", b","), (b": ", b", "), (b"\t:\n", b" ,\r\n"))))
    return b"{" + comma.join(b'"' + name + b'"' + colon + value for name, value in members) + b"}"


def elements(identity: bytes) -> st.SearchStrategy[bytes]:
    """An element of a batch: JSON, so that it leaves its neighbours whole, but hardly an event."""
    return st.one_of(objects(identity), st.sampled_from(JSON)).filter(is_json)


@st.composite
def requests(draw: st.DrawFn, target: bytes, credential: bytes, identity: bytes) -> Request:
    """A request in one of the three modes after a few mishaps."""
    headers = [(b"authorization", credential)]
    mode = draw(st.integers(0, 3))
    if mode <= 1:
        headers += (
            (b"ce-specversion", b"1.0"),
            (b"ce-id", identity),
            (b"ce-source", b"/fuzz"),
            (b"ce-type", b"com.example.fuzz"),
            (b"content-type", b"application/json"),
        )
        body = draw(st.sampled_from(JSON)) if draw(st.booleans()) else b'{"n": [1, 2.50]}'
    elif mode == 2:
        headers.append((b"content-type", STRUCTURED))
        body = draw(objects(identity))
    else:
        headers.append((b"content-type", BATCH))
        if draw(st.booleans()):
            headers.append((b"prefer", b"handling=lenient"))
        body = b"[" + b",".join(draw(st.lists(objects(identity), max_size=3))) + b"]"
    if mode > 1:
        body = draw(spoilt(body, JSON))
    for _ in range(draw(st.sampled_from((0, 1, 1, 2, 3)))):
        place = draw(st.integers(0, len(headers)))
        match draw(st.integers(0, 4)):
            case 0:
                headers[place : place + 1] = []
            case 1:
                headers.insert(place, (draw(st.sampled_from(NAMES)), draw(st.sampled_from(VALUES))))
            case 2:
                headers[place : place + 1] = [
                    (n, draw(spoilt(v, VALUES))) for n, v in headers[place : place + 1]
                ]
            case 3:
                headers[place : place + 1] = [
                    (n, draw(st.sampled_from(VALUES))) for n, v in headers[place : place + 1]
                ]
            case _:
                headers += headers[place : place + 1]
    if draw(st.integers(0, 19)) == 0:
        target = draw(spoilt(target, VALUES))
    return Request(target, tuple(headers), body)

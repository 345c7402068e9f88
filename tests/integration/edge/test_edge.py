"""The edge of a cluster, said by a real nginx with the generated configuration: which function gets what, and as it came."""

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from shared.runtime import registry
from shared.runtime.console import TYPES
from shared.runtime.edge import Edge as OneProcess
from shared.runtime.knative.edge import ending
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.edge import Edge, edge
from tests.support.hosts import RULES, rule
from tests.support.nginx import changed

ROUTES = [(route, f.name) for f in registry.functions() for route in f.routes]

SUFFIXES = (*TYPES, ".unknown")


class Gateway:
    """In Knative's place: it answers with what it was asked, piece by piece where `/pieces` ends the path."""

    def __init__(self) -> None:
        self.first_piece = threading.Event()
        self.go_on = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path.endswith("/pieces"):
                    self.pieces()
                elif self.path.endswith("/refused"):
                    self.answer(503, {"refused": True})
                else:
                    self.told(b"")

            def do_POST(self) -> None:
                if self.path.endswith("/late"):
                    self.close_connection = True
                    self.answer(408, {"late": True})
                else:
                    self.told(self.body())

            def body(self) -> bytes:
                if (length := self.headers.get("content-length")) is not None:
                    return self.rfile.read(int(length))
                whole = b""
                while size := int(self.rfile.readline(), 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                    outer.first_piece.set()
                self.rfile.readline()
                return whole

            def told(self, body: bytes) -> None:
                said = {
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "length": len(body),
                    "digest": sha256(body).hexdigest(),
                }
                self.answer(200, said)

            def answer(self, status: int, said: object) -> None:
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.send_header("x-accel-redirect", "/healthz")
                self.end_headers()
                self.wfile.write(text)

            def pieces(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"8\r\ndata: 1\n\r\n")
                self.wfile.flush()
                outer.go_on.wait(30)
                self.wfile.write(b"8\r\ndata: 2\n\r\n0\r\n\r\n")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    opened = Gateway()
    yield opened
    opened.go_on.set()
    opened.close()


@pytest.fixture
def console(tmp_path: Path) -> Path:
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / ".vite").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Weir</title>" + " " * 1000)
    (folder / "config.json").write_text('{"apiUrl": ""}')
    (folder / "assets/app-4f2a.js").write_text("console.log(1);" * 100)
    for suffix in SUFFIXES:
        (folder / f"a{suffix}").write_text("1")
    return folder


@pytest.fixture
def front(gateway: Gateway, console: Path, tmp_path: Path) -> Iterator[Edge]:
    with edge(tmp_path, console, gateway.address) as running:
        yield running


def test_every_path_reaches_its_function_as_it_was_written(front: Edge) -> None:
    with httpx.Client(base_url=front.url) as client:
        for route, name in ROUTES:
            path = re.sub(r"\{\w+\}", "a%20b", route)
            for below in ("", "/", "/x%2Fy//z?q=1&r=%2B"):
                said = client.get(path + below).json()
                assert said["path"] == path + below
                assert said["headers"]["host"] == f"{name}.weir.svc", path + below


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/none",
        "/in",
        "/in/",
        "/.well-known/none",
        "/metrics",
        "/readyz",
        "/v1/none.png",
        "//in/a/b",
        "/V1/none",
    ],
)
def test_nobody_s_path_is_no_page_below_the_api(front: Edge, path: str) -> None:
    answer = httpx.get(front.url + path)
    if path in {"//in/a/b", "/V1/none"}:
        assert answer.text.startswith("<!doctype html>")  # no path of the API
        return
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/not-found")
    assert answer.headers["cache-control"] == "no-store"


def test_a_function_is_told_who_asked_and_how(front: Edge) -> None:
    url = f"{front.url}/v1/me"
    said = httpx.get(
        url, headers={"host": "weir.example.com", "ce_odd": "kept", "connection": "x-hop"}
    ).json()
    assert said["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert said["headers"]["x-forwarded-proto"] == "http"
    assert said["headers"]["x-forwarded-host"] == "weir.example.com"
    assert said["headers"]["ce_odd"] == "kept"
    assert "connection" not in said["headers"]
    proxied = {
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "a.example",
    }
    said = httpx.get(url, headers=proxied).json()
    assert said["headers"]["x-forwarded-for"] == "198.51.100.7, 127.0.0.1"
    assert said["headers"]["x-forwarded-proto"] == "https"
    assert said["headers"]["x-forwarded-host"] == "a.example"


def test_sizes_are_left_to_the_functions(front: Edge) -> None:
    """A batch is 8 MiB by default, a head 64 KiB at most, and both may be set higher."""
    body = b"x" * (12 * 1024 * 1024)
    said = httpx.post(f"{front.url}/in/default", content=body, headers={"x-long": "y" * 60_000}).json()
    assert said["length"] == len(body)
    assert said["digest"] == sha256(body).hexdigest()
    assert len(said["headers"]["x-long"]) == 60_000


def test_an_answer_passes_as_it_comes(front: Edge, gateway: Gateway) -> None:
    with httpx.stream("GET", f"{front.url}/v1/projects/a/events/pieces", timeout=30) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: 1\n"
        gateway.go_on.set()
        assert b"".join(pieces) == b"data: 2\n"


def test_a_body_passes_as_it_comes(front: Edge, gateway: Gateway) -> None:
    host, port = front.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = (
            f"POST /in/a HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        )
        connection.sendall(head.encode() + b"3\r\none\r\n")
        assert gateway.first_piece.wait(30)
        connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert sha256(b"onetwo").hexdigest().encode() in answer


def asked(url: str, text: bytes) -> bytes:
    """All that comes back for `text`, whose connection is closed from there."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_refusal_is_heard_by_one_who_is_still_sending(front: Edge) -> None:
    """A connection that is closed on what comes then is reset, and takes the answer along: seen at one in five."""
    host, port = front.url.removeprefix("http://").split(":")
    for first in range(1_500, 10_000, 25):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.send(b"GET /in/a".ljust(first, b"y"))
            connection.sendall(b"y" * (68_000 - first))
            connection.sendall(b"y" * 2_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 431 ")


def test_an_answer_need_not_wait_for_the_body(front: Edge) -> None:
    """A function says 408 when a body does not come; it must not come to nginx' own end, which is without a word."""
    answer = asked(front.url, b"POST /in/a/late HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408")
    assert answer.endswith(b'{"late": true}')


@pytest.mark.parametrize(
    ("text", "status", "slug"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/7.0\r\nhost: a\r\n\r\n", 400, "malformed"),
        (b"POST /in/a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: odd\r\n\r\n", 400, "malformed"),
        (b"POST /in/a HTTP/1.1\r\nhost: a\r\ncontent-length: odd\r\n\r\n", 400, "malformed"),
        (
            b"POST /in/a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\nodd\r\n",
            400,
            "malformed",
        ),
        (b"GET /in/a HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 431, "head-too-large"),
        (b"GET /in/a" + b"y" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431, "head-too-large"),
        (b"TRACE /in/a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 405, "method-not-allowed"),
    ],
)
def test_what_nginx_refuses_by_itself_is_a_problem(front: Edge, text: bytes, status: int, slug: str) -> None:
    head, _, body = asked(front.url, text).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    lines = head.decode().lower().split("\r\n")
    assert {"content-type: application/problem+json", "connection: close"} <= set(lines)
    assert ("allow: get, head, post, put, patch, delete, options" in lines) == (status == 405)
    said = json.loads(body)
    assert (said["status"], said["type"].rpartition("/")[2]) == (status, slug)


def test_what_a_function_says_is_not_said_better(front: Edge) -> None:
    answer = httpx.get(f"{front.url}/v1/projects/a/types/refused")
    assert answer.status_code == 503
    assert answer.json() == {"refused": True}


def test_a_gateway_that_is_away_is_a_problem_to_come_again_with(front: Edge, gateway: Gateway) -> None:
    gateway.close()
    answer = httpx.post(f"{front.url}/in/default/a.png", content=b"{}")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"].endswith("/unavailable")
    assert httpx.get(f"{front.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(front.url).text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "path", ["/", "/config.json", "/assets/app-4f2a.js", "/assets/gone.js", "/p/default/types/com.acme.order"]
)
def test_the_console_is_there_by_the_rules(front: Edge, path: str) -> None:
    answer = httpx.get(front.url + path, headers={"x-forwarded-proto": "https"})
    if path == "/assets/gone.js":
        assert answer.status_code == rule("missing", path) == 404
        assert answer.json()["type"].endswith("/not-found")
        assert "cache-control" not in answer.headers  # it may be there the next time
    else:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == rule("cacheControl", path)
    for name, value in RULES["headers"].items():
        assert answer.headers.get_list(name) == [value.replace(" {api}", "")]
    assert "strict-transport-security" not in httpx.get(front.url + path).headers


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 405), ("DELETE", 405)])
async def test_pages_and_files_are_those_of_one_process(
    front: Edge, console: Path, method: str, status: int
) -> None:
    nowhere = Settings(
        database_url="postgres://nobody",
        redis_url="redis://nobody",
        secret="x" * 32,
        console_dir=str(console),
    )
    other = OneProcess(Resources(nowhere), [], lambda _: pytest.fail("no function is asked"), "1.2.3")
    files = ["/index.html", "/config.json", "/assets/app-4f2a.js", *(f"/a{suffix}" for suffix in SUFFIXES)]
    addresses = ["/", "/none", "/none/", "/a.b/none", "/p/default/types/com.acme.order", "/none.", "/.none"]
    missing = [
        "/foo/bar.png",
        "/robots.txt",
        "/robots.txt/",
        "/assets/gone.js",
        "/assets/gone",
        "/v1/none.png",
    ]
    async with (
        httpx.AsyncClient(base_url=front.url) as ours,
        httpx.AsyncClient(base_url="http://weir", transport=httpx.ASGITransport(other)) as theirs,
    ):
        for path in (*files, *addresses, *missing):
            found, expected = [await client.request(method, path) for client in (ours, theirs)]
            assert found.status_code == expected.status_code == (404 if path in missing else status), path
            for name in ("content-type", "allow"):
                assert found.headers.get(name) == expected.headers.get(name), (path, name)


@pytest.mark.parametrize("path", ["/", "/assets/app-4f2a.js"])
def test_files_are_packed_behind_a_proxy_too(front: Edge, path: str) -> None:
    answer = httpx.get(front.url + path, headers={"accept-encoding": "gzip", "via": "1.1 cdn"})
    assert answer.headers["content-encoding"] == "gzip"


def test_a_page_of_another_version_is_another_though_time_and_length_are_the_same(
    gateway: Gateway, console: Path, tmp_path: Path
) -> None:
    """As images have it: every file of one has the same time, and names of assets the same length."""
    page, tags = console / "index.html", []
    for number, text in enumerate(
        ("<script src=/assets/a.js>", "<script src=/assets/b.js>", "<script src=/assets/a.js>")
    ):
        page.write_text(text)
        os.utime(page, (1_735_689_600, 1_735_689_600))
        folder = tmp_path / str(number)
        folder.mkdir()
        with edge(folder, console, gateway.address) as running:
            answer = httpx.get(running.url)
            assert answer.text == text
            tags.append(answer.headers["etag"])
            again = httpx.get(running.url, headers={"if-none-match": tags[0]})
            assert again.status_code == (304 if text.endswith("a.js>") else 200)
    assert tags[0] == tags[2] != tags[1]


def test_the_document_of_the_api_is_there(front: Edge) -> None:
    answer = httpx.get(f"{front.url}/openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    assert "/in/{project}" in answer.json()["paths"]
    assert not (front.files / ".vite").exists()


def test_what_is_open_ends_before_the_edge_does(front: Edge, gateway: Gateway) -> None:
    """Whatever its image has Kubernetes say to it: the signal comes when the hook has ended."""
    *shell, script = ending(seconds=0)
    own = changed(script, ("/tmp/nginx.pid", f"{front.files.parents[1]}/nginx.pid"))
    with httpx.stream("GET", f"{front.url}/v1/projects/a/events/pieces", timeout=30) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        hook = subprocess.Popen([*shell, own])
        until_refused(front.url)
        assert hook.poll() is None
        gateway.go_on.set()
        assert b"".join(pieces) == b"data: 2\n"
    assert front.process.wait(30) == 0
    assert hook.wait(30) == 0


def until_refused(url: str) -> None:
    """Wait until no connection is taken any more."""
    host, port = url.removeprefix("http://").split(":")
    for _ in range(3000):
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)  # it has not heard yet: there is nothing to wait on
    pytest.fail("it goes on taking connections")

"""`infra/edge/nginx.conf` does what any host of the console has to do, said by a real nginx."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.certificates import authority
from tests.support.hosts import ROOT, RULES, rule
from tests.support.served import free_port

API = "https://api.example.com"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console on nginx: the file as it is, but for what it says to change."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("there is no nginx: `make install` installs Debian's when run as root")
        pytest.skip("there is no nginx on this machine")
    folder = tmp_path_factory.mktemp("nginx")
    site = folder / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>Weir</title>")
    (site / "config.json").write_text(f'{{"apiUrl": "{API}"}}')
    (site / "assets/app-4f2a.js").write_text("console.log(1);" * 100)
    certificate, key = authority().certificate("console.example.com")
    (folder / "pem").write_text(certificate)
    (folder / "key").write_text(key)
    port = free_port()
    server = (ROOT / "infra/edge/nginx.conf").read_text()
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/console.example.com.pem", f"{folder}/pem"),
        ("/etc/ssl/console.example.com.key", f"{folder}/key"),
        ("/srv/weir-console", str(site)),
    ):
        assert server.count(old) == 1
        server = server.replace(old, new)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # others may not read the folder of the tests
    (folder / "nginx.conf").write_text(
        f"{user}pid {folder}/pid; daemon off; error_log stderr; events {{}}\n"
        f"http {{ include /etc/nginx/mime.types; access_log off; {temporary}\n{server} }}\n"
    )
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", "stderr"])
    try:
        while True:
            assert process.poll() is None, "nginx did not start"
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.01)  # it does not listen yet: there is nothing to wait on
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config.json",
        "/assets/app-4f2a.js",
        "/assets/gone.js",
        "/p/default/types/com.acme.order",
        "/none",
    ],
)
def test_it_answers_by_the_rules(nginx: str, path: str) -> None:
    answer = httpx.get(nginx + path, verify=False)
    missing = rule("missing", path) == 404
    if path == "/assets/gone.js":
        assert missing
        assert answer.status_code == 404
        assert "cache-control" not in answer.headers  # it may be there the next time
    else:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == rule("cacheControl", path)
    for name, value in RULES["headers"].items():
        assert answer.headers.get_list(name) == [value.replace("{api}", API)]
    if not missing and path != "/config.json":
        assert answer.text.startswith("<!doctype html>")


def test_it_asks_again_only_for_what_has_changed(nginx: str) -> None:
    first = httpx.get(nginx, verify=False)
    again = httpx.get(nginx, verify=False, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_the_table_of_the_page_says_the_same() -> None:
    page = (ROOT / "docs/operate/console.md").read_text()
    for value in (*RULES["headers"].values(), *RULES["cacheControl"].values()):
        assert f"`{value}`" in page, value

"""`infra/edge/nginx.conf` does what any host of the console has to do, said by a real nginx."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.certificates import authority
from tests.support.hosts import ROOT, RULES, rule
from tests.support.nginx import changed, running
from tests.support.served import free_port

API = "https://api.example.com"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console on nginx: the file as it is, but for what it says to change."""
    folder = tmp_path_factory.mktemp("nginx")
    site = folder / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>Weir</title>" + " " * 1000)
    (site / "config.json").write_text(f'{{"apiUrl": "{API}"}}')
    (site / "assets/app-4f2a.js").write_text("console.log(1);" * 100)
    certificate, key = authority().certificate("console.example.com")
    (folder / "pem").write_text(certificate)
    (folder / "key").write_text(key)
    port = free_port()
    server = changed(
        (ROOT / "infra/edge/nginx.conf").read_text(),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/console.example.com.pem", f"{folder}/pem"),
        ("/etc/ssl/console.example.com.key", f"{folder}/key"),
        ("/srv/weir-console", str(site)),
    )
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (
        f"pid {folder}/pid; daemon off; error_log stderr; events {{}}\n"
        f"http {{ include /etc/nginx/mime.types; access_log off; {temporary}\n{server} }}\n"
    )
    with running(folder, text, port):
        yield f"https://127.0.0.1:{port}"


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


@pytest.mark.parametrize("path", ["/", "/assets/app-4f2a.js"])
def test_it_packs_behind_a_proxy_too(nginx: str, path: str) -> None:
    said = {"accept-encoding": "gzip", "via": "1.1 cdn"}
    assert httpx.get(nginx + path, headers=said, verify=False).headers["content-encoding"] == "gzip"


def test_it_asks_again_only_for_what_has_changed(nginx: str) -> None:
    first = httpx.get(nginx, verify=False)
    again = httpx.get(nginx, verify=False, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_the_table_of_the_page_says_the_same() -> None:
    page = (ROOT / "docs/operate/console.md").read_text()
    for value in (*RULES["headers"].values(), *RULES["cacheControl"].values()):
        assert f"`{value}`" in page, value

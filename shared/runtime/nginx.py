"""All functions behind one address on a cluster: what nginx has to do there, from the declarations.

Paths go where `shared.runtime.edge` sends them in one process, and pages are the same. A request goes to the gateway
inside the cluster under the host of its function, so that Knative sees it, counts it and starts what rests.

What nginx refuses before a function sees it is a problem of ours too. Left to nginx are a head that does not come in
time, which it cannot answer, CONNECT, which is 405 here, conditions such as `If-Match` on files, and the methods of
`/healthz`.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from shared.core.problems import HEAD_TOO_LARGE, MALFORMED, METHOD_NOT_ALLOWED, UNAVAILABLE, Problem
from shared.runtime.answer import PROBLEM_TYPE
from shared.runtime.app import METHODS
from shared.runtime.browser import ANSWERS, TRANSPORT, files, transport
from shared.runtime.console import (
    ASSETS,
    COMPRESSIBLE,
    FRESH,
    IMMUTABLE,
    PAGE,
    TYPES,
    UNKNOWN,
    is_text,
)
from shared.runtime.edge import API, NOTHING, PAGES, READ
from shared.runtime.function import Function

PORT = 8080
SERVED = "/srv/edge"
"""Where `shared.runtime.lay_out` puts `here.conf`, and the folder `files` with what is answered from there."""

HERE = "here.conf"
FILES = "files"
KEPT_ALIVE = 64

LONGER_SECONDS = 15
"""How much longer than a function may take nginx waits: it is Knative that says that it took too long."""

BEHIND_TLS = {TRANSPORT: "$weir_transport"}
"""nginx leaves out a header without a value, which this is where the client came without TLS."""

SECURED = {**ANSWERS, **BEHIND_TLS}

LINE_KIBIBYTES = 64
"""How long the first line of a request may be, and each header."""

REFUSED = {
    "400 501 505": Problem(MALFORMED, "The request is not HTTP/1.1."),
    "405": Problem(
        METHOD_NOT_ALLOWED, "No address knows that method.", headers={"Allow": ", ".join(METHODS)}
    ),
    "414 494": Problem(
        HEAD_TOO_LARGE, f"A line of the head of a request may have at most {LINE_KIBIBYTES} KiB."
    ),
}
"""What nginx says of a request before it knows whose it is, by its codes; 494 is its own, for a header."""


def configuration(functions: Iterable[Function]) -> str:
    """The whole `nginx.conf`. Every declared path goes to its function, the deepest template first."""
    routes = [(route, f) for f in functions for route in f.routes]
    locations = "\n".join(_location(route, f) for route, f in sorted(routes, key=_depth))
    return _TEXT.format(
        port=PORT,
        served=SERVED,
        here=HERE,
        files=FILES,
        locations=locations,
        api="|".join(sorted(re.escape(segment) for segment in (*API, "metrics", "readyz"))),
        types="\n".join(f"        {media_type} {suffix[1:]};" for suffix, media_type in TYPES.items()),
        unknown=UNKNOWN,
        texts=_types(media_type for media_type in TYPES.values() if is_text(media_type)),
        packed=_types(media_type for suffix, media_type in TYPES.items() if suffix in COMPRESSIBLE),
        line=f"{LINE_KIBIBYTES}k",
        codes="\n".join(
            f"        error_page {codes} = {_page(problem)};" for codes, problem in REFUSED.items()
        ),
        refused="\n".join(_refused(problem) for problem in REFUSED.values()),
        nothing=_answer(NOTHING),
        missing=_answer(NOTHING, {**files(), **BEHIND_TLS}),
        read=_answer(READ),
        pages=PAGES,
        away=_answer(
            Problem(UNAVAILABLE, "This cannot be reached right now; try again.", headers={"Retry-After": "1"})
        ),
        assets=ASSETS,
        page=PAGE,
        immutable=IMMUTABLE.decode(),
        fresh=FRESH.decode(),
        secured="\n".join(_header(name, value, 12) for name, value in {**files(), **BEHIND_TLS}.items()),
        healthy="\n".join(_header(name, value, 12) for name, value in SECURED.items()),
        transport=transport(),
    )


def here(namespace: str, gateway: str) -> str:
    """`here.conf`: in which namespace the functions are, and the gateway's address inside the cluster."""
    return (
        f'map "" $weir_namespace {{ default {namespace}; }}\n'
        f"upstream gateway {{ server {gateway}; keepalive {KEPT_ALIVE}; }}\n"
    )


def pattern(route: str) -> str:
    """The regular expression of a template: a segment in braces is any one, and all below belongs to it."""
    segments = ("[^/]+" if s.startswith("{") else re.escape(s) for s in route.strip("/").split("/"))
    return f"^/{'/'.join(segments)}(?:/|$)"


def _depth(routed: tuple[str, Function]) -> tuple[int, list[tuple[bool, str]]]:
    """The deepest first; of the same depth a literal segment before any."""
    segments = routed[0].strip("/").split("/")
    return -len(segments), [(True, "") if s.startswith("{") else (False, s) for s in segments]


def _location(route: str, function: Function) -> str:
    seconds = function.timeout_seconds + LONGER_SECONDS
    return (
        f"        location ~ {pattern(route)} {{\n"
        f"            set $weir_function {function.name}; proxy_read_timeout {seconds}s; proxy_pass http://gateway;\n"
        "        }"
    )


def _page(problem: Problem) -> str:
    """Where nginx finds `problem`. A name (`@`) will not do: a request that cannot be read has no path to keep."""
    return f"/.problems/{problem.kind.slug}"


def _refused(problem: Problem) -> str:
    return f"        location = {_page(problem)} {{\n            internal;\n{_answer(problem)}\n        }}"


def _types(media_types: Iterable[str]) -> str:
    """For directives that mean `text/html` by themselves."""
    return " ".join(sorted({*media_types} - {"text/html"}))


def _answer(problem: Problem, headers: Mapping[str, str] = SECURED) -> str:
    """Directives of a location that answers with a problem, as functions do."""
    body = msgspec.json.encode(problem.body()).decode()
    assert not set("'$\\") & set(body)
    lines = [_header(name, value, 12) for name, value in (*headers.items(), *problem.headers.items())]
    return "\n".join(
        [
            f"            types {{ }} default_type {PROBLEM_TYPE};",  # whatever the path ends with
            *lines,
            f"            return {problem.kind.status} '{body}';",
        ]
    )


def _header(name: str, value: str, indent: int) -> str:
    return f'{" " * indent}add_header {name} "{value}" always;'


_TEXT = """\
# Generated from the Function declarations by `make generate`: every function behind one address, and the console.
daemon off;
worker_processes 2;
worker_shutdown_timeout 60s;
pid /tmp/nginx.pid;
error_log stderr warn;
events {{
    worker_connections 4096;
}}
http {{
    types {{
{types}
    }}
    default_type {unknown};
    include {served}/{here};
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    # How large a body may be and how long it may take is for the functions to say; bodies and answers pass as they come.
    client_max_body_size 0;
    client_body_timeout 600s;
    # A head is nginx' to read. One that does not come in time it can only close the connection of.
    client_header_timeout 15s;
    large_client_header_buffers 4 {line};
    underscores_in_headers on;
    # Who is refused may still be sending: a connection that is closed on that is reset, and the answer lost.
    lingering_close always;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    # Longer than load balancers keep an idle connection, so that it is never closed under a request.
    keepalive_timeout 650s;

    map $http_x_forwarded_proto $weir_scheme {{
        default $http_x_forwarded_proto;
        "" $scheme;
    }}
    map $weir_scheme $weir_transport {{
        https "{transport}";
        default "";
    }}
    map $http_x_forwarded_host $weir_host {{
        default $http_x_forwarded_host;
        "" $http_host;
    }}
    map $uri $weir_kept {{
        default "{fresh}";
        ~^{assets} "{immutable}";
    }}
    # What is no file is the page, but for what would be one. The last segment of a page may look like a suffix.
    map $uri $weir_page {{
        default {page};
        ~^{pages} {page};
        ~[^/]\\.[^/.]+/*$ "";
    }}

    server {{
        listen {port} default_server backlog=2048;
        # As the functions see a path: `//` is no `/`.
        merge_slashes off;
        absolute_redirect off;
{codes}
        error_page 500 502 504 = @away;

        proxy_http_version 1.1;
        proxy_connect_timeout 5s;
        proxy_next_upstream off;
        proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
        proxy_set_header Host $weir_function.$weir_namespace.svc;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $weir_scheme;
        proxy_set_header X-Forwarded-Host $weir_host;

{locations}
        location ~ ^/(?:{api})(?:/|$) {{
{nothing}
        }}
{refused}
        location @away {{
{away}
        }}
        location @missing {{
{missing}
        }}
        location @read {{
{read}
        }}
        location = /healthz {{
            default_type application/json;
{healthy}
            return 200 '{{"status":"ok"}}';
        }}
        location / {{
            root {served}/{files};
            max_ranges 0;
            charset utf-8;
            charset_types {texts};
            gzip on;
            gzip_vary on;
            gzip_proxied any;
            gzip_types {packed};
            error_page 404 = @missing;
            error_page 405 = @read;
            add_header Cache-Control $weir_kept;
{secured}
            try_files $uri $weir_page =404;
            location {assets} {{
                try_files $uri =404;
            }}
        }}
    }}
}}
"""

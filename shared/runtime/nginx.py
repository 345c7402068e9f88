"""All functions behind one address on a cluster: what nginx has to do there, from the declarations.

The same that `shared.runtime.edge` does in one process. A request goes to the gateway inside the cluster under the
host of its function, so that Knative sees it, counts it and starts what rests.
"""

import re
from collections.abc import Iterable

import msgspec

from shared.core.problems import NOT_FOUND, UNAVAILABLE, Problem
from shared.runtime.answer import HEADERS, PROBLEM_TYPE
from shared.runtime.console import ASSETS, FRESH, IMMUTABLE, PAGE, security
from shared.runtime.edge import API
from shared.runtime.function import Function

PORT = 8080
SERVED = "/srv/edge"
"""Where `shared.runtime.lay_out` puts `here.conf`, and the folder `files` with what is answered from there."""

HERE = "here.conf"
FILES = "files"
KEPT_ALIVE = 64

LONGER_SECONDS = 15
"""How much longer than a function may take nginx waits: it is Knative that says that it took too long."""


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
        nothing=_answer(Problem(NOT_FOUND, "There is nothing at this address.")),
        away=_answer(
            Problem(UNAVAILABLE, "This cannot be reached right now; try again.", headers={"Retry-After": "1"})
        ),
        assets=ASSETS,
        page=PAGE,
        immutable=IMMUTABLE.decode(),
        fresh=FRESH.decode(),
        secured="\n".join(_header(name, value, 12) for name, value in security().items()),
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


def _answer(problem: Problem) -> str:
    """Directives of a location that answers with a problem, as functions do."""
    body = msgspec.json.encode(problem.body()).decode()
    assert not set("'$\\") & set(body)
    said = [(name.decode(), value.decode()) for name, value in HEADERS]
    lines = [_header(name, value, 12) for name, value in (*said, *problem.headers.items())]
    return "\n".join(
        [
            f"            default_type {PROBLEM_TYPE};",
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
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
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

    # How large a request may be is for the functions to say, in their words; bodies and answers pass as they come.
    client_max_body_size 0;
    large_client_header_buffers 4 64k;
    underscores_in_headers on;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    client_header_timeout 15s;
    client_body_timeout 30s;
    # Longer than load balancers keep an idle connection, so that it is never closed under a request.
    keepalive_timeout 650s;

    map $http_x_forwarded_proto $weir_scheme {{
        default $http_x_forwarded_proto;
        "" $scheme;
    }}
    map $http_x_forwarded_host $weir_host {{
        default $http_x_forwarded_host;
        "" $http_host;
    }}
    map $uri $weir_kept {{
        default "{fresh}";
        ~^{assets} "{immutable}";
    }}

    server {{
        listen {port} default_server backlog=2048;
        # As the functions see a path: `//` is no `/`.
        merge_slashes off;
        absolute_redirect off;
        error_page 502 504 = @away;

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
        location @away {{
{away}
        }}
        location = /healthz {{
            default_type application/json;
            return 200 '{{"status":"ok"}}';
        }}
        location / {{
            root {served}/{files};
            charset utf-8;
            charset_types text/css application/javascript application/json image/svg+xml;
            gzip on;
            gzip_vary on;
            gzip_types text/css application/javascript application/json image/svg+xml;
            add_header Cache-Control $weir_kept;
{secured}
            try_files $uri {page};
            location {assets} {{
                try_files $uri =404;
            }}
        }}
    }}
}}
"""

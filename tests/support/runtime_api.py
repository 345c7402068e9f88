"""Lambda's Runtime API on 127.0.0.1, and a function run by AWS's own runtime client against it.

The API is the documented one (2018-06-01): the client asks for the next invocation and posts what came of it.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from tests.support.aws import ARN

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
TRACE = "Root=1-6927d6d1-0c2f5b0a6f2b4d3e1a7c9e55;Parent=3e1a7c9e550c2f5b;Sampled={}"


class InvocationFailed(Exception):
    """What the function raised, as Lambda is told: `errorType`, `errorMessage`, `stackTrace`."""


class Runtime:
    """`with Runtime(environment) as function: function(payload)`: its answer, through the runtime client.

    `task` is the folder with the function's code. `python` has the interpreter, `client` the runtime client's files.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        task: Path = ROOT,
        python: str = sys.executable,
        client: Path | None = None,
        handler: str = "shared.runtime.aws.entry.handler",
    ) -> None:
        self._name = handler
        # Without what is installed beside the interpreter, where the client comes from elsewhere.
        self._flags = ["-S"] if client else []
        self._waiting: queue.Queue[tuple[str, bytes, float, bool]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # at its end the client is killed while it asks
        self._task, self._python = task, python
        paths = {"PYTHONPATH": str(client)} if client else {}
        self._environment = {
            "PATH": os.environ["PATH"],
            **paths,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "weir",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": handler,
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        self.started_seconds = 0.0

    def __call__(self, payload: Any, *, seconds: float = 30, sampled: bool = False) -> Any:
        """The function's answer. Raises InvocationFailed, AssertionError when the process ends."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._waiting.put((str(uuid4()), body, seconds, sampled))
        kind, answer = self._next()
        if kind != "response":
            raise InvocationFailed(answer.decode())
        return json.loads(answer)

    def init_error(self) -> dict[str, Any]:
        """Why it did not start, as Lambda is told."""
        kind, answer = self._next()
        assert kind == "init/error", answer
        return json.loads(answer)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged. The runtime client's own lines, about what a function raised, are no JSON."""
        return [json.loads(line) for line in self.written().splitlines() if line.startswith("{")]

    def written(self) -> str:
        """What it has written, as it is."""
        return self._log.read_text()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.begun = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._python, *self._flags, "-m", "awslambdaric", self._name],
                cwd=self._task,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def _next(self) -> tuple[str, bytes]:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._answers.get(timeout=0.5)
            except queue.Empty:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline, self._log.read_text()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == "/2018-06-01/runtime/invocation/next"
                if not runtime.started_seconds:
                    runtime.started_seconds = time.perf_counter() - runtime.begun
                name, body, seconds, sampled = runtime._waiting.get()
                self.send_response(200)
                for header, value in {
                    "Lambda-Runtime-Aws-Request-Id": name,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                    "Lambda-Runtime-Trace-Id": TRACE.format(int(sampled)),
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                }.items():
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                kind = self.path.rpartition("/")[2] if "/invocation/" in self.path else "init/error"
                body = self._body()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                runtime._answers.put((kind, body))

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = []
                while size := int(self.rfile.readline().strip(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

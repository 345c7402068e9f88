"""The client of the commands, against a server that is only a socket."""

import socket
import threading
from contextlib import suppress

from cli.api import Api
from cli.contexts import Context

STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\na\n\n\r\n"


def test_it_lets_go_of_a_stream_that_another_thread_waits_for() -> None:
    read, left = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def follow(api: Api) -> None:
            # What it meets when it is cut off is nobody's concern: `weir listen` has ended.
            with suppress(Exception):
                for _ in api.stream("/live/events", {}):
                    read.set()

        def leave() -> None:
            with Api(Context("c", url, "default", "key")) as api:
                threading.Thread(target=lambda: follow(api), daemon=True).start()
                assert read.wait(20)
            left.set()

        threading.Thread(target=leave, daemon=True).start()
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(STREAM)
            # Nothing more comes, and still it is left.
            assert left.wait(20)

"""The child process of a pool: evaluates expressions and answers, until its standard input ends.

It is started by its path and imports nothing of Weir: it has no secrets, no stores and no environment, and a limit
for its memory. What takes too long is ended from outside, and where nobody is left there, by an alarm.

A request is two lengths (big-endian, 4 bytes each), an expression and a JSON text; without one (`NO_INPUT`) the
expression is only read. An answer is a letter, a length and as many bytes: `v` a JSON text, `n` nothing,
`e` what is wrong as `{"detail", "position"}`, `l` a limit.
"""

import contextlib
import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

NO_INPUT = 0xFFFFFFFF
RESULT_BYTES = 2 * 1024 * 1024
EXPRESSIONS = 100
REQUEST = struct.Struct(">II")
ANSWER = struct.Struct(">cI")


class Refused(Exception):
    """A value that an event cannot have."""


def main() -> None:
    """Say that everything is loaded, then answer."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever else is printed must not get among the answers.
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    if sys.argv[3] not in sys.path:
        sys.path.append(sys.argv[3])
    import jsonata

    _limit(memory)
    compiled: dict[str, Any] = {}
    _answer(answers, b"v", b"")
    while (head := requests.read(REQUEST.size)) and len(head) == REQUEST.size:
        length, input_length = REQUEST.unpack(head)
        text = requests.read(length).decode()
        given = None if input_length == NO_INPUT else requests.read(input_length)
        _alarm(seconds)
        try:
            expression = compiled.get(text)
            if expression is None:
                if len(compiled) >= EXPRESSIONS:
                    compiled.clear()
                expression = compiled[text] = jsonata.Jsonata(text)
            kind, body = (b"n", b"") if given is None else _evaluate(expression, given)
        except MemoryError:
            compiled.clear()
            kind, body = b"l", b"it needs more memory than a transform may have"
        except Exception as error:
            # The library's evaluator is no sandbox of types: whatever it stumbles over is the expression's fault.
            kind, body = b"e", _told(error)
        _alarm(0)
        _answer(answers, kind, body)


def _evaluate(expression: Any, given: bytes) -> tuple[bytes, bytes]:
    result = expression.evaluate(json.loads(given))
    if result is None:
        return b"n", b""
    written = json.dumps(
        result, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse
    ).encode()
    if len(written) > RESULT_BYTES:
        raise Refused(f"the result has more than {RESULT_BYTES} bytes")
    return b"v", written


def _refuse(_value: object) -> None:
    raise Refused("the result has something in it that is no JSON: a function, or an expression of its own")


def _told(error: Exception) -> bytes:
    position = getattr(error, "location", None)
    if isinstance(error, Refused) or hasattr(error, "location"):
        detail = str(error)
    elif isinstance(error, RecursionError):
        detail = "it calls itself too often"
    else:
        detail = f"it cannot be evaluated ({type(error).__name__}: {error})"
    told = {
        "detail": detail[:500],
        "position": position if isinstance(position, int) and position >= 0 else None,
    }
    return json.dumps(told).encode()


def _answer(answers: BinaryIO, kind: bytes, body: bytes) -> None:
    answers.write(ANSWER.pack(kind, len(body)) + body)
    answers.flush()


def _alarm(seconds: float) -> None:
    """End this process after that time; 0 for never."""
    with contextlib.suppress(AttributeError):  # not every system has it
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit(memory: int) -> None:
    # Not every system has each of these.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()

"""Keys that are pressed while a command runs, on a terminal."""

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SECONDS = 0.2


@contextmanager
def pressed(tell: Callable[[str], None]) -> Iterator[bool]:
    """Call `tell` with each key, from a thread, until the end; whether there is a terminal that has keys.

    Ctrl-C still interrupts, and what is typed does not show.
    """
    if not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            ready, _, _ = select.select([terminal], [], [], POLL_SECONDS)
            if ready:
                for key in os.read(terminal, 64).decode(errors="replace"):
                    tell(key)

    listening = threading.Thread(target=listen, daemon=True)
    tty.setcbreak(terminal)
    listening.start()
    try:
        yield True
    finally:
        done.set()
        listening.join()
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)

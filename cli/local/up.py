"""Starting in the foreground or the background, and ending."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from cli.errors import CommandError
from cli.local import processes
from cli.local.child import open_log
from cli.local.faults import StartError, explain, explained
from cli.local.home import Home
from cli.local.supervisor import Options, Started, Supervisor
from cli.local.workers import readiness

END_SECONDS = 60.0


class Up:
    """One call of `weir up`."""

    def __init__(self, home: Home, port: int, workers: int) -> None:
        self._home = home
        self._options = Options(
            port,
            workers,
            database_url=os.environ.get("WEIR_DATABASE_URL") or None,
            redis_url=os.environ.get("WEIR_REDIS_URL") or None,
        )

    def run(
        self,
        report_to: int | None = None,
        *,
        when_ready: Callable[[], None] | None = None,
        before_end: Callable[[], None] | None = None,
    ) -> None:
        """Be the supervisor until told to end. `report_to` is where the detaching command listens."""
        report = _Report(report_to)
        supervisor = Supervisor(self._home, self._options, report.say)

        def ready(started: Started) -> None:
            report.ready(started)
            if when_ready is not None:
                when_ready()

        try:
            with explained(self._home.path):
                self._home.create()
                self._home.lock()
            supervisor.run(ready, before_end or (lambda: None))
        except StartError as error:
            if report.fail(str(error)):
                raise CommandError(f"Weir cannot start: {error}") from error
            sys.exit(1)
        except OSError as error:
            # The stores went on without the disk, and ending them in order failed for the same reason.
            text = explain(error, self._home.path)
            raise CommandError(text or str(error)) from error
        finally:
            self._home.unlock()

    def detach(self) -> None:
        """Start a supervisor in the background and return when it is ready; nothing when one is."""
        with _told():
            with explained(self._home.path):
                self._home.create()
                busy = self._home.is_busy()
            if busy:
                self._join()
                return
            self._spawn()

    def _join(self) -> None:
        """Wait for the supervisor that is there to be ready."""
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            running = self._home.running()
            if running is not None and readiness(running.port) == 200:
                click.echo("Weir runs already, at", err=True)
                click.echo(running.url)
                return
            if not self._home.is_busy():
                self._spawn()
                return
            time.sleep(0.1)
        raise CommandError(
            f"the Weir in {self._home.path} does not become ready",
            hint=f"see {self._home.log}, or end it: weir down",
        )

    def _spawn(self) -> None:
        reading, writing = os.pipe()
        log = open_log(self._home.log)
        command = [sys.executable, "-P", "-m", "cli.main", "up", "--report-to", str(writing)]
        command += ["--port", str(self._options.port), "--workers", str(self._options.workers)]
        environment = {**os.environ, "WEIR_HOME": str(self._home.path)}
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=(writing,),
                start_new_session=True,
            )
        finally:
            os.close(log)
            os.close(writing)
        with os.fdopen(reading) as lines:
            for line in lines:
                message = json.loads(line)
                if "error" in message:
                    raise CommandError(f"Weir cannot start: {message['error']}")
                if "url" in message:
                    tell(Started(message["url"], message["signIn"]))
                    process.returncode = 0  # it goes on without us
                    return
                click.echo(message["progress"], err=True)
        raise CommandError(
            f"Weir ended while it started (code {process.wait()})", hint=f"see {self._home.log}"
        )


class _Report:
    """Tells progress to the person, or to the command that detached this process."""

    def __init__(self, descriptor: int | None) -> None:
        self._pipe = None if descriptor is None else os.fdopen(descriptor, "w", buffering=1)
        if descriptor is not None:
            os.set_inheritable(descriptor, False)

    def say(self, text: str) -> None:
        click.echo(text, err=True)
        self._send({"progress": text})

    def ready(self, started: Started) -> None:
        if self._pipe is None:
            tell(started)
            click.echo("Ctrl-C ends it", err=True)
            return
        self._send({"url": started.url, "signIn": started.sign_in})
        self._close()

    def fail(self, text: str) -> bool:
        """Report a failed start; False when another process tells the person."""
        if self._pipe is None:
            return True
        click.echo(text, err=True)
        self._send({"error": text})
        self._close()
        return False

    def _send(self, message: dict[str, Any]) -> None:
        if self._pipe is not None:
            try:
                self._pipe.write(json.dumps(message) + "\n")
            except BrokenPipeError:
                self._pipe = None

    def _close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


class _told:  # noqa: N801 reads as what it does: with _told():
    """Turns StartError into the command's error."""

    def __enter__(self) -> None: ...

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, StartError):
            raise CommandError(f"Weir cannot start: {error}") from error


def tell(started: Started) -> None:
    """Print where it is: the address and the link that signs in are the lines on stdout."""
    click.echo("Weir runs at", err=True)
    click.echo(started.url)
    click.echo("Sign in once, within 15 minutes, with (`weir open` makes another)", err=True)
    click.echo(started.sign_in)


def end(home: Home) -> bool:
    """End the supervisor of `home`, and what an earlier one left. False when there was nothing to end."""
    if not home.path.exists():
        return False
    running = home.running()
    busy = home.is_busy()
    left = [p for p in processes.read(home.processes) if processes.is_alive(p)]
    if not busy:
        processes.end_all(left)
        return bool(left)
    supervisor = processes.Recorded("supervisor", running.pid, running.started) if running else _find(home)
    if supervisor is None:
        raise CommandError(
            f"something holds {home.path / 'lock'}, but it has not said who it is", hint="try again"
        )
    os.kill(supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while processes.is_alive(supervisor):
        if time.monotonic() > deadline:
            raise CommandError(f"process {supervisor.pid} does not end", hint=f"see {home.log}")
        time.sleep(0.05)
    return True


def _find(home: Home) -> processes.Recorded | None:
    """The supervisor that is still starting; it writes its number first of all."""
    try:
        return processes.record("supervisor", int((home.path / "lock").read_text()))
    except (OSError, ValueError):
        return None

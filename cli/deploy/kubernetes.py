"""The cluster, through kubectl: it knows how to sign in wherever its user can.

`kubectl proxy` on a socket in a folder of our own is the way to the API server, so that asking costs milliseconds and
not a process; `kubectl apply` and `kubectl kustomize` do what they are there for.
"""

import asyncio
import json
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from cli.errors import AUTH, NOT_FOUND, CommandError
from cli.local import launch

TIMEOUT_SECONDS = 30.0
START_SECONDS = 20.0
AWAY = (
    "InternalError",
    "failed calling webhook",
    "connection refused",
    "timeout",
    "Timeout",
    "TooManyRequests",
)
"""What kubectl says when it is worth trying again."""

PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
SERVING = "/apis/serving.knative.dev/v1"


class Kubectl:
    """The program, and the context it is to use."""

    def __init__(self, context: str | None) -> None:
        found = shutil.which("kubectl")
        if found is None:
            raise CommandError(
                "there is no kubectl on the PATH", hint="https://kubernetes.io/docs/tasks/tools/"
            )
        self._program = [found, *(["--context", context] if context else [])]

    async def render(self, overlay: Path) -> str:
        """The manifests of an overlay, as YAML."""
        return await self.run("kustomize", str(overlay))

    async def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Its stdout. CommandError with what it says when it fails."""
        process = await asyncio.create_subprocess_exec(
            *self._program,
            *arguments,
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # what was begun is ended, whatever keys are pressed
        )
        out, said = await process.communicate(stdin.encode() if stdin is not None else None)
        if process.returncode:
            raise _refused(f"kubectl {arguments[0]}", said.decode(errors="replace"))
        return out.decode()

    @asynccontextmanager
    async def proxy(self) -> AsyncIterator[httpx.AsyncClient]:
        """The API server, as this user."""
        with tempfile.TemporaryDirectory(prefix="weir-deploy-") as folder:
            path = Path(folder) / "api"
            words = [*self._program, "proxy", f"--unix-socket={path}"]
            process = await asyncio.create_subprocess_exec(
                *launch.command(words, signal=signal.SIGTERM),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            try:
                await _listening(process, path)
                transport = httpx.AsyncHTTPTransport(uds=str(path))
                async with httpx.AsyncClient(
                    transport=transport, base_url="http://localhost", timeout=TIMEOUT_SECONDS
                ) as client:
                    yield client
            finally:
                if process.returncode is None:
                    process.terminate()
                await process.wait()


async def _listening(process: asyncio.subprocess.Process, path: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not path.exists():  # noqa: ASYNC240 a program tells of its socket by making it
            if process.returncode is not None:
                assert process.stderr is not None
                raise _refused("kubectl proxy", (await process.stderr.read()).decode(errors="replace"))
            await asyncio.sleep(0.02)


class Kubernetes:
    """One namespace of a cluster."""

    def __init__(self, kubectl: Kubectl, client: httpx.AsyncClient, namespace: str) -> None:
        self.namespace = namespace
        self._kubectl = kubectl
        self._client = client

    @classmethod
    @asynccontextmanager
    async def reached(cls, kubectl: Kubectl, namespace: str) -> AsyncIterator[Self]:
        """The namespace, while the proxy runs."""
        async with kubectl.proxy() as client:
            yield cls(kubectl, client, namespace)

    async def apply(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """`kubectl apply`: make these objects, or make them so."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        if not listed["items"]:
            return
        words = ("apply", "-n", self.namespace, "-f", "-")
        for pause in PAUSES_SECONDS:
            try:
                await self._kubectl.run(*words, stdin=json.dumps(listed))
            except UnreachableError:
                await asyncio.sleep(pause)
            else:
                return
        await self._kubectl.run(*words, stdin=json.dumps(listed))

    def path(self, kind: str, name: str = "") -> str:
        """Where objects of a kind are, such as `/apis/batch/v1` + `jobs`."""
        group, _, plural = kind.rpartition("/")
        return f"{group}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    async def list(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """The objects of a kind."""
        query = {"labelSelector": selector} if selector else {}
        return list((await self.call("GET", self.path(kind), params=query))["items"])

    async def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object; None when there is none."""
        try:
            return dict(await self.call("GET", self.path(kind, name)))
        except ObjectMissingError:
            return None

    async def create(self, kind: str, document: Mapping[str, Any]) -> None:
        """Make an object. ConflictError when there is one of that name."""
        await self.call("POST", self.path(kind), json=document)

    async def replace(self, kind: str, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Put an object in place of the one that was read. ConflictError when another has come between."""
        return dict(await self.call("PUT", self.path(kind, name), json=document))

    async def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> None:
        """Merge into an object."""
        headers = {"content-type": "application/merge-patch+json"}
        await self.call("PATCH", self.path(kind, name), content=json.dumps(patch), headers=headers)

    async def delete(self, kind: str, name: str) -> None:
        """Delete an object, if it is there, and what it owns."""
        try:
            await self.call("DELETE", self.path(kind, name), json={"propagationPolicy": "Background"})
        except ObjectMissingError:
            return

    async def text(self, path: str, **options: Any) -> str:
        """What a path answers that is no JSON. CommandError when it is none of 2xx."""
        return (await self._send("GET", path, **options)).text

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """JSON of the API server. CommandError when it refuses."""
        return (await self._send(method, path, **options)).json()

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """What does no harm when it is done twice is tried again while the cluster, or a webhook of it, is away."""
        for pause in PAUSES_SECONDS if method in {"GET", "PATCH", "DELETE"} else ():
            try:
                return await self._send_once(method, path, **options)
            except UnreachableError:
                await asyncio.sleep(pause)
        return await self._send_once(method, path, **options)

    async def _send_once(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise UnreachableError(f"the cluster does not answer: {error!r}") from error
        if answer.is_success:
            return answer
        said = _message(answer)
        if answer.status_code == 404:
            raise ObjectMissingError(said, code=NOT_FOUND)
        if answer.status_code == 409:
            raise ConflictError(said)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise UnreachableError(f"the cluster answered {answer.status_code}: {said}")
        raise _refused(f"{method} {path}", said)


class ObjectMissingError(CommandError):
    """There is no such object, or no such kind of objects."""


class ConflictError(CommandError):
    """Another was faster, or has it already."""


class UnreachableError(CommandError):
    """The API server is away, or busy: it may be there a moment later."""


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text.strip()[:500]


def _refused(what: str, said: str) -> CommandError:
    lines: Sequence[str] = said.strip().splitlines()[-8:]
    if any(word in said for word in AWAY):
        return UnreachableError(
            f"{what} did not get through", details=tuple(lines), hint="run it again: it goes on"
        )
    forbidden = any(word in said for word in ("Forbidden", "forbidden", "Unauthorized", "credentials"))
    return CommandError(
        f"{what} was refused",
        code=AUTH if forbidden else 1,
        details=tuple(lines),
        hint="`kubectl auth can-i --list` shows what this user may do there" if forbidden else "",
    )

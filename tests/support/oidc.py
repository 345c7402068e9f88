"""npm's certified `oidc-provider` as a process, and a person who signs in to it by its pages."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

FOLDER = Path(__file__).resolve().parents[1] / "oidc"
CLIENT_ID = "weir"
CLIENT_SECRET = "a secret: of/weir+alone%"


def settings(issuer: str, **more: str) -> dict[str, str]:
    """What Weir is told of it, as environment variables."""
    return {
        "WEIR_OIDC_ISSUER": issuer,
        "WEIR_OIDC_CLIENT_ID": CLIENT_ID,
        "WEIR_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "WEIR_OIDC_NAME": "Example ID",
        **more,
    }


class OidcProvider:
    """`with OidcProvider() as provider`: its `issuer`. `client` are members of Weir's registration there."""

    def __init__(self, *, claims_in_id_token: bool = False, **client: Any) -> None:
        self._environment = {
            **os.environ,
            "OIDC_CLIENT": json.dumps(client),
            "OIDC_IN_ID_TOKEN": "1" if claims_in_id_token else "0",
        }

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", "provider.mjs"],
            cwd=FOLDER,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.issuer: str = json.loads(line)["issuer"]
        return self

    def close(self) -> None:
        """It does not answer any more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.close()

    async def come_back(self, url: str, who: str) -> dict[str, str]:
        """Go to `url` and sign in as `who`, or refuse when that is empty; what the browser is sent back with."""
        async with httpx.AsyncClient(timeout=10) as browser:
            answer = await browser.get(url)
            while True:
                if answer.status_code == 200:
                    answer = await self._submit(browser, answer, who)
                    continue
                assert answer.is_redirect, (answer.status_code, answer.text[:500])
                to = urljoin(str(answer.url), answer.headers["location"])
                if not to.startswith(self.issuer):
                    return dict(parse_qsl(urlsplit(to).query))
                answer = await browser.get(to)

    async def _submit(self, browser: httpx.AsyncClient, page: httpx.Response, who: str) -> httpx.Response:
        action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
        assert action is not None, page.text
        assert prompt is not None, page.text
        if not who:
            return await browser.get(f"{str(page.url).rstrip('/')}/abort")
        form = {"prompt": prompt[1], "login": who, "password": "any"}
        return await browser.post(urljoin(str(page.url), action[1]), data=form)

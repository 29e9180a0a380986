"""A person at a browser window, and another system at the API."""

import json
import urllib.request
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request


class Api:
    """The service as another system would use it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or b"null")

    def open(self, name: str = "赵国强", **fields: Any) -> str:
        body = {"channel": "chat", "customer": {"id": "cust_page", "name": name, "tier": "gold"}, **fields}
        return str(self.call("POST", "/v1/conversations", body)["id"])

    def say(self, conversation: str, text: str, speaker: str = "customer") -> Any:
        return self.call("POST", f"/v1/conversations/{conversation}/utterances", {"speaker": speaker, "text": text})

    def logged(self, conversation: str, **filters: str) -> list[Any]:
        query = "&".join(f"{name}={value}" for name, value in {"conversation": conversation, **filters}.items())
        return list(self.call("GET", f"/v1/suggestions?limit=100&{query}")["suggestions"])


class Window:
    """One person's browser window and what it did behind the person's back."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.is_offline_test = False
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def go(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, self.url.replace("http", "ws", 1), "data:", "blob:")):
            self.foreign.append(request.url)

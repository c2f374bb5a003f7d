"""Who may ask the page's server: a page of this start on this machine, and nobody else.

A name that was bent to 127.0.0.1 shows in Host, another site's page in Origin, another user's program lacks the token.
"""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = ("/", "/enter", "/static/")
"""Paths that need no token: they hold nothing but the program."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "midi=(self), camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Wraps the app. port: the server's; token: of this start."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self.cookie = f"hitpoint-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        wrong = self._wrong(scope)
        if not wrong:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": wrong})
        else:
            await PlainTextResponse(wrong, 403)(scope, receive, _with_headers(send))

    def _wrong(self, scope: Scope) -> str:
        """Why the request is refused; empty where it is not."""
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts:
            return "another host's name; open the address that hitpoint page said"
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if (origin is None and changes) or (origin is not None and origin.removeprefix("http://") not in self._hosts):
            return "another site's page; open the address that hitpoint page said"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "another site's page; open the address that hitpoint page said"
        path = scope["path"]
        if path in OPEN or path.startswith(OPEN[-1]) or self.knows(headers.get("cookie", "")):
            return ""
        return "the token is missing or old; open the address that hitpoint page said"

    def knows(self, cookies: str) -> bool:
        """Whether the cookies hold the token."""
        try:
            found = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return found is not None and self.is_token(found.value)

    def is_token(self, text: str) -> bool:
        """Whether it is the token, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(text.encode("utf-8", "replace"), self._token.encode())


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Any = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending

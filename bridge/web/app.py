"""The page's server: the program, the films, the files, and the WebSocket that carries the session.

Threads and processes: one event loop. It knows nothing of music: what the page asks for, the bridge does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.web.guard import Guard
from hitpoint.bridge.web.notes import notes_of
from hitpoint.bridge.web.relay import carry
from hitpoint.bridge.web.shelf import Shelf

STATIC = Path(__file__).parent / "static"
INDEX = STATIC / "index.html"
Answer = Callable[[Request], Awaitable[Response]]


def make_app(port: int, token: str, shelf: Shelf, bridge: tuple[str, int], bridge_token: str, film: str) -> Guard:
    """port: the server's own. token: of this start. bridge: its address. film: that the page opens with, or ""."""

    async def index(request: Request) -> Response:
        return FileResponse(INDEX)

    async def enter(request: Request) -> Response:
        text = (await _body(request, 200)).decode("utf-8", "replace")
        if not guard.is_token(text):
            return PlainTextResponse("the token is wrong or old; open the address that hitpoint page said", 403)
        answer = JSONResponse({"film": film})
        answer.set_cookie(guard.cookie, text, httponly=True, samesite="strict")
        return answer

    async def session(page: WebSocket) -> None:
        await carry(page, bridge, bridge_token, shelf.wrote)

    guard = Guard(Starlette(routes=[
        Route("/", index),
        Route("/enter", enter, methods=["POST"]),
        *_films(shelf),
        *_files(shelf),
        WebSocketRoute("/session", session),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]), port, token)  # fmt: skip
    return guard


def _films(shelf: Shelf) -> list[Route]:
    """What concerns the film."""

    async def film(request: Request) -> Response:
        return FileResponse(shelf.film(request.query_params.get("path", "")))

    async def look(request: Request) -> Response:
        return JSONResponse(await shelf.look(shelf.film(request.query_params.get("path", ""))))

    async def thumbnails(request: Request) -> Response:
        film = shelf.film(request.query_params.get("path", ""))
        count = request.query_params.get("count", "")
        return Response(await shelf.thumbnails(film, int(count) if count.isdecimal() else 1), media_type="image/jpeg")

    async def proxy(request: Request) -> Response:
        made = await shelf.proxy(shelf.film(request.query_params.get("path", "")))
        return JSONResponse({"path": str(made)})

    async def upload(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        name = request.query_params.get("name", "")
        kept = await shelf.upload(name, int(length) if length.isdecimal() else 0, request.stream())
        return JSONResponse({"path": str(kept)})

    routes: list[tuple[str, Answer, str]] = [
        ("/film", film, "GET"), ("/look", look, "GET"), ("/thumbnails", thumbnails, "GET"),
        ("/proxy", proxy, "POST"), ("/upload", upload, "POST"),
    ]  # fmt: skip
    return [Route(path, _told(answer), methods=[method]) for path, answer, method in routes]


def _files(shelf: Shelf) -> list[Route]:
    """What concerns the music's files."""

    async def file(request: Request) -> Response:
        path = shelf.written(request.query_params.get("path", ""))
        name = path.name if "save" in request.query_params else None
        return FileResponse(path, filename=name)

    async def files(request: Request) -> Response:
        midi = shelf.written(request.query_params.get("path", ""))
        return JSONResponse([{"path": str(path), "bytes": path.stat().st_size} for path in shelf.beside(midi)])

    async def notes(request: Request) -> Response:
        return JSONResponse(notes_of(shelf.written(request.query_params.get("path", ""))))

    routes: list[tuple[str, Answer]] = [("/file", file), ("/files", files), ("/notes", notes)]
    return [Route(path, _told(answer)) for path, answer in routes]


def _told(answer: Answer) -> Answer:
    """An error of ours becomes a sentence."""

    async def telling(request: Request) -> Response:
        try:
            return await answer(request)
        except HitpointError as error:
            return PlainTextResponse(str(error), 422)

    return telling


async def _body(request: Request, most: int) -> bytes:
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise HTTPException(413)
    return data

"""The viewer's files, and its page for every address that is not the API's."""

from __future__ import annotations

from html import escape
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

STATIC_DIR = Path(__file__).parent.parent / "static"
API_PREFIXES = ("/api/", "/v1/")

_FOREVER = "public, max-age=31536000, immutable"  # the build puts a digest of the content into names under assets/
_REVALIDATE = "no-cache"

_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Milepost</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}
code{background:#8882;padding:.1em .3em;border-radius:3px}</style></head>
<body><h1>The collector runs, its viewer is not built</h1>
<p>This checkout has no built viewer. Build it with <code>make viewer</code>, then reload this page;
an installed package brings it along.</p>
<p>Meanwhile there is the <code>milepost</code> command, and the API: <a href="api/runs">api/runs</a>,
<a href="api/schema">api/schema</a>, <a href="openapi.json">openapi.json</a>.</p></body></html>
"""


class Viewer:
    """Serves files of the built viewer; other addresses get its page, so that deep links work. folder: the build."""

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that no route has taken."""
        if scope["type"] != "http":
            return
        response = await self._response(Request(scope))
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        path = _route_path(request)
        if request.method not in ("GET", "HEAD") or f"{path}/".startswith(API_PREFIXES):
            raise HTTPException(404)
        relative = path.lstrip("/")
        if relative and relative != "index.html" and (response := await self._file(relative, request.scope)):
            return response
        if PurePosixPath(relative).suffix and relative != "index.html":  # a missing file must not look like a page
            raise HTTPException(404)
        return self._page(request)

    async def _file(self, relative: str, scope: Scope) -> Response | None:
        if not self._folder.is_dir():
            return None
        try:
            response = await self._files.get_response(relative, scope)
        except HTTPException:
            return None
        response.headers["Cache-Control"] = _FOREVER if relative.startswith("assets/") else _REVALIDATE
        return response

    def _page(self, request: Request) -> Response:
        headers = {"Cache-Control": _REVALIDATE}
        base = f'<base href="{escape(request.scope.get("root_path", ""))}/">'
        try:
            page = (self._folder / "index.html").read_text("utf-8")
        except FileNotFoundError:
            return HTMLResponse(_NOT_BUILT.replace("<head>", f"<head>{base}", 1), 503, headers)
        return HTMLResponse(page.replace("<head>", f"<head>{base}", 1), headers=headers)


def _route_path(request: Request) -> str:
    path: str = request.scope["path"]
    root: str = request.scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path

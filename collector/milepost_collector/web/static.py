"""The viewer's files, and its page for every address that is not the API's."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from milepost_collector.web.negotiation import takes_gzip

STATIC_DIR = Path(__file__).parent.parent / "static"
API_PREFIXES = ("/api/", "/v1/")

_FOREVER = "public, max-age=31536000, immutable"  # the build puts a digest of the content into names under assets/
_REVALIDATE = "no-cache"
_COMPRESSED_BY_ITSELF = (".woff2",)
# Not Python's own table: it follows the system's, which may call scripts plain text.
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
_GZIP_LEVEL = 6

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


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent. changed_ns: when it was changed last, by the file system."""

    path: Path
    changed_ns: int
    body: bytes
    etag: str
    media_type: str

    def is_current(self) -> bool:
        """Return whether the file on disk is still this one."""
        try:
            return self.path.stat().st_mtime_ns == self.changed_ns
        except FileNotFoundError:
            return False


class Viewer:
    """Serves files of the built viewer; other addresses get its page, so that deep links work. folder: the build.

    Files are kept in memory as they are first sent, plain or compressed, until they change on disk.
    """

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        self._folder = folder
        self._kept: dict[tuple[str, bool], _File] = {}

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
        if relative and relative != "index.html" and (response := await self._answer(relative, request)):
            return response
        if PurePosixPath(relative).suffix and relative != "index.html":  # a missing file must not look like a page
            raise HTTPException(404)
        return self._page(request)

    async def _answer(self, relative: str, request: Request) -> Response | None:
        compressed = takes_gzip(request) and not relative.endswith(_COMPRESSED_BY_ITSELF)
        file = self._kept.get((relative, compressed))
        if file is None or not file.is_current():
            file = await anyio.to_thread.run_sync(self._read, relative, compressed)
            if file is None:
                return None
            self._kept[relative, compressed] = file
        headers = {
            "Cache-Control": _FOREVER if relative.startswith("assets/") else _REVALIDATE,
            "ETag": file.etag,
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if compressed else {}),
        }
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        return Response(file.body, media_type=file.media_type, headers=headers)

    def _read(self, relative: str, compressed: bool) -> _File | None:
        """Read a file; None when there is none inside the folder."""
        folder = self._folder.resolve()
        if "\0" in relative or not (path := (folder / relative).resolve()).is_relative_to(folder) or not path.is_file():
            return None
        changed_ns, body = path.stat().st_mtime_ns, path.read_bytes()
        if compressed:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        media_type = _MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        return _File(path, changed_ns, body, f'"{hashlib.sha256(body).hexdigest()[:24]}"', media_type)

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

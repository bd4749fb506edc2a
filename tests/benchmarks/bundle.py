"""How large the built viewer's scripts are."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

STATIC_DIR = Path(__file__).parents[2] / "collector" / "milepost_collector" / "static"
_SCRIPT = re.compile(r'<script[^>]*type="module"[^>]*src="\./assets/(index-[^"]+)"')
_PAGES = re.compile(r'<meta name="milepost-scripts" content="([^"]+)"')
_IMPORT = re.compile(r'(?:^|[;}\s])(?:import|export)(?:[^;"\'()]*?from)?\s*["\']\./([^"\']+\.js)["\']')


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Sizes in bytes.

    first_load: scripts that the run list or a run needs, whichever needs more, gzip. sql: the editor of SQL, which is
    fetched with the SQL page, gzip. sql_page: all that the page adds to the shell, its editor included, gzip. raw:
    everything that is built, as it lies on disk.
    """

    first_load: int
    sql: int
    sql_page: int
    raw: int


def measure(folder: Path = STATIC_DIR) -> Bundle:
    """Measure what Vite has built into a folder."""
    assets = folder / "assets"
    html = (folder / "index.html").read_text("utf-8")
    entry, named = _SCRIPT.search(html), _PAGES.search(html)
    if entry is None or named is None:
        raise RuntimeError(f"{folder / 'index.html'} names no scripts; build the viewer with: make viewer")
    pages = {page: {Path(name).name for name in names} for page, names in json.loads(unescape(named[1])).items()}
    shell = _needed(assets, {entry[1]})
    editor = {path.name for path in assets.glob("editor-*.js")}
    return Bundle(
        first_load=max(_gzip_size(assets, shell | _needed(assets, pages[page])) for page in ("runs", "run")),
        sql=_gzip_size(assets, editor),
        sql_page=_gzip_size(assets, _needed(assets, pages["sql"] | editor) - shell),
        raw=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _needed(assets: Path, names: set[str]) -> set[str]:
    """Return scripts with all that they import."""
    found: set[str] = set()
    while names - found:
        name = (names - found).pop()
        found.add(name)
        names = names | set(_IMPORT.findall((assets / name).read_text("utf-8")))
    return found


def _gzip_size(assets: Path, names: set[str]) -> int:
    return sum(len(gzip.compress((assets / name).read_bytes(), compresslevel=6, mtime=0)) for name in names)

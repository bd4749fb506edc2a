"""How large the built viewer's scripts are."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

STATIC_DIR = Path(__file__).parents[2] / "collector" / "milepost_collector" / "static"
_SCRIPT = re.compile(r'<script[^>]*type="module"[^>]*src="\./([^"]+)"')
_STATIC_IMPORT = re.compile(r'(?:^|[;}\s])(?:import|export)(?:[^;"\'()]*?from)?\s*["\']\./([^"\']+\.js)["\']')
_ANY_IMPORT = re.compile(r'["\'(`]\./([^"\'`)]+\.js)["\'`)]')


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Sizes in bytes.

    first_load: scripts that the run list or a run needs, whichever needs more, gzip. sql: what the SQL page adds to the
    shell, gzip. raw: everything that is built, as it lies on disk.
    """

    first_load: int
    sql: int
    raw: int


def measure(folder: Path = STATIC_DIR) -> Bundle:
    """Measure what Vite has built into a folder."""
    assets = folder / "assets"
    entry = _SCRIPT.search((folder / "index.html").read_text("utf-8"))
    if entry is None:
        raise RuntimeError(f"{folder / 'index.html'} names no module script; build the viewer with: make viewer")
    shell = {Path(entry[1]).name}
    first_pages = [_reachable(assets, shell | _page(assets, name), _STATIC_IMPORT) for name in ("RunsPage", "RunPage")]
    sql = _reachable(assets, _page(assets, "SqlPage"), _ANY_IMPORT, _reachable(assets, shell, _STATIC_IMPORT))
    return Bundle(
        first_load=max(sum(_gzip_size(assets / name) for name in first) for first in first_pages),
        sql=sum(_gzip_size(assets / name) for name in sql),
        raw=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _page(assets: Path, name: str) -> set[str]:
    return {path.name for path in assets.glob(f"{name}-*.js")}


def _reachable(
    assets: Path, begin: set[str], imports: re.Pattern[str], beside: frozenset[str] | set[str] = frozenset()
) -> set[str]:
    found: set[str] = set()
    names = set(begin)
    while names:
        name = names.pop()
        found.add(name)
        names |= set(imports.findall((assets / name).read_text("utf-8"))) - found - beside
    return found


def _gzip_size(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), compresslevel=6, mtime=0))

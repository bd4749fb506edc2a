"""Secrets are taken out of recorded values by the name of the key they stand under, and by the user's hook.

It happens on JSON values, in the exporter's thread, before anything leaves the process.
"""

from __future__ import annotations

import functools
import logging
import re
from typing import Any

import msgspec

from milepost._config import ScrubHook

__all__ = ["SCRUBBED", "Scrubber", "is_secret_key"]

logger = logging.getLogger("milepost.scrub")

SCRUBBED = "[scrubbed]"

_SECRET_WORDS = frozenset(
    [
        "password",
        "passwords",
        "passwd",
        "pwd",
        "passphrase",
        "passcode",
        "secret",
        "secrets",
        "cookie",
        "cookies",
        "credential",
        "credentials",
    ]
)
_SECRET_ENDS = (b"token", b"auth", b"bearer")
_SECRET_PARTS = (
    b"authoriz", b"password", b"passwd", b"passphrase", b"clientsecret", b"credential",
    b"apikey", b"privatekey", b"accesskey", b"secretkey", b"signingkey", b"encryptionkey", b"sshkey",
)  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

# What a text that holds a secret key must contain once squeezed: a text with none of them needs no closer look. The
# last three are followed by the end of the key, because every text about language models is full of "tokens".
_HINTS = (*_SECRET_PARTS, b"pwd", b"passcode", b"secret", b"cookie", *(end + b'":' for end in _SECRET_ENDS))


@functools.lru_cache(maxsize=8192)
def is_secret_key(key: str) -> bool:
    """Tell whether a value under this key is a secret by its name.

    `api_key`, `X-API-Key`, `openaiApiKey`, `session_token` and `password` are; `input_tokens`, `max_tokens`,
    `token_count` and `author` are not.
    """
    squeezed = _squeeze(key.encode(errors="replace"))
    return (
        squeezed.endswith(_SECRET_ENDS)
        or any(part in squeezed for part in _SECRET_PARTS)
        or any(word.lower() in _SECRET_WORDS for word in _WORD.findall(key))
    )


class Scrubber:
    """Takes secrets out of JSON values. Safe under threads if the hook is.

    hook: called for every value that is not a container, after the keys were looked at. A hook that raises costs the
    value it was asked about, which is replaced as if it were a secret, and nothing else.
    """

    def __init__(self, hook: ScrubHook | None = None) -> None:
        self._hook = hook
        self._hook_failed = False

    def text(self, json_text: bytes, name: str) -> bytes:
        """Return JSON text without its secrets; name: what the value is, the first part of the hook's path."""
        if self._hook is None and not _may_hold_secret(json_text):
            return json_text
        try:
            return msgspec.json.encode(self.value(msgspec.json.decode(json_text), (name,)))
        except RecursionError:
            return b'"<not recorded: nested too deeply to be searched for secrets>"'

    def value(self, value: Any, path: tuple[str, ...]) -> Any:
        """Return a JSON value without its secrets; containers are copied, never changed."""
        if isinstance(value, dict):
            return {key: self._under(key, item, path) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*path, str(index))) for index, item in enumerate(value)]
        return value if self._hook is None else self._ask(self._hook, value, path)

    def _under(self, key: str, item: Any, path: tuple[str, ...]) -> Any:
        if item is not None and is_secret_key(key):
            return SCRUBBED
        return self.value(item, (*path, key))

    def _ask(self, hook: ScrubHook, value: Any, path: tuple[str, ...]) -> Any:
        try:
            answer = hook(path, value)
            return value if answer is value else msgspec.to_builtins(answer, str_keys=True)
        except Exception as error:
            if not self._hook_failed:
                self._hook_failed = True
                logger.warning("scrub hook failed at %s: %r; the value is scrubbed", ".".join(path), error)
            return SCRUBBED


def _may_hold_secret(json_text: bytes) -> bool:
    squeezed = _squeeze(json_text)
    return any(hint in squeezed for hint in _HINTS)


def _squeeze(text: bytes) -> bytes:
    """Return the text without case and without what separates words in keys."""
    return text.lower().translate(None, b"_-. ")

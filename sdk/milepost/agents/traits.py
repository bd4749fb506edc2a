"""What an agent says of itself, by which tasks choose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from milepost.errors import ConfigurationError

__all__ = ["Traits"]

_LONGEST = 100
_MOST = 100


@dataclass(frozen=True)
class Traits:
    """Capabilities, sorted, and labels."""

    capabilities: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, capabilities: Sequence[str], labels: Mapping[str, str]) -> Traits:
        """Return what is given, checked.

        Raises:
            ConfigurationError: one is no text of 1 to 100 characters without spaces and `=`, or there are too many.
        """
        several = [capabilities] if isinstance(capabilities, str) else list(capabilities)
        for setting, given in (("capabilities", several), ("labels", [*labels, *labels.values()])):
            for word in given:
                _check(setting, word)
        if max(len(several), len(labels)) > _MOST:
            raise ConfigurationError("capabilities", f"an agent has {_MOST} at most, and {_MOST} labels")
        return cls(tuple(sorted(set(several))), dict(labels))


def _check(setting: str, word: object) -> None:
    fits = isinstance(word, str) and 0 < len(word) <= _LONGEST and "=" not in word and not any(map(str.isspace, word))
    if not fits:
        raise ConfigurationError(
            setting, f"must be texts of 1 to {_LONGEST} characters without spaces and =, got {word!r:.300}"
        )

"""A user's own prices: the text of `milepost.toml` to entries, and which entry holds for a model.

[[prices]]
model = "our-llama-*"      # a name, or a pattern with * ? [ ]; capitals do not matter
provider = "vllm"          # only there; without it anywhere
from = 2026-01-01          # only for calls from that day (UTC) on; without it always
input = 0.20               # USD per million tokens, as all of these
output = 0.60
cache_read = 0.02          # without it: as input
cache_write = 0.25         # without it: as input
reasoning = 0.60           # without it: as output

[[prices.tiers]]           # instead of the above for prompts of more tokens than `above`
above = 200_000
input = 0.40
output = 1.20
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from milepost.errors import MilepostError
from milepost_collector.protocol.tariffs import Rates, Tariff, provider_id

_RATES = ("input", "output", "cache_read", "cache_write", "reasoning")
_KEYS = ("model", "provider", "from", *_RATES, "tiers")
_TIER_KEYS = ("above", *_RATES)
_HEADER = re.compile(r"\s*\[\[\s*prices\s*(\.\s*tiers\s*)?\]\]")
_EPOCH = date(1970, 1, 1)
MAX_RATE = 1e6  # USD per million tokens; a dollar a token is a slip of units


class PriceFileError(MilepostError, ValueError):
    """A price file cannot be used. line: where, from 1; None when the place is not known."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class PriceEntry(NamedTuple):
    """Prices of the models of a pattern. first_day: days since the Unix epoch. rates: ascending by `above`."""

    pattern: str
    provider: str | None
    first_day: int
    rates: tuple[Rates, ...]

    @property
    def id(self) -> str:
        """What a cost computed with it names as its price."""
        provider = f"{self.provider}/" if self.provider else ""
        since = f" from {_EPOCH + timedelta(days=self.first_day)}" if self.first_day else ""
        return f"milepost.toml {provider}{self.pattern}{since}"


def parse_prices(text: str) -> list[PriceEntry]:
    """Return the entries of a price file, in its order.

    Raises:
        PriceFileError: it is not TOML, or an entry is wrong; the text names line, value and remedy.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column \d+\)", str(error))
        reason = str(error).partition(" (at ")[0]
        raise PriceFileError(int(where[1]) if where else None, f"not valid TOML: {reason}") from error
    places = _Places(text)
    for name in content:
        if name != "prices":
            raise PriceFileError(places.of_key(name), f"unknown table {name!r}; prices are written as [[prices]]")
    entries = content.get("prices", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PriceFileError(places.of_key("prices"), "prices must be a list of tables, each headed by [[prices]]")
    return [_entry(entry, places, number) for number, entry in enumerate(entries)]


def entry_tariff(entries: Sequence[PriceEntry], model: str, provider: str | None, day: int) -> Tariff | None:
    """Return the tariff of the entry that holds for a model on a day, days since the Unix epoch.

    An exact name wins over a pattern, an entry for the provider over one for any, a later `from` over an earlier one,
    and of equals the one further down.
    """
    names = {model.lower(), model.lower().rpartition("/")[2]}
    best: tuple[tuple[bool, bool, int], PriceEntry] | None = None
    for entry in entries:
        if entry.first_day > day or not _is_of(entry, names, provider):
            continue
        rank = (entry.pattern.lower() in names, entry.provider is not None, entry.first_day)
        if best is None or rank >= best[0]:
            best = rank, entry
    return Tariff(best[1].rates, best[1].id, (_EPOCH + timedelta(days=day)).isoformat()) if best else None


def _is_of(entry: PriceEntry, names: set[str], provider: str | None) -> bool:
    if entry.provider is not None and not _same_provider(entry.provider, provider):
        return False
    pattern = entry.pattern.lower()
    return any(fnmatchcase(name, pattern) for name in names)


def _same_provider(wanted: str, given: str | None) -> bool:
    if given is None or wanted.lower() == given.lower():
        return given is not None
    known = provider_id(wanted)
    return known is not None and known == provider_id(given)


class _Places:
    """Finds the line of a key: the standard library's parser does not tell."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._entries: list[int] = []
        self._tiers: list[list[int]] = []
        for number, line in enumerate(self._lines):
            header = _HEADER.match(line)
            if header and header[1] is None:
                self._entries.append(number)
                self._tiers.append([])
            elif header and self._tiers:
                self._tiers[-1].append(number)

    def of_key(self, key: str, entry: int | None = None, tier: int | None = None) -> int | None:
        """Return the line of a key in an entry or tier; that of its header if the key is not there."""
        start = self._start(entry, tier)
        if start is None:
            return None
        pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=\].]")
        for number in range(start, len(self._lines)):
            if number > start and entry is not None and self._lines[number].lstrip().startswith("["):
                break
            if pattern.match(self._lines[number]):
                return number + 1
        return start + 1

    def _start(self, entry: int | None, tier: int | None) -> int | None:
        try:
            if entry is None:
                return 0
            return self._entries[entry] if tier is None else self._tiers[entry][tier]
        except IndexError:  # written as inline tables
            return None


class _Fields:
    """The keys of one entry or tier, checked as they are taken."""

    def __init__(self, values: Mapping[str, Any], places: _Places, entry: int, tier: int | None = None) -> None:
        self._values = values
        self._at = (places, entry, tier)

    def fail(self, key: str, message: str) -> PriceFileError:
        places, entry, tier = self._at
        return PriceFileError(places.of_key(key, entry, tier), message)

    def check_names(self, known: Sequence[str]) -> None:
        for name in self._values:
            if name not in known:
                raise self.fail(name, f"unknown key {name!r}; known are {', '.join(known)}")

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise self.fail(key, f'{key} is {value!r} and must be text that is not empty, as in {key} = "name"')
        return value.strip() if isinstance(value, str) else None

    def day(self, key: str) -> int:
        value = self._values.get(key)
        if value is None:
            return 0
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.fail(key, f"{key} is {str(value)!r} and must be a date without quotes, as in {key} = 2026-01-31")
        return max(0, (value - _EPOCH).days)

    def rates(self, above: int) -> Rates:
        inputs, outputs = self._needed("input"), self._needed("output")
        read, written, thought = self._rate("cache_read"), self._rate("cache_write"), self._rate("reasoning")
        return Rates(
            above=above,
            input=inputs,
            output=outputs,
            cache_read=inputs if read is None else read,
            cache_write=inputs if written is None else written,
            reasoning=outputs if thought is None else thought,
        )

    def above(self) -> int:
        value = self._values.get("above")
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.fail("above", f"above is {value!r} and must be a number of tokens of at least 1")
        return value

    def _needed(self, key: str) -> float:
        rate = self._rate(key)
        if rate is None:
            raise self.fail(key, f"{key} is missing; give USD per million tokens, 0 if it is free")
        return rate

    def _rate(self, key: str) -> float | None:
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.fail(key, f"{key} is {value!r} and must be a number: USD per million tokens, as in {key} = 0.15")
        if not 0 <= value <= MAX_RATE:
            raise self.fail(key, f"{key} is {value:g} and must be between 0 and {MAX_RATE:g} USD per million tokens")
        return value / 1e6


def _entry(values: Mapping[str, Any], places: _Places, number: int) -> PriceEntry:
    fields = _Fields(values, places, number)
    fields.check_names(_KEYS)
    pattern = fields.text("model")
    if pattern is None:
        raise fields.fail("model", 'model is missing; name the model, as in model = "gpt-4o-mini" or "our-llama-*"')
    rates = [fields.rates(-1)]
    tiers = values.get("tiers", [])
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        raise fields.fail("tiers", "tiers must be a list of tables, each headed by [[prices.tiers]]")
    for place, tier in enumerate(tiers):
        part = _Fields(tier, places, number, place)
        part.check_names(_TIER_KEYS)
        rates.append(part.rates(part.above()))
        if rates[-1].above <= rates[-2].above:
            raise part.fail(
                "above", f"above is {rates[-1].above} after {rates[-2].above}; order tiers from low to high"
            )
    return PriceEntry(pattern, fields.text("provider"), fields.day("from"), tuple(rates))

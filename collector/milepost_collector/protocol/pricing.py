"""What usage costs: reported by the producer, computed from a price book, or honestly unpriced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from milepost.wire import Usage
from milepost_collector.protocol.api import UsageItem
from milepost_collector.protocol.price_file import PriceEntry, entry_tariff
from milepost_collector.protocol.tariffs import DAY_NS, Rates, Tariff, list_tariff

__all__ = [
    "BUNDLED",
    "COUNTS",
    "NO_USAGE",
    "Buckets",
    "PriceBook",
    "Rates",
    "Tariff",
    "Totals",
    "buckets_of",
    "cost_of",
    "find_tariff",
    "price_item",
    "price_items",
    "reprice",
    "total",
]

COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")

MAX_REMEMBERED = 8192


class Totals(NamedTuple):
    """A span's usage over all its models. Counts are None when nobody stated them, cost_usd when no part is priced."""

    model: str | None
    provider: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    cost_source: str | None


class Buckets(NamedTuple):
    """Tokens by what they cost: no token is in two of them."""

    input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int


NO_USAGE = Totals(None, None, None, None, None, None, None, None, None)


class PriceBook:
    """The prices to compute with: a user's own entries first, then the table that ships with the program.

    Safe to use from several threads. What was found is remembered by model, provider and day.
    """

    def __init__(self, entries: Sequence[PriceEntry] = ()) -> None:
        self.entries = tuple(entries)
        self._found: dict[tuple[str, str | None, int], Tariff | None] = {}

    def find(self, model: str, provider: str | None, unix_nano: int) -> Tariff | None:
        """Return a model's tariff at a time, Unix ns, or None when no price is known."""
        if not self.entries:
            return list_tariff(model, provider, unix_nano)
        key = (model, provider, unix_nano // DAY_NS)
        if key not in self._found:
            if len(self._found) >= MAX_REMEMBERED:
                self._found.clear()
            self._found[key] = entry_tariff(self.entries, model, provider, key[2])
        return self._found[key] or list_tariff(model, provider, unix_nano)


BUNDLED = PriceBook()


def price_items(usage: Sequence[Usage], unix_nano: int, book: PriceBook = BUNDLED) -> list[UsageItem]:
    """Return the usage with costs and where they come from. unix_nano: when the calls were made; prices change."""
    return [price_item(item, unix_nano, book) for item in usage]


def reprice(items: Sequence[UsageItem], unix_nano: int, book: PriceBook) -> list[UsageItem]:
    """Return priced usage as it would be priced now; what producers reported stays reported."""
    return [price_item(_stated(item), unix_nano, book) for item in items]


def total(items: Sequence[UsageItem]) -> Totals:
    """Add the items up; model and provider are those of the item with most tokens."""
    if not items:
        return NO_USAGE
    if len(items) == 1:
        one = items[0]
        return Totals(
            one.model, one.provider, one.input_tokens, one.output_tokens, one.cache_read_tokens,
            one.cache_write_tokens, one.reasoning_tokens, one.cost_usd, one.cost_source,
        )  # fmt: skip
    main = max(items, key=lambda item: (item.input_tokens or 0) + (item.output_tokens or 0))
    sums = {count: _sum([getattr(item, count) for item in items]) for count in COUNTS}
    return Totals(model=main.model, provider=main.provider, **sums, cost_usd=_cost(items), cost_source=_source(items))


def buckets_of(usage: Usage | UsageItem) -> Buckets:
    """Return inclusive counts as exclusive ones.

    A producer whose cached tokens exceed its input, or whose reasoning exceeds its output, counts them apart.
    """
    inputs, outputs = usage.input_tokens or 0, usage.output_tokens or 0
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    thought = usage.reasoning_tokens or 0
    fresh = inputs - read - written if inputs >= read + written else inputs
    return Buckets(fresh, read, written, outputs - thought if outputs >= thought else outputs, thought)


def cost_of(usage: Usage | UsageItem, tariff: Tariff) -> float:
    """Return the cost of inclusive counts, USD, each of `buckets_of` at its rate."""
    inputs, outputs = usage.input_tokens or 0, usage.output_tokens or 0
    rates = tariff.rates[0]
    for longer in tariff.rates[1:]:
        if inputs > longer.above:
            rates = longer
    _, input_rate, output_rate, read_rate, write_rate, thought_rate = rates
    cost = 0.0
    # The buckets are worked out in place: this is done for every span that comes in.
    if read := usage.cache_read_tokens or 0:
        cost += read * read_rate
    if written := usage.cache_write_tokens or 0:
        cost += written * write_rate
    if thought := usage.reasoning_tokens or 0:
        cost += thought * thought_rate
    fresh = inputs - read - written if inputs >= read + written else inputs
    return cost + fresh * input_rate + (outputs - thought if outputs >= thought else outputs) * output_rate


def find_tariff(model: str, provider: str | None, unix_nano: int, book: PriceBook = BUNDLED) -> Tariff | None:
    """Return a model's tariff at a time, Unix ns, or None when no price is known."""
    return book.find(model, provider, unix_nano)


def price_item(usage: Usage, unix_nano: int, book: PriceBook = BUNDLED) -> UsageItem:
    """Return one model's usage with its cost and where that comes from. unix_nano: when the calls were made."""
    model, provider, reported = usage.model, usage.provider, usage.cost_usd
    given, output = usage.input_tokens, usage.output_tokens
    read, written, thought = usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens
    item = UsageItem(
        cost_source="unpriced" if reported is None else "reported",
        model=model,
        provider=provider,
        input_tokens=given,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=thought,
        cost_usd=reported,
    )
    if model is None or (given is None and output is None and read is None and written is None and thought is None):
        return item
    tariff = book.find(model, provider, unix_nano)
    if tariff is None:
        return item
    cost = cost_of(usage, tariff)
    if reported is None:
        item.cost_source, item.cost_usd = "computed", cost
    else:
        item.computed_cost_usd = cost
    item.price_id, item.price_date = tariff.id, tariff.date
    return item


def _stated(item: UsageItem) -> Usage:
    """Return what a producer stated of an item."""
    return Usage(
        model=item.model,
        provider=item.provider,
        input_tokens=item.input_tokens,
        output_tokens=item.output_tokens,
        cache_read_tokens=item.cache_read_tokens,
        cache_write_tokens=item.cache_write_tokens,
        reasoning_tokens=item.reasoning_tokens,
        cost_usd=item.cost_usd if item.cost_source == "reported" else None,
    )


def _cost(items: Sequence[UsageItem]) -> float | None:
    known = [item.cost_usd for item in items if item.cost_usd is not None]
    return sum(known) if known else None


def _source(items: Sequence[UsageItem]) -> str:
    sources = {item.cost_source for item in items}
    return next(source for source in ("unpriced", "computed", "reported") if source in sources)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None

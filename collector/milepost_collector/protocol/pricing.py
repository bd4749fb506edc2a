"""What usage costs: reported by the producer, computed from the price table, or honestly unpriced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from milepost.wire import Usage
from milepost_collector.protocol.api import UsageItem


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


class Rates(NamedTuple):
    """What a model charges, USD a token, when the prompt has more than `above` tokens."""

    above: int
    input: float
    output: float
    cache_read: float
    cache_write: float


class Tariff(NamedTuple):
    """A model's rates by length of prompt, ascending. id: table, version, provider and model. date: ISO 8601."""

    rates: tuple[Rates, ...]
    id: str
    date: str


NO_USAGE = Totals(None, None, None, None, None, None, None, None, None)
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def price_items(usage: Sequence[Usage], unix_nano: int) -> list[UsageItem]:
    """Return the usage with costs and where they come from. unix_nano: when the calls were made; prices change."""
    return [_price_item(item, unix_nano // 86_400_000_000_000) for item in usage]


def total(items: Sequence[UsageItem]) -> Totals:
    """Add the items up; model and provider are those of the item with most tokens."""
    if not items:
        return NO_USAGE
    main = max(items, key=lambda item: (item.input_tokens or 0) + (item.output_tokens or 0))
    sums = {count: _sum([getattr(item, count) for item in items]) for count in COUNTS}
    return Totals(model=main.model, provider=main.provider, **sums, cost_usd=_cost(items), cost_source=_source(items))


def _cost(items: Sequence[UsageItem]) -> float | None:
    known = [item.cost_usd for item in items if item.cost_usd is not None]
    return sum(known) if known else None


def _source(items: Sequence[UsageItem]) -> str:
    sources = {item.cost_source for item in items}
    return next(source for source in ("unpriced", "computed", "reported") if source in sources)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _price_item(usage: Usage, day: int) -> UsageItem:
    counts = {count: getattr(usage, count) for count in COUNTS}
    stated = UsageItem(cost_source="unpriced", model=usage.model, provider=usage.provider, **counts)
    if usage.cost_usd is not None:
        stated.cost_source, stated.cost_usd = "reported", usage.cost_usd
        return stated
    tariff = find_tariff(usage.model, usage.provider, day) if usage.model else None
    if tariff and any(count is not None for count in counts.values()):
        stated.cost_source, stated.cost_usd = "computed", cost_of(usage, tariff)
        stated.price_id, stated.price_date = tariff.id, tariff.date
    return stated


def cost_of(usage: Usage, tariff: Tariff) -> float:
    """Return the cost of inclusive counts, USD. A producer whose cached tokens exceed its input counts them apart."""
    inputs, read, written = usage.input_tokens or 0, usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    fresh = inputs - read - written if inputs >= read + written else inputs
    rates = next(rates for rates in reversed(tariff.rates) if inputs > rates.above)
    outputs = (usage.output_tokens or 0) * rates.output
    return fresh * rates.input + read * rates.cache_read + written * rates.cache_write + outputs


@lru_cache(maxsize=4096)
def find_tariff(model: str, provider: str | None, day: int) -> Tariff | None:
    """Return a model's tariff by the price table, or None when the table does not know it.

    day: days since the Unix epoch. The table is asked once a model and day, for asking takes 0.2 ms; the sums are made
    here.
    """
    # Imported late: it costs 60 ms and 11 MB, and a collector that sees no usage never needs it.
    import genai_prices
    from genai_prices.types import TieredPrices

    when = datetime.fromtimestamp(day * 86_400, UTC)

    def price(known_as: str | None, **tokens: int) -> Any:
        usage = genai_prices.Usage(**tokens)
        return genai_prices.calc_price(usage, model, provider_id=known_as, genai_request_timestamp=when)

    for known_as in dict.fromkeys((provider, None)):  # the provider may be one the table has no name for
        try:
            found = price(known_as, input_tokens=1)
        except LookupError:
            continue
        prices = vars(found.model_price).values()
        steps = {tier.start for tiered in prices if isinstance(tiered, TieredPrices) for tier in tiered.tiers}
        rates = tuple(_rates(partial(price, known_as), above) for above in (-1, *sorted(steps)))
        price_id = f"genai-prices {genai_prices.__version__} {found.provider.id}/{found.model.id}"
        return Tariff(rates, price_id, when.date().isoformat())
    return None


def _rates(price: Callable[..., Any], above: int) -> Rates:
    """Find the rates that hold just above a length of prompt by asking for the price of that many tokens."""
    length = above + 1 or 1
    bare = price(input_tokens=length).total_price
    output = price(input_tokens=length, output_tokens=length).total_price - bare
    read = price(input_tokens=length, cache_read_tokens=length).total_price
    written = price(input_tokens=length, cache_write_tokens=length).total_price
    return Rates(above, *(float(total / length) for total in (bare, output, read, written)))

"""What usage costs: reported by the producer, computed from the price table, or honestly unpriced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
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


class Price(NamedTuple):
    """The computed cost of one call. date: when the prices were last checked, ISO 8601, if the table says."""

    cost_usd: float
    price_id: str
    date: str | None


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
    price = compute_price(usage.model, usage.provider, tuple(counts.values()), day) if usage.model else None
    if price:
        stated.cost_source, stated.cost_usd = "computed", price.cost_usd
        stated.price_id, stated.price_date = price.price_id, price.date
    return stated


@lru_cache(maxsize=8192)
def compute_price(model: str, provider: str | None, counts: tuple[int | None, ...], day: int) -> Price | None:
    """Return what a call cost by the price table, or None when the table does not know the model.

    counts: in the order of COUNTS; inputs and outputs are inclusive. day: days since the Unix epoch.
    """
    # Imported late: it costs 60 ms and 11 MB, and a collector that sees no usage never needs it.
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    if all(count is None for count in counts):
        return None
    tokens = Tokens(**{name: count for name, count in zip(COUNTS[:4], counts, strict=False) if count is not None})
    when = datetime.fromtimestamp(day * 86_400, UTC)
    for provider_id in dict.fromkeys((provider, None)):
        try:
            found: Any = calc_price(tokens, model_ref=model, provider_id=provider_id, genai_request_timestamp=when)
        except (LookupError, ValueError):  # an unknown provider or model; counts that contradict each other
            continue
        checked = getattr(found.model, "prices_checked", None)
        price_id = f"{found.provider.id}/{found.model.id}"
        return Price(float(found.total_price), price_id, checked.isoformat() if checked else None)
    return None

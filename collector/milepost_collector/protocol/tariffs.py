"""What models charge by the price table that ships as `genai-prices`, under whatever names instrumentations use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

DAY_NS = 86_400_000_000_000
SLOTS = 48  # a day has, for models whose price depends on the hour; the table changes them at half hours

# Providers as OpenTelemetry, LiteLLM, Vercel and others spell them, where the table would not understand.
_PROVIDERS = {
    "aws.bedrock": "aws", "bedrock": "aws", "bedrock_converse": "aws", "amazon-bedrock": "aws",
    "azure": "azure", "azure_ai": "azure", "azure-openai": "azure", "azure.ai.openai": "azure",
    "azure.ai.inference": "azure", "az.ai.openai": "azure", "az.ai.inference": "azure",
    "gcp.gemini": "google", "gcp.gen_ai": "google", "gcp.vertex_ai": "google", "gemini": "google", "google": "google",
    "google_genai": "google", "vertex_ai": "google", "vertexai": "google", "vertex_ai_beta": "google",
    "openai": "openai", "text-completion-openai": "openai", "anthropic": "anthropic", "cohere": "cohere",
    "cohere_chat": "cohere", "mistral_ai": "mistral", "mistral": "mistral", "x_ai": "x-ai", "xai": "x-ai",
    "x-ai": "x-ai", "deepseek": "deepseek", "groq": "groq", "perplexity": "perplexity", "moonshot_ai": "moonshotai",
    "moonshot": "moonshotai", "together_ai": "together", "togetherai": "together", "together": "together",
    "fireworks_ai": "fireworks", "fireworks": "fireworks", "cerebras": "cerebras", "openrouter": "openrouter",
    "voyage": "voyageai",
}  # fmt: skip

# What runs on one's own machines costs nobody's list price, even when a provider sells a model of that name.
_OWN_MACHINES = frozenset({"ollama", "ollama_chat", "vllm", "hosted_vllm", "lm_studio", "lmstudio", "llamafile",
                           "llama_cpp", "llamacpp", "llama.cpp", "localai", "sglang", "tgi"})  # fmt: skip

_BEDROCK = re.compile(r"(?:(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.)?(?:anthropic|amazon|meta|cohere|mistral|ai21)\.")
_VERSION = re.compile(r"(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d|latest)|@default)$")


class Rates(NamedTuple):
    """What a model charges, USD a token, when the prompt has more than `above` tokens."""

    above: int
    input: float
    output: float
    cache_read: float
    cache_write: float
    reasoning: float


class Tariff(NamedTuple):
    """A model's rates by length of prompt, ascending. id: table, version, provider and model. date: ISO 8601."""

    rates: tuple[Rates, ...]
    id: str
    date: str


class Found(NamedTuple):
    """A model in the table. slot_ns: how long a price holds at least."""

    provider: Provider
    model: ModelInfo
    slot_ns: int


def list_tariff(model: str, provider: str | None, unix_nano: int) -> Tariff | None:
    """Return a model's tariff at a time by the table, or None when the table does not know it.

    The table is asked once a model and day (half an hour where prices depend on the hour), which takes 1 ms.
    """
    found = _find(model, provider)
    if found is None:
        return None
    return _tariff(model, provider, unix_nano // found.slot_ns * found.slot_ns)


def provider_id(provider: str | None) -> str | None:
    """Return the table's name of a provider; None when it has none."""
    if not provider:
        return None
    name = provider.strip().lower()
    known = _PROVIDERS.get(name) or _PROVIDERS.get(name.partition(".")[0])
    if known:
        return known
    from genai_prices.data_snapshot import find_provider_by_id, get_snapshot

    found = find_provider_by_id(get_snapshot().providers, name)
    return found.id if found else None


@lru_cache(maxsize=4096)
def _find(model: str, provider: str | None) -> Found | None:
    # Imported late: it costs 60 ms and 11 MB, and a collector that sees no usage never needs it.
    from genai_prices.data_snapshot import get_snapshot

    for known_as, name in dict.fromkeys(_references(model, provider)):
        try:
            where, what = get_snapshot().find_provider_model(name, None, known_as, None)
        except LookupError:
            continue
        return Found(where, what, DAY_NS // _slots(what))
    return None


def _references(model: str, provider: str | None) -> Iterator[tuple[str | None, str]]:
    """Yield under which provider and name the table may know a model, the most telling first."""
    known_as = provider_id(provider)
    *path, last = model.strip().split("/")
    if known_as:
        yield known_as, model
    for place, name in enumerate(path):
        if (via := _PROVIDERS.get(name.lower())) is not None:
            yield via, "/".join([*path[place + 1 :], last])
            yield via, last
    if _BEDROCK.match(last.lower()):
        yield "aws", last
    if known_as:
        yield known_as, last
    if provider and provider.lower() in _OWN_MACHINES:
        return
    yield None, model
    yield None, last
    plain = _VERSION.sub("", last)
    if known_as:
        yield known_as, plain
    yield None, plain


def _slots(model: ModelInfo) -> int:
    prices = model.prices
    by_hour = isinstance(prices, list) and any(hasattr(price.constraint, "start_time") for price in prices)
    return SLOTS if by_hour else 1


@lru_cache(maxsize=4096)
def _tariff(model: str, provider: str | None, unix_nano: int) -> Tariff | None:
    import genai_prices
    from genai_prices.types import TieredPrices

    found = _find(model, provider)
    if found is None:
        return None
    when = datetime.fromtimestamp(unix_nano // 1_000_000_000, UTC)

    def price(**tokens: int) -> Any:
        usage = genai_prices.Usage(**tokens)
        return found.model.calc_price(usage, found.provider, genai_request_timestamp=when)

    prices = vars(found.model.get_prices(when)).values()
    steps = {tier.start for tiered in prices if isinstance(tiered, TieredPrices) for tier in tiered.tiers}
    rates = tuple(_rates(price, above) for above in (-1, *sorted(steps)))
    price_id = f"genai-prices {genai_prices.__version__} {found.provider.id}/{found.model.id}"
    return Tariff(rates, price_id, when.date().isoformat())


def _rates(price: Callable[..., Any], above: int) -> Rates:
    """Find the rates that hold just above a length of prompt by asking for the price of that many tokens."""
    length = above + 1 or 1
    ask = partial(price, input_tokens=length)
    bare = ask().total_price
    output = ask(output_tokens=length).total_price - bare
    reasoning = ask(output_tokens=length, output_reasoning_tokens=length).total_price - bare
    read, written = ask(cache_read_tokens=length).total_price, ask(cache_write_tokens=length).total_price
    return Rates(above, *(float(total / length) for total in (bare, output, read, written, reasoning)))

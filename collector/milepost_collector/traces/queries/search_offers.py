"""What may come next in a search, with values that were recorded."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.api import SearchOffer, SearchOffers
from milepost_collector.protocol.search import complete, quoted
from milepost_collector.traces.queries.facets import recorded_values


def search_offers(connection: DuckDBPyConnection, text: str, at: int, limit: int) -> SearchOffers:
    """Return what may come at a place of a search, recorded values by how many runs have them.

    at: characters before the place. limit: recorded values at most.
    """
    found = complete(text, at)
    counts: dict[str, int] = {}
    if found.values_of is not None:
        values = recorded_values(connection, found.values_of.name, found.prefix, limit=limit)
        counts = {quoted(one.value): one.runs for one in values}
    recorded = [SearchOffer(text=text, sort="value", runs=runs) for text, runs in counts.items()]
    others = [
        SearchOffer(text=offer.text, sort=offer.sort, description=offer.description)
        for offer in found.offers
        if offer.text not in counts
    ]
    return SearchOffers(start=found.start, end=found.end, offers=[*recorded, *others])

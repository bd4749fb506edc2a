"""A user's own prices, read when the collector starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from milepost.errors import ConfigurationError
from milepost_collector.config import CollectorConfig
from milepost_collector.traces.ingest import price_book
from tests.collector.corpus.scenarios import SCENARIOS
from tests.collector.server import StartServer

PRICES = '[[prices]]\nmodel = "gpt-4o-mini*"\ninput = 1000.0\noutput = 0.0\n'


def test_own_prices_win_over_the_list(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(PRICES)
    server = start_server(price_file=tmp_path / "own.toml")
    sent = next(scenario for scenario in SCENARIOS if scenario.name == "openai_v2_default").requests[0]
    server.client.post("/v1/traces", content=sent.body, headers={"Content-Type": sent.content_type})
    rows = server.rows(
        "SELECT cost_usd, input_tokens / 1000, usage FROM spans WHERE model LIKE 'gpt-4o-mini%' AND cost_usd > 0"
    )
    assert len(rows) == 3
    for cost, expected, usage in rows:
        assert cost == pytest.approx(expected)
        assert "own.toml" in str(usage) or "milepost.toml" in str(usage)


def test_wrong_price_file_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "milepost.toml").write_text('[[prices]]\nmodel = "x"\ninput = "dear"\n')
    with pytest.raises(ConfigurationError, match=r"milepost\.toml"):
        price_book(CollectorConfig(data_dir=tmp_path))

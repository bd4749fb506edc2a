"""`milepost compare`: two runs in the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke


def test_first_difference_and_unmatched_steps_are_shown(invoke: Invoke, recorded: dict[str, str]):
    told = invoke("compare", recorded["good"][:12], recorded["bad"]).output
    assert "first difference: " in told
    assert "only in a" in told


def test_run_beside_itself_has_no_difference(invoke: Invoke, recorded: dict[str, str]):
    assert "no difference" in invoke("compare", recorded["good"], recorded["good"]).output


def test_comparison_is_given_as_json(invoke: Invoke, recorded: dict[str, str]):
    found = json.loads(invoke("compare", recorded["good"], recorded["good"], "--json").output)
    assert found["counts"]["different"] == 0

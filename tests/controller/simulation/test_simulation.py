"""What holds whatever happens, and that the simulation would notice if it did not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.controller.simulation.audit import BrokenError
from tests.controller.simulation.mutations import MUTATIONS, Mutation
from tests.controller.simulation.run import fingerprint, simulate_all

_MAX_SEEDS = 150  # within which a broken engine must be found out


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_invariants_hold_whatever_happens(seeds: range) -> None:
    simulate_all(seeds)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.__name__ for mutation in MUTATIONS])
def test_broken_engine_is_found_out(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    with pytest.raises(BrokenError, match=r"repeat it by: .*--first-seed \d+ --seeds 1$"):
        simulate_all(range(_MAX_SEEDS))


def test_seed_repeats_itself_in_another_process(root: Path) -> None:
    # Texts hash differently there: whatever depended on the order of a set would differ.
    code = "from tests.controller.simulation.run import fingerprint; print(fingerprint(3))"
    command = [sys.executable, "-W", "error", "-c", code]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == fingerprint(3)

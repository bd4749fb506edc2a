"""Run seeds: `python -m tests.controller.simulation --first-seed 0 --seeds 2000`."""

from __future__ import annotations

import argparse
import time

from tests.controller.simulation.run import STEPS, simulate


def main() -> None:
    """Run as many seeds as are asked for; stops at the first that fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.controller.simulation", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--seeds", type=int, default=2_000, help="how many (default: 2000)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each storm (default: {STEPS})")
    arguments = parser.parse_args()
    begin = time.process_time()
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        simulate(seed, steps=arguments.steps)
    print(f"{arguments.seeds} seeds hold, {time.process_time() - begin:.1f} s of CPU")


if __name__ == "__main__":
    main()

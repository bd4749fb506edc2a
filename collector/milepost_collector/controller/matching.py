"""Which agent suits a task best. Pure: facts about agents in, scores with their parts out.

An agent is eligible when it handles the task's name and can do all that the task must have. Among those that are, a
score from 0 to 1 decides: the weighted mean of four parts, each from 0 to 1 as well.

* preference: the share of what the task prefers (by weight) that the agent has; 1 when it prefers nothing.
* success: how often its attempts at tasks of this name succeeded, as if it had made PRIOR_ATTEMPTS more of which
  PRIOR_SUCCESSES did, so that a few attempts prove little.
* load: the share of its slots that are free.
* cost: the lowest median cost of any of the agents over its own, drawn towards UNKNOWN_COST by a few samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

WEIGHTS = {"preference": 0.4, "success": 0.3, "load": 0.2, "cost": 0.1}
MARGIN = 0.1  # by how much a score must be higher to be worth waiting for
PRIOR_ATTEMPTS, PRIOR_SUCCESSES = 4, 3
UNKNOWN_COST = 0.5
COST_SAMPLES = 3  # of the unknown that stand against an agent's own


class Wish(Struct, kw_only=True, frozen=True):
    """What a task wants of its agent. preferred: with weights."""

    required: tuple[str, ...] = ()
    preferred: tuple[tuple[str, float], ...] = ()


class Contender(Struct, kw_only=True, frozen=True):
    """An agent, as far as it matters for one task. cost_usd: the median of `cost_samples` attempts. obstacle: why it
    cannot take the task at all, beside what it handles and is able to."""

    agent: str
    handles: bool = True
    abilities: frozenset[str] = frozenset()
    slots: int = 1
    busy: int = 0
    successes: int = 0
    failures: int = 0
    cost_usd: float | None = None
    cost_samples: int = 0
    obstacle: str | None = None


class Score(Struct, kw_only=True, frozen=True):
    """How well an agent suits. obstacle: why it is not eligible; then total is 0. missing: of what is required."""

    agent: str
    preference: float
    success: float
    load: float
    cost: float
    total: float
    met: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    obstacle: str | None = None


def rank(wish: Wish, contenders: Sequence[Contender]) -> list[Score]:
    """Return every agent's score, the best first; equal ones by name."""
    known = [one.cost_usd for one in contenders if one.cost_usd is not None and one.cost_samples]
    cheapest = min(known, default=None)
    scores = [score(wish, one, cheapest) for one in contenders]
    return sorted(scores, key=lambda one: (one.obstacle is not None, -one.total, one.agent))


def score(wish: Wish, one: Contender, cheapest_usd: float | None) -> Score:
    """Return an agent's score. cheapest_usd: the lowest median cost of any agent, None when none is known."""
    missing = tuple(what for what in wish.required if what not in one.abilities)
    obstacle = one.obstacle or _obstacle(one, missing)
    parts = {
        "preference": _preference(wish, one),
        "success": success_part(one.successes, one.failures),
        "load": max(one.slots - one.busy, 0) / one.slots if one.slots else 0.0,
        "cost": _cost(one, cheapest_usd),
    }
    total = sum(WEIGHTS[name] * part for name, part in parts.items())
    wanted = (*wish.required, *(what for what, _ in wish.preferred))
    return Score(
        agent=one.agent,
        **parts,
        total=0.0 if obstacle else total,
        met=tuple(what for what in wanted if what in one.abilities),
        missing=missing,
        obstacle=obstacle,
    )


def success_part(successes: int, failures: int) -> float:
    """Return a success rate that few attempts do not move far."""
    return (successes + PRIOR_SUCCESSES) / (successes + failures + PRIOR_ATTEMPTS)


def better(scores: Iterable[Score], agent: str) -> Score | None:
    """Return the best that is clearly better than an agent's and eligible; None when the agent may go ahead."""
    ranked = [one for one in scores if one.obstacle is None]
    own = next((one.total for one in ranked if one.agent == agent), 0.0)
    best = max(ranked, key=lambda one: one.total, default=None)
    return best if best is not None and best.agent != agent and best.total >= own + MARGIN else None


def spoken_needs(needs: Sequence[str]) -> str:
    """Return requirements for people: capability 'sql', label region=eu."""
    return ", ".join(f"label {what}" if "=" in what else f"capability {what!r}" for what in needs)


def _obstacle(one: Contender, missing: Sequence[str]) -> str | None:
    if not one.handles:
        return "it does not handle tasks of this name"
    return f"it lacks {spoken_needs(missing)}" if missing else None


def _preference(wish: Wish, one: Contender) -> float:
    whole = sum(weight for _, weight in wish.preferred)
    if not whole:
        return 1.0
    return sum(weight for what, weight in wish.preferred if what in one.abilities) / whole


def _cost(one: Contender, cheapest_usd: float | None) -> float:
    if one.cost_usd is None or cheapest_usd is None or not one.cost_samples:
        return UNKNOWN_COST
    own = cheapest_usd / one.cost_usd if one.cost_usd > 0 else 1.0
    return (own * one.cost_samples + UNKNOWN_COST * COST_SAMPLES) / (one.cost_samples + COST_SAMPLES)

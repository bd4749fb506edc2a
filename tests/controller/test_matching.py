"""Which agent suits a task: the score's parts, its ties, and when another is worth waiting for."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.controller.matching import (
    MARGIN,
    WEIGHTS,
    Contender,
    Wish,
    better,
    rank,
    score,
    success_part,
)

WORDS = st.sampled_from(["sql", "gpu", "region=eu", "region=us", "docs"])
WISHES = st.builds(
    lambda required, preferred: Wish(required=tuple(sorted(required)), preferred=tuple(preferred.items())),
    st.sets(WORDS, max_size=2),
    st.dictionaries(WORDS, st.floats(0.1, 10), max_size=3),
)
AGENTS = st.sampled_from(["amy", "bob", "cleo", "dan"])


def contenders(agent: st.SearchStrategy[str] = AGENTS) -> st.SearchStrategy[Contender]:
    """Draw an agent."""
    costs = st.one_of(st.just((None, 0)), st.tuples(st.floats(0, 100, allow_subnormal=False), st.integers(1, 50)))
    return st.builds(
        lambda agent, handles, abilities, slots, busy, wins, losses, cost, obstacle: Contender(
            agent=agent,
            handles=handles,
            abilities=frozenset(abilities),
            slots=slots,
            busy=min(busy, slots),
            successes=wins,
            failures=losses,
            cost_usd=cost[0],
            cost_samples=cost[1],
            obstacle=obstacle,
        ),
        agent,
        st.booleans(),
        st.sets(WORDS),
        st.integers(0, 20),
        st.integers(0, 20),
        st.integers(0, 100),
        st.integers(0, 100),
        costs,
        st.sampled_from([None, None, "it is paused"]),
    )


ABLE = contenders().map(
    lambda one: msgspec.structs.replace(
        one, handles=True, abilities=frozenset(WORDS.elements), obstacle=None, slots=one.slots or 1
    )
)


@given(WISHES, contenders(), st.one_of(st.none(), st.floats(0, 100)))
def test_score_is_the_weighted_mean_of_parts_between_zero_and_one(wish: Wish, one: Contender, cheapest: float | None):
    lowest = None if one.cost_usd is None or cheapest is None else min(cheapest, one.cost_usd)
    found = score(wish, one, lowest)
    parts = {name: getattr(found, name) for name in WEIGHTS}
    assert all(0 <= part <= 1 for part in parts.values())
    expected = sum(WEIGHTS[name] * part for name, part in parts.items())
    assert found.total == pytest.approx(0 if found.obstacle else expected)
    assert sum(WEIGHTS.values()) == pytest.approx(1)


@given(WISHES, contenders())
def test_agent_is_eligible_exactly_when_it_handles_the_task_and_lacks_nothing(wish: Wish, one: Contender):
    found = score(wish, one, None)
    able = one.handles and set(wish.required) <= one.abilities and one.obstacle is None
    assert (found.obstacle is None) == able
    assert set(found.missing) == set(wish.required) - one.abilities


@given(WISHES, ABLE, st.integers(1, 50))
def test_each_part_can_only_raise_the_total(wish: Wish, one: Contender, more: int):
    before = score(wish, one, one.cost_usd).total
    better_ones = [
        msgspec.structs.replace(one, successes=one.successes + more),
        msgspec.structs.replace(one, failures=max(one.failures - more, 0)),
        msgspec.structs.replace(one, busy=max(one.busy - more, 0)),
    ]
    assert all(score(wish, other, one.cost_usd).total >= before - 1e-12 for other in better_ones)


@given(WISHES, ABLE, st.floats(0.01, 10), st.floats(1, 10))
def test_a_lower_cost_never_lowers_the_total(wish: Wish, one: Contender, cheapest: float, factor: float):
    dear = msgspec.structs.replace(one, cost_usd=cheapest * factor * 2, cost_samples=5)
    cheap = msgspec.structs.replace(one, cost_usd=cheapest * factor, cost_samples=5)
    assert score(wish, cheap, cheapest).total >= score(wish, dear, cheapest).total


@given(WISHES, contenders(), WORDS)
def test_a_further_ability_never_lowers_the_total(wish: Wish, one: Contender, word: str):
    more = msgspec.structs.replace(one, abilities=one.abilities | {word})
    assert score(wish, more, None).total >= score(wish, one, None).total - 1e-12


@given(
    WISHES,
    st.lists(contenders(), max_size=6, unique_by=lambda one: one.agent).flatmap(
        lambda them: st.tuples(st.just(them), st.permutations(them))
    ),
)
def test_order_is_the_same_however_agents_are_listed(wish: Wish, given_: tuple[list[Contender], list[Contender]]):
    listed, shuffled = given_
    ranked = rank(wish, listed)
    assert ranked == rank(wish, shuffled)
    keys = [(one.obstacle is not None, -one.total, one.agent) for one in ranked]
    assert keys == sorted(keys)


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_few_attempts_prove_little_and_many_prove_much(successes: int, failures: int):
    rate = success_part(successes, failures)
    total = successes + failures
    assert abs(rate - success_part(0, 0)) <= total / (total + 4)
    if total:
        assert abs(rate - successes / total) <= 4 / (total + 4)


@given(WISHES, st.lists(contenders(), min_size=1, max_size=6, unique_by=lambda one: one.agent))
def test_the_best_never_waits_and_nobody_waits_for_less_than_the_margin(wish: Wish, them: list[Contender]):
    ranked = rank(wish, them)
    for one in ranked:
        found = better(ranked, one.agent)
        if found is not None:
            assert found.obstacle is None
            assert found.total >= one.total + MARGIN or one.obstacle is not None
    if ranked[0].obstacle is None:
        assert better(ranked, ranked[0].agent) is None


def test_agent_without_slots_has_no_load_to_give():
    assert score(Wish(), Contender(agent="amy", slots=0), None).load == 0


def test_what_an_agent_lacks_is_named():
    found = score(Wish(required=("gpu", "region=eu")), Contender(agent="amy"), None)
    assert found.obstacle == "it lacks capability 'gpu', label region=eu"

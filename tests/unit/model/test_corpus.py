# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad inventories: every one is told in exact words, all at once, and none of them breaks the program."""

from __future__ import annotations

import copy
import itertools
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .support import CORPUS, Inventory, base, changed, compiled, load, messages

Case = dict[str, t.Any]

FILES = sorted(path for path in CORPUS.glob("*.yml") if path.name != "base.yml")
CASES: dict[str, Case] = {
    f"{path.stem}: {case['name']}": case for path in FILES for case in t.cast("list[Case]", load(path))
}


def inventory_of(case: Case) -> Inventory:
    return changed(case.get("set", {}), without=case.get("remove", ()))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bad_inventory_is_told_in_exact_words(case: Case) -> None:
    assert messages(compiled(inventory_of(case))) == case["expect"]


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(CASES) == sum(len(load(path)) for path in FILES) > 300
    assert sum(bool(case["expect"]) for case in CASES.values()) > 280


def test_the_base_has_no_problem() -> None:
    assert messages(compiled(base())) == []


MERGED = (
    "schema: unknown setting",
    "schema: an unknown delivery",
    "names: the wrong variable",
    "quantities: a price that is not a number",
    "addresses: the address of the API is outside the nodes' network",
    "references: an unknown service to wait for",
    "references: a tenant without projects widens",
    "schema: everything that is wrong in one tenant is told together",
)


def test_all_problems_of_one_inventory_are_told_together() -> None:
    inventory, expected = base(), []
    cases = [CASES[name] for name in MERGED]
    for case in cases:
        inventory = changed(case.get("set", {}), without=case.get("remove", ()), of=inventory)
        expected += case["expect"]
    assert len(expected) > len(cases)
    told = messages(compiled(inventory))
    assert sorted(told) == sorted(expected)


INDEPENDENT = (
    "names: two pools of one name",
    "budgets: over the budget of the grandparent with a grandchild's budget",
    "budgets: over the budget because of two clusters",
    "budgets: an expired environment",
    "placement: a declared placement breaks two rules",
    "references: a forbidden priority class",
    "references: a protected label that a pattern names",
    "references: services that wait for each other",
    "references: an unknown tenant of a dedicated cluster",
    "references: an annotation of Flux",
)


def test_problems_that_need_the_whole_model_are_told_together() -> None:
    inventory, expected = base(), []
    for name in INDEPENDENT:
        inventory = changed(CASES[name].get("set", {}), without=CASES[name].get("remove", ()), of=inventory)
        expected += CASES[name]["expect"]
    assert sorted(messages(compiled(inventory))) == sorted(expected)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_messages_are_of_one_line_and_of_bounded_length(case: Case) -> None:
    for problem in compiled(inventory_of(case)).problems:
        line = problem.render()
        assert "\n" not in line
        assert len(line) < 2000
        assert "\x1b" not in line
        assert problem.what.endswith(".")
        assert problem.fix == "" or problem.fix.endswith((".", "?"))


def test_finding_problems_twice_gives_the_same() -> None:
    for case in list(CASES.values())[::10]:
        inventory = inventory_of(case)
        assert messages(compiled(inventory)) == messages(compiled(inventory))


# --- anything anywhere -------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "prod", "dev", "1Gi", "10.0.0.0/8", "physics", "2027-01-01", "{{ x }}", "*", "é", "\x00", "\ud800"]
    ),
    st.sampled_from([2**70, 2**2000, -1, 0.0, 1e308]),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.one_of(
                st.text(max_size=6),
                st.integers(),
                st.none(),
                st.booleans(),
                st.sampled_from(["id", "name", "hard", "kind", "projects", "clusters", "url", "tenant", "cidr"]),
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)

Path = tuple[t.Any, ...]


def paths(node: t.Any, above: Path = ()) -> list[Path]:
    """Every place of a document."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [above, *itertools.chain.from_iterable(paths(child, (*above, key)) for key, child in children)]


# the three mappings and what a host's variables are in come from Ansible; all below is what people write
PLACES = [
    path
    for path in paths({k: v for k, v in base().items() if k != "recorded"})
    if len(path) > (2 if path[:1] == ("clusters",) else 1)
]


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_no_junk_at_any_place_raises(changes: list[tuple[Path, t.Any]]) -> None:
    inventory = base()
    for path, junk in changes:
        node: t.Any = inventory
        for key in path[:-1]:
            if not isinstance(node, (dict, list)) or (isinstance(node, dict) and key not in node):
                break
            if isinstance(node, list) and not (isinstance(key, int) and key < len(node)):
                break
            node = node[key]
        if isinstance(node, dict) or (isinstance(node, list) and isinstance(path[-1], int) and path[-1] < len(node)):
            node[path[-1]] = copy.deepcopy(junk)
    fleet = compiled(inventory)
    for problem in fleet.problems:
        assert problem.render()
        assert problem.as_dict()["what"]
    assert fleet.ledger is not None


@settings(max_examples=150)
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_no_part_in_the_place_of_another_raises(to: Path, source: Path) -> None:
    inventory = base()
    part: t.Any = inventory
    for key in source:
        part = part[key]
    node: t.Any = inventory
    for key in to[:-1]:
        node = node[key]
    node[to[-1]] = copy.deepcopy(part)
    compiled(inventory)


@pytest.mark.parametrize("path", PLACES, ids=[" / ".join(map(str, path)) for path in PLACES])
def test_no_missing_part_raises(path: Path) -> None:
    inventory = base()
    node: t.Any = inventory
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    compiled(inventory)

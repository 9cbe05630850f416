# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: what Kubernetes accepts, how ours are put together, and how a place in the inventory is written."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import names
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import (
    ModelError,
    Problem,
    Problems,
    Where,
    look_alikes,
    nearest,
    show,
    suggest,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.resources import (
    canonical_quota,
    is_compute,
    is_known,
    quota_key,
)

FORMS: list[tuple[str, list[str], list[str]]] = [
    (names.LABEL, ["a", "a-b", "0", "a--b"], ["", "-a", "a-", "A", "a.b", "a_b", "ä"]),
    (names.SUBDOMAIN, ["a", "a.b-c.d"], ["", ".a", "a.", "a..b", "a_b"]),
    (
        names.LABEL_KEY,
        ["a", "A_b.c", "x.org/a", "count/deployments.apps"],
        ["", "/a", "a/", "-a", "X.org/a", "a b", "a/b/c"],
    ),
    (names.LABEL_VALUE, ["", "a", "A_b.c-1"], ["-a", "a b", "a/", "x" * 64]),
    (names.HOSTNAME, ["*", "*.a.org", "a.org"], ["", "*.", "*a.org", "a.*.org", "A.org", "**", "a.org/"]),
    (
        names.REGISTRY,
        ["r.io", "r.io:5000/a", "r.io/a_b/c", "r.io/", "localhost"],
        ["", "/a", "https://r.io", "r.io//a", "r io", "r.io:x", "r.io'"],
    ),
    (names.PORT_NAME, ["http", "a1", "1a"], ["", "80", "-a", "Http", "a" * 16]),
]


@pytest.mark.parametrize(("form", "good", "bad"), FORMS, ids=[row[0][:30] for row in FORMS])
def test_forms(form: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not re.search(form, text)] == []
    assert [text for text in bad if re.search(form, text)] == []


def test_a_namespace_is_named_after_all_three() -> None:
    assert names.namespace_name("physics", "lab-sim", "dev") == "physics-lab-sim-dev"
    assert len(names.namespace_name("a" * 20, "b" * 20, "c" * 21)) == 63
    with pytest.raises(ModelError, match="has 64 characters; at most 63 are allowed"):
        names.namespace_name("a" * 20, "b" * 20, "c" * 22)


def test_the_variable_of_a_tenant() -> None:
    assert names.tenant_variable("computer-science") == "tenant__computer_science"


@settings(max_examples=200)
@given(st.text())
def test_any_text_becomes_a_label_value(text: str) -> None:
    value = names.label_value(text)
    assert re.fullmatch(names.LABEL_VALUE, value)
    assert names.label_value(value) == value


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("projets", ["projects", "budget"], "projects"),
        ("Project-ID", ["project_id", "x"], "project_id"),
        ("displayName", ["display_name", "description"], "display_name"),
        ("production", ["dev", "staging", "prod"], "prod"),
        ("tier_1", ["tier_1_critical", "tier_2_important"], "tier_1_critical"),
        ("team", ["team_a_platform", "team_b_platform"], None),
        ("xyzzy", ["projects", "budget"], None),
        ("", ["a"], None),
        (7, ["a"], None),
        (None, [], None),
    ],
)
def test_the_nearest_known_name(word: object, known: list[str], found: str | None) -> None:
    assert nearest(word, known) == found


@pytest.mark.parametrize(
    ("word", "known", "text"),
    [
        ("b", ["aaa", "bbb"], "Known: aaa, bbb."),
        ("aab", ["aaa", "bbb"], "Did you mean 'aaa'? Known: aaa, bbb."),
        ("name-1x", [f"name-{i}" for i in range(20)], "Did you mean 'name-1'?"),
        ("x", [], "None are defined."),
    ],
)
def test_suggestions(word: str, known: list[str], text: str) -> None:
    assert suggest(word, known) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (True, "true"),
        (None, "None"),
        ([1, "a"], "[1, 'a']"),
        ({"a": [True]}, "{'a': [true]}"),
        (2**4000, "a very large number"),
        ("x" * 1000, "'" + "x" * 75 + "...'"),
        ([[[[[[[[[[[[1]]]]]]]]]]]], "[[[[[[[[[[...]]]]]]]]]]"),
    ],
)
def test_values_are_shown_in_bounded_length(value: object, text: str) -> None:
    shown = show(value)
    assert len(shown) <= 80
    assert shown == text


def test_a_value_that_contains_itself_can_be_shown() -> None:
    loop: list[t.Any] = [1]
    loop.append(loop)
    assert len(show(loop)) <= 80


def test_look_alikes_are_named() -> None:
    assert look_alikes("physics") == ""
    assert look_alikes("рhysics") == " (it holds U+0440, CYRILLIC SMALL LETTER ER)"
    assert look_alikes("a\ue000") == " (it holds U+E000, a character without a name)"


def test_a_place_is_written_as_people_say_it() -> None:
    place = (Where("tenant__a") / "projects").item(0, "web") / "labels" / "a.b/c"
    assert place.text == "tenant__a.projects[web].labels['a.b/c']"
    assert place.keys == ("projects", 0, "labels", "a.b/c")
    assert Where("x").item(3, None).text == "x[3]"
    assert Where("x").item(3, "a\x1bb").text == Where("x").item(3, "a" * 64).text == "x[3]"
    assert len((Where("x") / ("k" * 10**6)).text) < 100


def test_a_problem_is_rendered_with_file_and_line() -> None:
    problem = Problem("code", Where("cluster_x", host="east"), "it is wrong.", "Mend it.")
    assert problem.render() == "east: cluster_x: it is wrong. Mend it."
    assert problem.render(lambda _where: ("f.yml", 7)) == "f.yml:7: cluster_x: it is wrong. Mend it."
    assert problem.render(lambda _where: ("f.yml", 0)) == "f.yml: cluster_x: it is wrong. Mend it."
    assert problem.as_dict(lambda _where: ("f.yml", 7)) == {
        "code": "code",
        "severity": "error",
        "file": "f.yml",
        "line": 7,
        "host": "east",
        "path": "cluster_x",
        "what": "it is wrong.",
        "fix": "Mend it.",
    }


def test_the_same_problem_is_told_once() -> None:
    problems = Problems()
    for _unused in range(2):
        problems.error("a", Where("x"), "it is wrong.")
        problems.warn("a", Where("y"), "it is odd.")
    assert (len(problems.errors), len(problems.warnings), len(list(problems))) == (1, 1, 2)


@pytest.mark.parametrize(
    ("name", "key", "compute", "known"),
    [
        ("cpu", "requests.cpu", True, True),
        ("memory", "requests.memory", True, True),
        ("limits.memory", "limits.memory", True, True),
        ("storage", "requests.storage", False, True),
        ("ephemeral-storage", "requests.ephemeral-storage", True, True),
        ("pods", "pods", True, True),
        ("count/pods", "count/pods", True, True),
        ("count/deployments.apps", "count/deployments.apps", False, True),
        ("secrets", "secrets", False, True),
        ("nvidia.com/gpu", "requests.nvidia.com/gpu", True, True),
        ("requests.nvidia.com/gpu", "requests.nvidia.com/gpu", True, True),
        ("hugepages-2Mi", "hugepages-2Mi", True, True),
        (
            "nfs.storageclass.storage.k8s.io/requests.storage",
            "nfs.storageclass.storage.k8s.io/requests.storage",
            False,
            True,
        ),
        ("coffee", "coffee", False, False),
    ],
)
def test_resources_have_one_spelling(name: str, key: str, compute: bool, known: bool) -> None:
    assert (quota_key(name), is_compute(key), is_known(name)) == (key, compute, known)
    assert quota_key(key) == key
    assert list(canonical_quota({name: "1"})) == [key]

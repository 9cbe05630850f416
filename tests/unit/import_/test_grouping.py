# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces are taken, and what they are taken for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError

from .hand_made import (
    Object,
    namespace,
    rendered,
    run,
    source,
)

NAME = "physics-lab-prod"


@pytest.mark.parametrize(
    ("name", "labels", "how", "key"),
    [
        ("physics-lab-prod", {}, {}, "physics/lab/prod"),
        ("physics-big-lab-dev", {}, {}, "physics/big-lab/dev"),
        ("physics-lab-prod", {}, {"mapping": {"physics-lab-prod": "physics/lab/prod"}}, "physics/lab/prod"),
        ("ai-lab-eyes-prod", {}, {"mapping": {"ai-lab-eyes-prod": "ai-lab/eyes/prod"}}, "ai-lab/eyes/prod"),
        ("ai-lab-eyes-prod", {}, {"default_tenant": "ai-lab"}, "ai-lab/eyes/prod"),
        ("ai-lab-eyes-blue", {}, {"default_tenant": "ai-lab"}, "ai-lab/eyes/blue"),
        ("ai-lab-eyes-prod", {"team": "ai-lab"}, {"labels": {"tenant": "team"}}, "ai-lab/eyes/prod"),
        (
            "ai-lab-eyes-it-x",
            {"team": "ai", "app": "lab-eyes"},
            {"labels": {"tenant": "team", "project": "app"}},
            "ai/lab-eyes/it-x",
        ),
        (
            "a-b-c-d",
            {},
            {"pattern": r"(?P<tenant>a-b)-(?P<project>\w)-(?P<environment>\w)"},
            "a-b/c/d",
        ),
        ("a-b-c-d", {}, {"pattern": r"(?P<tenant>[a-z]+)-.*"}, "a/b-c/d"),
        (
            "p-lab-x-prod",
            {
                f"self-provisioning.internal/{k}": v
                for k, v in (("tenant", "p-lab"), ("project", "x"), ("environment", "prod"))
            },
            {},
            "p-lab/x/prod",
        ),
    ],
)
def test_grouping(name: str, labels: dict[str, str], how: dict[str, Any], key: str) -> None:
    imported, fleet = run([namespace(name, labels)], **how)
    assert [each.key for each in fleet.environments] == [key]
    assert [each.identity.key for each in imported.drafts] == [key]
    assert list(rendered(fleet)) == [name]


@pytest.mark.parametrize(
    ("name", "how", "fix"),
    [
        ("web", {}, "default_tenant"),
        ("web-prod", {}, "default_tenant"),
        ("web-prod", {"default_tenant": "acme"}, "'acme-web-prod'"),
        ("web", {"default_tenant": "acme"}, "'acme-web-prod'"),
        ("big-web-shop", {}, "mapping: {big-web-shop: big/web/shop}"),
        ("big-web-shop", {"mapping": {"big-web-shop": "shop/web/big"}}, "mapping: {big-web-shop: big/web/shop}"),
        ("a-b-c", {"mapping": {"a-b-c": "A/b/c"}}, "a/b/c"),
    ],
)
def test_a_name_that_does_not_fit_is_told_with_the_nearest_that_does(name: str, how: dict[str, Any], fix: str) -> None:
    imported, _fleet = run([namespace(name)], **how)
    (finding,) = imported.findings.sorted
    assert (finding.code, finding.namespace, finding.field) == ("not-expressed", name, "metadata.name")
    assert fix in finding.fix
    assert imported.tenants == {}


def test_the_suggested_mapping_is_taken() -> None:
    imported, _fleet = run([namespace("big-web-shop")])
    assert "big/web/shop" in imported.findings.sorted[0].fix
    again, _fleet = run([namespace("big-web-shop")], mapping={"big-web-shop": "big/web/shop"})
    assert list(again.tenants) == ["big"]


@pytest.mark.parametrize(
    ("how", "taken"),
    [
        ({}, ["a-x-prod", "b-x-prod", "b-y-dev"]),
        ({"names": ["b-*"]}, ["b-x-prod", "b-y-dev"]),
        ({"names": ["kube-a-prod"]}, ["kube-a-prod"]),
        ({"selector": "team=a"}, ["a-x-prod"]),
        ({"selector": "team in (a,b),team!=a"}, ["b-x-prod"]),
        ({"selector": "team notin (a)"}, ["b-x-prod", "b-y-dev"]),
        ({"selector": "!team"}, ["b-y-dev"]),
        ({"selector": "team", "names": ["b*"]}, ["b-x-prod"]),
    ],
)
def test_selection(how: dict[str, Any], taken: list[str]) -> None:
    names = ("default", "kube-a-prod", "kube-system", "ingress-nginx", "flux-system", "self-provisioning")
    objects = [namespace("a-x-prod", {"team": "a"}), namespace("b-x-prod", {"team": "b"}), namespace("b-y-dev")]
    imported, _fleet = run([*objects, *map(namespace, names)], **how)
    assert sorted(draft.identity.namespace for draft in imported.drafts) == taken
    left = {each["namespace"] for each in imported.left_out}
    assert left == (set(names) if not how.get("names") else set())


def test_namespaces_of_the_inventory_and_dying_ones_are_left_out() -> None:
    into = source()
    known: Object = {"id": "a", "projects": [{"id": "x", "environments": [{"name": "prod"}]}]}
    into.tenants["tenant__a"] = known  # type: ignore[index]
    dying = namespace("b-x-prod", deletionTimestamp="2026-11-20T00:00:00Z")
    imported, _fleet = run([namespace("a-x-prod"), dying], into)
    assert {each["namespace"]: each["why"] for each in imported.left_out} == {
        "a-x-prod": "declared already, as a/x/prod",
        "b-x-prod": "being deleted",
    }


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"pattern": "("}, "not a regular expression"),
        ({"pattern": "x"}, "groups such as"),
        ({"pattern": "(?P<team>x)"}, "groups such as"),
        ({"mapping": {"x": "a/b"}}, "is not tenant/project/environment"),
        ({"labels": {"team": "x"}}, "is none of"),
        ({"selector": "a=b c"}, "is not a label selector"),
    ],
)
def test_options_that_cannot_be_used(how: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        run([namespace(NAME)], **how)

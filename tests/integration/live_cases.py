# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes between two live runs: what check mode says, what then happens, and that a further run has nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .live_cluster import DOMAIN, Live, Object


@dataclass
class Case:
    """A change between two runs.

    @param before: declared first; None for nothing.
    @param after: declared then, None for nothing.
    @param meddle: what somebody does in between.
    @param expect: kind, name and action of each row.
    @param finally_: what must be so in the end.
    """

    expect: set[tuple[str, str, str]]
    before: Object | None = None
    after: Object | None = None
    meddle: Callable[[Live, str], Any] = lambda _live, _namespace: None
    finally_: Callable[[Live, str], bool] = lambda _live, _namespace: True
    how: Object = field(default_factory=dict)
    settles: bool = True
    reason: str = ""


ENV: Object = {"name": "prod", "labels": {"team": "lab", "floor": "3"}}
QUOTA, DENY, OWNERS, PARAMETERS = "tenant-quota", "default-deny", "tenant-admin-owners", "self-provisioning-policy"
NETWORK = "/apis/networking.k8s.io/v1/namespaces"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
DOORS = {
    ("ServiceAccount", "ci-deployer", "deleted"),
    ("ServiceAccount", "flux-reconciler", "deleted"),
    ("RoleBinding", OWNERS, "deleted"),
    ("RoleBinding", "tenant-editor-ci-deployer", "deleted"),
    ("RoleBinding", "tenant-admin-flux-reconciler", "deleted"),
}
NAMES = {
    "ConfigMap": [PARAMETERS],
    "LimitRange": ["tenant-limits"],
    "NetworkPolicy": [
        DENY, "allow-dns", "allow-same-namespace", "allow-platform", "declared-ingress", "declared-egress",
    ],
    "ResourceQuota": [QUOTA],
}  # fmt: skip
INSIDE = {(kind, name) for kind, names in NAMES.items() for name in names} | {door[:2] for door in DOORS}


AUDITORS = {"cluster_role": "view", "subjects": [{"kind": "Group", "name": "auditors"}]}


def egress(*rules: Object) -> Object:
    return {"network": {"egress": [{"cidr": "10.0.0.0/8", **rule} for rule in rules]}}


def quota(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/resourcequotas/{QUOTA}"


def ns(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}"


def hard(live: Live, namespace: str) -> Object:
    found = live.read(quota(namespace))
    assert found is not None
    return found["spec"]["hard"]


def labels(live: Live, namespace: str) -> Object:
    return (live.read(ns(namespace)) or {"metadata": {"labels": {}}})["metadata"]["labels"]


def made_by_hand(**meta: Any) -> Callable[[Live, str], Any]:
    return lambda live, name: live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **meta}})


def with_quota(live: Live, namespace: str, hard: Object) -> None:
    made_by_hand()(live, namespace)
    meta = {"name": "by-hand", "namespace": namespace}
    live.make({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}})


def with_policy(live: Live, namespace: str) -> None:
    made_by_hand()(live, namespace)
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    meta = {"name": DENY, "namespace": namespace}
    live.make({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec})


def apply_quota(live: Live, namespace: str) -> None:
    meta = {"name": QUOTA, "namespace": namespace}
    live.claim(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "33"}}}, "rival"
    )


def fits(namespace: str) -> set[tuple[str, str, str]]:
    return {("Namespace", namespace, "updated")} | {(*each, "created") for each in INSIDE}


def refused(namespace: str) -> set[tuple[str, str, str]]:
    return {("Namespace", namespace, "failed")} | {(*each, "skipped") for each in INSIDE}


NS = "{namespace}"
PSS = {
    f"pod-security.kubernetes.io/{m}": v
    for m, v in (("enforce", "baseline"), ("audit", "restricted"), ("warn", "restricted"))
}
PSS |= {f"{key}-version": "latest" for key in PSS}

CASES: dict[str, Case] = {
    "created": Case({("Namespace", NS, "created")} | {(*each, "created") for each in INSIDE}, after=ENV),
    "updated": Case(
        {("ResourceQuota", QUOTA, "updated")},
        before=ENV,
        after={**ENV, "resource_quota": {"hard": {"pods": "25"}}},
        finally_=lambda live, name: hard(live, name)["pods"] == "25",
        reason=".spec.hard.pods",
    ),
    "a label withdrawn": Case(
        {("Namespace", NS, "updated")},
        before=ENV,
        after={**ENV, "labels": {"team": "lab"}},
        finally_=lambda live, name: "floor" not in labels(live, name) and labels(live, name)["team"] == "lab",
    ),
    "a rule of an atomic list withdrawn": Case(
        {("NetworkPolicy", "declared-egress", "updated")},
        before={**ENV, **egress({"ports": [1]}, {"ports": [2]})},
        after={**ENV, **egress({"ports": [2]})},
    ),
    "ports withdrawn from a rule": Case(
        {("NetworkPolicy", "declared-egress", "updated")},
        before={**ENV, **egress({"ports": [1]})},
        after={**ENV, **egress({})},
    ),
    "an object withdrawn": Case(
        {("RoleBinding", "view-3ea14456", "deleted")},
        before={**ENV, "role_bindings": [AUDITORS]},
        after=ENV,
    ),
    "frozen": Case(
        {("Namespace", NS, "updated")},
        before=ENV,
        after={**ENV, "state": "frozen"},
        finally_=lambda live, name: labels(live, name)[f"{DOMAIN}/state"] == "frozen",
    ),
    "an amount edited": Case(
        {("ResourceQuota", QUOTA, "updated")},
        before=ENV,
        after=ENV,
        meddle=lambda live, name: live.edit(quota(name), {"spec": {"hard": {"pods": "9000"}}}),
        finally_=lambda live, name: hard(live, name)["pods"] == "20",
        reason=".spec.hard.pods (changed by kubectl-edit)",
    ),
    "an empty selector narrowed": Case(
        {("NetworkPolicy", DENY, "updated")},
        before=ENV,
        after=ENV,
        meddle=lambda live, name: live.edit(
            f"{NETWORK}/{name}/networkpolicies/{DENY}", {"spec": {"podSelector": {"matchLabels": {"x": "y"}}}}
        ),
        finally_=lambda live, name: live.read(f"{NETWORK}/{name}/networkpolicies/{DENY}")["spec"]["podSelector"] == {},
    ),
    "a subject added": Case(
        {("RoleBinding", OWNERS, "updated")},
        before=ENV,
        after=ENV,
        meddle=lambda live, name: live.edit(
            f"{RBAC}/{name}/rolebindings/{OWNERS}",
            {"subjects": [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}]},
        ),
        finally_=lambda live, name: "eve" not in str(live.read(f"{RBAC}/{name}/rolebindings/{OWNERS}")["subjects"]),
    ),
    "an object deleted": Case(
        {("NetworkPolicy", DENY, "created")},
        before=ENV,
        after=ENV,
        meddle=lambda live, name: live.send("DELETE", f"{NETWORK}/{name}/networkpolicies/{DENY}"),
    ),
    "a declared label removed": Case(
        {("Namespace", NS, "updated")},
        before=ENV,
        after=ENV,
        meddle=lambda live, name: live.edit(ns(name), {"metadata": {"labels": {"team": None}}}),
        finally_=lambda live, name: labels(live, name)["team"] == "lab",
    ),
    "what others add stays": Case(
        set(),
        before=ENV,
        after=ENV,
        meddle=lambda live, name: [
            live.edit(ns(name), {"metadata": {"labels": {"theirs": "1"}, "annotations": {"note": "x"}}}),
            live.edit(quota(name), {"spec": {"hard": {"count/secrets": "5"}}}, "other"),
        ],
        finally_=lambda live, name: labels(live, name)["theirs"] == "1" and hard(live, name)["count/secrets"] == "5",
    ),
    "a conflict": Case(
        {("ResourceQuota", QUOTA, "failed")},
        before=ENV,
        after=ENV,
        meddle=apply_quota,
        finally_=lambda live, name: hard(live, name)["pods"] == "33",
        settles=False,
        reason=".spec.hard.pods belongs to the field manager 'rival'",
    ),
    "a conflict on the namespace": Case(
        {("Namespace", NS, "failed"), ("ResourceQuota", QUOTA, "skipped")},
        before=ENV,
        after={**ENV, "resource_quota": {"hard": {"pods": "25"}}},
        meddle=lambda live, name: live.claim(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": "rival"}}}, "rival"
        ),
        finally_=lambda live, name: hard(live, name)["pods"] == "20",
        settles=False,
        reason=".metadata.labels.team belongs to the field manager 'rival'",
    ),
    "a conflict forced": Case(
        {("ResourceQuota", QUOTA, "updated")},
        before=ENV,
        after=ENV,
        meddle=apply_quota,
        how={"force_conflicts": True},
        finally_=lambda live, name: hard(live, name)["pods"] == "20",
    ),
    "adoption never": Case(
        refused(NS), after=ENV, meddle=made_by_hand(), settles=False, reason="is not managed by this collection"
    ),
    "adoption of an identical one": Case(
        fits(NS),
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=made_by_hand(labels={**ENV["labels"], **PSS}),
    ),
    "adoption of another one": Case(
        refused(NS),
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=made_by_hand(labels={**ENV["labels"], **PSS, "pod-security.kubernetes.io/enforce": "privileged"}),
        settles=False,
        reason="differs in .metadata.labels.pod-security.kubernetes.io/enforce",
    ),
    "adoption of a bare one": Case(
        fits(NS),
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=made_by_hand(labels={"theirs": "1"}),
        finally_=lambda live, name: labels(live, name)["theirs"] == "1",
    ),
    "adoption of one with the same quota": Case(
        fits(NS),
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=lambda live, name: with_quota(live, name, {"cpu": "4000m", "pods": "20", "count/secrets": "9"}),
    ),
    "adoption of one with an object of ours": Case(
        (fits(NS) - {("NetworkPolicy", DENY, "created")}) | {("NetworkPolicy", DENY, "updated")},
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=with_policy,
        reason="it was there already, without our label",
    ),
    "the tenant's label removed": Case(
        {("Namespace", NS, "updated"), ("ResourceQuota", QUOTA, "updated")},
        before=ENV,
        after=ENV,
        meddle=lambda live, name: [
            live.edit(ns(name), {"metadata": {"labels": {f"{DOMAIN}/tenant": None}}}),
            live.edit(quota(name), {"spec": {"hard": {"pods": "9000"}}}),
        ],
        finally_=lambda live, name: hard(live, name)["pods"] == "20",
    ),
    "adoption of one with another quota": Case(
        refused(NS),
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=lambda live, name: with_quota(live, name, {"cpu": "4", "pods": "30"}),
        finally_=lambda live, name: "team" not in labels(live, name),
        settles=False,
        reason="differs in ResourceQuota pods (30, declared 20)",
    ),
    "adoption of one of Helm": Case(
        refused(NS),
        after={**ENV, "adoption_policy": "if_identical"},
        meddle=made_by_hand(labels={"app.kubernetes.io/managed-by": "Helm"}),
        settles=False,
        reason="belongs to another tool: app.kubernetes.io/managed-by is Helm",
    ),
    "adoption always": Case(
        fits(NS),
        after={**ENV, "adoption_policy": "always"},
        meddle=made_by_hand(labels={"team": "other", "theirs": "1"}),
        finally_=lambda live, name: (labels(live, name)["team"], labels(live, name)["theirs"]) == ("lab", "1"),
    ),
    "retained": Case(
        DOORS | {("Namespace", NS, "orphaned")},
        before=ENV,
        finally_=lambda live, name: (
            labels(live, name)[f"{DOMAIN}/orphaned"] == "true"
            and live.read(quota(name)) is not None
            and live.read(f"{NETWORK}/{name}/networkpolicies/{DENY}") is not None
            and live.read(f"{ns(name)}/configmaps/{PARAMETERS}") is not None
        ),
    ),
    "archived": Case(
        DOORS | {("Namespace", NS, "orphaned")},
        before={**ENV, "deletion_policy": "archive"},
        finally_=lambda live, name: labels(live, name)[f"{DOMAIN}/state"] == "archived",
    ),
    "deletion not confirmed": Case(
        DOORS | {("Namespace", NS, "orphaned"), ("Namespace", NS, "kept")},
        before={**ENV, "deletion_policy": "delete"},
        finally_=lambda live, name: live.read(quota(name)) is not None,
    ),
    "deletion confirmed but not recorded": Case(
        DOORS | {("Namespace", NS, "orphaned")},
        before=ENV,
        how={"confirm_deletion": [NS]},
        finally_=lambda live, name: live.read(quota(name)) is not None,
    ),
    "deleted": Case(
        {("Namespace", NS, "deleted"), ("GitRepository", "tenant", "deleted"), ("Kustomization", "tenant", "deleted")},
        before={**ENV, "deletion_policy": "delete", "gitops": {"url": "https://git.example.edu/lab.git"}},
        how={"confirm_deletion": [NS], "wait": True},
        finally_=lambda live, name: live.read(ns(name)) is None,
    ),
    "the namespace has lost its label": Case(
        DOORS,
        before=ENV,
        meddle=lambda live, name: live.edit(
            ns(name), {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}, "somebody"
        ),
        finally_=lambda live, name: live.read(quota(name)) is not None,
    ),
    "too many deletions": Case(
        {("List", "prune", "failed"), ("Namespace", NS, "kept")},
        before={**ENV, "deletion_policy": "delete"},
        how={"prune_limit": "2"},
        finally_=lambda live, name: live.read(f"{RBAC}/{name}/rolebindings/{OWNERS}") is not None,
        settles=False,
        reason="more than the limit of 2",
    ),
    "a copied label is not pruned": Case(
        set(),
        before=ENV,
        after=ENV,
        meddle=lambda live, name: live.make(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": "chart", "namespace": name,
                    "labels": {"app.kubernetes.io/managed-by": "self-provisioning"},
                },
            }
        ),
        finally_=lambda live, name: live.read(f"{ns(name)}/configmaps/chart") is not None,
    ),
}  # fmt: skip

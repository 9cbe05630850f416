# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant's own repository is applied with the rights of its namespace, whatever it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from .git_server import WorkTree
from .site import Object, Site, snapshot, tenant

MINE, THEIRS = "rogue-lab-prod", "victim-lab-prod"
RBAC = "rbac.authorization.k8s.io/v1"
#: A file of the machine that a Kustomization may not take, next to the repositories that it may.
OUTSIDE = "outside.yaml"

#: What the API server says of an account that has no right to something.
CANNOT = 'cannot patch resource "%s"'


def thing(api_version: str, kind: str, name: str = "attack", namespace: str = "", **body: Any) -> Object:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **body}


def reference(name: str) -> Object:
    return {"apiGroup": RBAC.partition("/")[0], "kind": "ClusterRole", "name": name}


def kustomization(**spec: Any) -> Object:
    whole = {"interval": "1m", "path": "./", "prune": True, "sourceRef": {"kind": "GitRepository", "name": "tenant"}}
    return thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={**whole, **spec})


@dataclass
class Attack:
    """What a tenant commits, and what Flux then says.

    @param told: in the message of the tenant's Kustomization.
    @param files: besides C(attack.yaml), which holds I(objects).
    """

    told: str
    objects: list[Object] = field(default_factory=list)
    files: Object = field(default_factory=dict)


ACCOUNT = [{"kind": "ServiceAccount", "name": "flux-reconciler", "namespace": MINE}]
FLUX_GIT = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
ATTACKS: dict[str, Attack] = {
    "a namespace of one's own": Attack(CANNOT % "namespaces", [thing("v1", "Namespace")]),
    "a looser level for one's namespace": Attack(
        CANNOT % "namespaces",
        [thing("v1", "Namespace", MINE) | {"metadata": {"name": MINE, "labels": {
            "pod-security.kubernetes.io/enforce": "privileged"}}}],
    ),
    "a ClusterRole": Attack(CANNOT % "clusterroles", [thing(RBAC, "ClusterRole", rules=[])]),
    "cluster-admin everywhere": Attack(
        CANNOT % "clusterrolebindings",
        [thing(RBAC, "ClusterRoleBinding", roleRef=reference("cluster-admin"), subjects=ACCOUNT)],
    ),
    "cluster-admin in one's namespace": Attack(
        "attempting to grant RBAC permissions not currently held",
        [thing(RBAC, "RoleBinding", roleRef=reference("cluster-admin"), subjects=ACCOUNT)],
    ),
    "rights for a stranger": Attack(
        "not a ServiceAccount of",
        [thing(RBAC, "RoleBinding", roleRef=reference("tenant-viewer"), subjects=[
            {"kind": "ServiceAccount", "name": "x", "namespace": THEIRS}])],
    ),
    "a larger quota": Attack(
        CANNOT % "resourcequotas", [thing("v1", "ResourceQuota", "tenant-quota", spec={"hard": {"pods": "9999"}})]
    ),
    "no walls": Attack(
        CANNOT % "networkpolicies",
        [thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "egress": [{}]})],
    ),
    "a Kustomization with Flux's rights": Attack("must say spec.serviceAccountName", [kustomization()]),
    "the platform's repository": Attack(
        "a reference to the namespace flux-system is not allowed",
        [kustomization(serviceAccountName="flux-reconciler", sourceRef=FLUX_GIT)],
    ),
    "a release in another namespace": Attack(
        f"a reference to the namespace {THEIRS} is not allowed",
        [thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", spec={
            "interval": "1m", "serviceAccountName": "flux-reconciler", "targetNamespace": THEIRS,
            "chart": {"spec": {"chart": "x", "sourceRef": {"kind": "HelmRepository", "name": "x"}}}})],
    ),
    "a remote base": Attack(
        # It is fetched, and then not taken.
        "URL is a git repository': fs-security-constraint",
        files={"kustomization.yaml": "resources: ['{git}/public.git//base?ref=main']\n"},
    ),
    "files of the machine": Attack(
        f"{OUTSIDE}' is not in or below", files={"kustomization.yaml": "resources: ['{outside}']\n"}
    ),
    "a definition": Attack(
        CANNOT % "customresourcedefinitions",
        [thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "attacks.example.com", spec={
            "group": "example.com", "scope": "Cluster", "names": {"kind": "Attack", "plural": "attacks"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                "type": "object"}}}]})],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def rogue(site: Site) -> tuple[Site, WorkTree]:
    """A tenant whose repository Flux applies, and a neighbour."""
    rig = site.rig
    work = WorkTree(rig.git, "rogue", rig.folder / "rogue")
    work.write({"good.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {by: tenant}\n"})
    work.push()
    (rig.folder / OUTSIDE).write_text(json.dumps(thing("v1", "ConfigMap", "outside")), encoding="utf-8")
    public = WorkTree(rig.git, "public", rig.folder / "public")
    base = {"kustomization.yaml": "resources: [x.yaml]\n", "x.yaml": json.dumps(thing("v1", "ConfigMap", "remote"))}
    public.write({f"base/{name}": text for name, text in base.items()})
    public.push()
    site.tenants["rogue"] = tenant("rogue", project={"gitops": {"url": work.url, "interval": "1m"}})
    site.tenants["victim"] = tenant("victim")
    site.commit()
    site.settle("tenant-rogue", "tenant-victim", seconds=120)
    rig.ready("Kustomization", "tenant", MINE)
    return site, work


def test_the_repository_is_applied(rogue: tuple[Site, WorkTree]) -> None:
    """Into its namespace, by its account."""
    rig = rogue[0].rig
    found = rig.get(f"/api/v1/namespaces/{MINE}/configmaps/good")
    assert found is not None
    assert found["data"] == {"by": "tenant"}
    users = {
        event["impersonatedUser"]["username"]
        for event in rig.plane.audit_events()
        if event.get("objectRef", {}).get("name") == "good" and event["verb"] == "patch"
    }
    assert users == {f"system:serviceaccount:{MINE}:flux-reconciler"}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(rogue: tuple[Site, WorkTree], name: str) -> None:
    """Flux says why; nothing of the platform's or the neighbour's has changed."""
    site, work = rogue
    rig, attack = site.rig, ATTACKS[name]
    before = snapshot(rig)
    # As far up as it goes, then down again.
    places = {"git": rig.git.url, "outside": f"{'../' * 16}{str(rig.folder / OUTSIDE).lstrip('/')}"}
    texts = {path: text.format(**places) for path, text in attack.files.items()}
    if attack.objects:
        texts["attack.yaml"] = "\n---\n".join(json.dumps(each) for each in attack.objects)
    work.write(texts)
    commit = work.push(name)
    rig.poke("GitRepository", "tenant", MINE)
    path = rig.path("Kustomization", MINE, "tenant")

    def refused() -> bool:
        status = (rig.get(path) or {})["status"]
        tried = str(status.get("lastAttemptedRevision", "")).endswith(commit)
        ready, _reason, message = rig.condition("Kustomization", "tenant", MINE)
        return tried and ready == "False" and attack.told in message

    try:
        rig.until(refused, f"{name} is refused: {attack.told}")
        assert snapshot(rig) == before
        for taken in ("outside", "remote"):
            assert rig.get(f"/api/v1/namespaces/{MINE}/configmaps/{taken}") is None
    finally:
        work.write(dict.fromkeys(texts))
        work.push("take it back")


def test_a_neighbours_namespace_is_not_reached(rogue: tuple[Site, WorkTree]) -> None:
    """What names another namespace lands in one's own."""
    site, work = rogue
    for namespace in (THEIRS, "flux-system", "kube-system"):
        target = thing("v1", "ConfigMap", f"in-{namespace}", namespace, data={})
        work.write({f"in-{namespace}.yaml": json.dumps(target)})
    commit = work.push()
    site.rig.poke("GitRepository", "tenant", MINE)
    site.rig.ready("Kustomization", "tenant", MINE, commit=commit)
    for namespace in (THEIRS, "flux-system", "kube-system"):
        assert site.rig.get(f"/api/v1/namespaces/{namespace}/configmaps/in-{namespace}") is None
        assert site.rig.get(f"/api/v1/namespaces/{MINE}/configmaps/in-{namespace}") is not None


def test_flux_itself_refuses(rogue: tuple[Site, WorkTree]) -> None:
    """Without the admission policies, the flags of Flux hold: no reference, and no rights where no account is named."""
    site, _work = rogue
    rig = site.rig
    names = {
        "without-account": kustomization(targetNamespace=THEIRS, path="./"),
        "foreign-source": kustomization(serviceAccountName="flux-reconciler", sourceRef=FLUX_GIT),
    }
    for name, target in names.items():
        target["metadata"] = {"name": name, "namespace": MINE}
        # As an administrator, for whom the policies do not hold.
        rig.apply([target])
    told = {
        "foreign-source": "cross-namespace references have been blocked",
        "without-account": f"system:serviceaccount:{MINE}:default",
    }
    for name, text in told.items():

        def refused(name: str = name, text: str = text) -> bool:
            ready, _reason, message = rig.condition("Kustomization", name, MINE)
            return ready == "False" and text in message

        rig.until(refused, f"{name} is refused: {text}")
    for name in names:
        rig.plane.admin.request("DELETE", rig.path("Kustomization", MINE, name))


def test_the_owner_of_the_tree_is_not_troubled(rogue: tuple[Site, WorkTree]) -> None:
    """A tenant's repository that fails is the tenant's business."""
    site, work = rogue
    rig = site.rig
    work.write({"broken.yaml": "kind: ["})
    work.push()
    rig.poke("GitRepository", "tenant", MINE)
    try:
        rig.until(lambda: rig.condition("Kustomization", "tenant", MINE)[0] == "False", "the tenant's fails")
        asked = rig.poke("Kustomization", "tenant-rogue")
        path = rig.path("Kustomization", "flux-system", "tenant-rogue")

        def is_well() -> bool:
            # not at the first look: it may wait for the policies, which are looked at again every minute
            status = (rig.get(path) or {})["status"]
            handled = status.get("lastHandledReconcileAt") == asked
            return handled and rig.condition("Kustomization", "tenant-rogue")[0] == "True"

        rig.until(is_well, "the owner's has been looked at since, and is ready")
        assert rig.condition("Kustomization", "tenant", MINE)[0] == "False"
    finally:
        work.write({"broken.yaml": None})
        work.push()
        rig.poke("GitRepository", "tenant", MINE)
        rig.ready("Kustomization", "tenant", MINE)

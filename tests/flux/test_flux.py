# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet tree as the real Flux applies it."""

from __future__ import annotations

import datetime

import pytest

from ..control_plane.pki import VALID
from .site import Site, snapshot, tenant

FLUX = "system:serviceaccount:flux-system:kustomize-controller"
WRITES = ("create", "delete", "patch", "update")
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"


@pytest.fixture(scope="module")
def running(site: Site) -> Site:
    """The first start."""
    mark = site.rig.plane.audit.mark()
    site.commit()
    site.install()
    site.settle(seconds=120)
    site.first_mark = mark  # type: ignore[attr-defined]
    return site


def namespaces(site: Site) -> set[str]:
    """Those of tenants that are there and do not end."""
    found = site.rig.get("/api/v1/namespaces") or {}
    return {
        each["metadata"]["name"]
        for each in found["items"]
        if "self-provisioning.internal/tenant" in each["metadata"].get("labels", {})
        and each["status"]["phase"] == "Active"
    }


def test_first_start_needs_no_hands(running: Site) -> None:
    """Everything declared is there, and policies came before what they protect."""
    assert namespaces(running) >= {"physics-lab-prod", "biology-lab-prod"}
    quota = running.rig.get("/api/v1/namespaces/physics-lab-prod/resourcequotas/tenant-quota")
    assert quota is not None
    assert quota["spec"]["hard"]["pods"] == "20"
    order = [
        event["objectRef"]["resource"]
        for event in running.rig.plane.audit_events(running.first_mark, user=FLUX)  # type: ignore[attr-defined]
        if event["verb"] in WRITES
        and "dryRun" not in event["requestURI"]
        and (
            event.get("objectRef", {}).get("resource") == "validatingadmissionpolicybindings"
            or event.get("objectRef", {}).get("name", "").endswith("-lab-prod")
        )
    ]
    assert "namespaces" in order
    last_policy = max(i for i, each in enumerate(order) if each == "validatingadmissionpolicybindings")
    assert last_policy < order.index("namespaces")


def test_a_commit_changes_only_its_tenant(running: Site) -> None:
    """Others' objects are not written, not even with what they are already."""
    before = snapshot(running.rig)
    mark = running.rig.plane.audit.mark()
    running.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "25"}}})
    running.commit()
    running.settle()
    after = snapshot(running.rig)
    assert {key for key in {**before, **after} if before.get(key) != after.get(key)} == {
        ("ResourceQuota", "physics-lab-prod", "tenant-quota")
    }
    written = {
        (event["objectRef"].get("namespace", ""), event["objectRef"]["resource"])
        for event in running.rig.plane.audit_events(mark, user=FLUX)
        if event["verb"] in WRITES and "dryRun" not in event["requestURI"] and event["responseStatus"]["code"] < 300
    }
    # Flux writes what it thinks about its own objects, and events.
    assert {each for each in written if each[0] != "flux-system"} == {("physics-lab-prod", "resourcequotas")}


def test_a_removed_environment_keeps_its_namespace(running: Site) -> None:
    """Its walls stay, people's rights and Flux's access go; only `deletion_policy: delete` takes the namespace."""
    gone = {"name": "gone", "deletion_policy": "delete"}
    running.tenants["leaving"] = tenant("leaving", {"name": "kept"}, gone, {"name": "stays"})
    running.commit()
    running.settle()
    running.tenants["leaving"] = tenant("leaving", {"name": "stays"})
    running.commit()
    running.settle()
    rig = running.rig
    rig.until(lambda: rig.get("/api/v1/namespaces/leaving-lab-gone") is None, "the namespace is deleted")
    kept = snapshot(rig, "leaving-lab-kept")
    assert ("Namespace", "", "leaving-lab-kept") in kept
    kinds = {kind for kind, _unused, _name in kept}
    assert {"ResourceQuota", "LimitRange", "NetworkPolicy", "ConfigMap"} <= kinds
    assert not {"RoleBinding", "ServiceAccount"} & kinds
    # the last one: the whole tenant goes from the cluster
    del running.tenants["leaving"]
    running.commit()
    running.settle()
    rig.until(lambda: rig.get(rig.path("Kustomization", "flux-system", "tenant-leaving")) is None, "it is pruned")
    assert "leaving-lab-stays" in namespaces(running)
    assert rig.get(f"{RBAC}/leaving-lab-stays/rolebindings/tenant-admin-owners") is None
    # and comes back as it was
    running.tenants["leaving"] = tenant("leaving", {"name": "stays"})
    running.commit()
    running.settle()
    assert rig.get(f"{RBAC}/leaving-lab-stays/rolebindings/tenant-admin-owners") is not None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("kind: [", "yaml"),
        ("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x, namespace: biology-lab-prod}\n", "no matches for kind"),
        (
            "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: tenant-quota, namespace: biology-lab-prod}\n"
            "spec: {hard: {pods: lots}}\n",
            "tenant-quota",
        ),
    ],
    ids=["not YAML", "unknown kind", "refused by the API server"],
)
def test_a_broken_tenant_stops_nobody_else(running: Site, content: str, told: str) -> None:
    """Its Kustomization says what is wrong; the next commit of others is applied."""
    pods = str(30 + len(content))
    running.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": pods}}})
    running.commit({"clusters/east/tenants/biology/biology-lab-prod.yaml": content})
    others = ["policies", *(f"tenant-{name}" for name in running.tenants if name != "biology")]
    running.settle(*others)
    quota = running.rig.get("/api/v1/namespaces/physics-lab-prod/resourcequotas/tenant-quota")
    assert quota is not None
    assert quota["spec"]["hard"]["pods"] == pods
    rig = running.rig
    rig.until(lambda: rig.condition("Kustomization", "tenant-biology")[0] == "False", "it is said to be broken")
    assert told in rig.condition("Kustomization", "tenant-biology")[2]
    assert "biology-lab-prod" in namespaces(running)
    running.commit()
    running.settle()


def test_git_is_away(running: Site) -> None:
    """What is applied stays; the source says that Git is away, and goes on when it is back."""
    rig = running.rig
    rig.git.stop()
    try:
        running.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "77"}}})
        running.commit()
        rig.until(lambda: rig.condition("GitRepository", "flux-system")[0] == "False", "the source fails")
        assert "connection refused" in rig.condition("GitRepository", "flux-system")[2]
        assert rig.condition("Kustomization", "tenant-physics")[0] == "True"
    finally:
        rig.git.start()
    running.settle(seconds=90)


@pytest.mark.parametrize(
    ("whose", "valid", "told"),
    [("authority", datetime.timedelta(hours=-1), "expired"), ("etcd_authority", VALID, "unknown authority")],
    ids=["expired", "of somebody else"],
)
def test_git_shows_a_bad_certificate(running: Site, whose: str, valid: datetime.timedelta, told: str) -> None:
    """The source says so, and goes on when the certificate is good."""
    rig = running.rig
    good = rig.git.certificate
    rig.git.stop()
    rig.git.certificate = getattr(rig.plane.layout, whose).server("git-bad", valid)
    rig.git.start()
    try:
        running.commit()
        rig.until(lambda: told in rig.condition("GitRepository", "flux-system")[2], f"the source says: {told}")
    finally:
        rig.git.stop()
        rig.git.certificate = good
        rig.git.start()
    running.settle(seconds=90)


def test_history_is_rewritten(running: Site) -> None:
    """A forced push is followed like any other."""
    running.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "78"}}})
    running.work.reset("HEAD~1")
    running.commit(force=True)
    running.settle()


@pytest.mark.parametrize("crash", [False, True])
def test_the_api_server_restarts(running: Site, *, crash: bool) -> None:
    """The controllers find it again, and a commit of the meantime is applied."""
    pods = "81" if crash else "80"
    running.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": pods}}})
    running.rig.plane.stop_apiserver(crash=crash)
    running.commit(poke=False)
    running.rig.plane.start_apiserver()
    running.rig.poke("GitRepository", "flux-system")
    running.settle(seconds=120)


def test_a_controller_is_killed(running: Site) -> None:
    """It starts again where it was."""
    component = running.rig.component("kustomize-controller")
    component.kill()
    running.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "82"}}})
    running.commit()
    component.start()
    running.settle(seconds=90)

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet tree as the real Flux applies it."""

from __future__ import annotations

import datetime

import pytest

from .site import Site, snapshot, tenant

FLUX = "system:serviceaccount:flux-system:kustomize-controller"
WRITES = ("create", "delete", "patch", "update")
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"


def namespaces(site: Site) -> set[str]:
    """Those of tenants that are there and do not end."""
    found = site.rig.get("/api/v1/namespaces") or {}
    return {
        each["metadata"]["name"]
        for each in found["items"]
        if "self-provisioning.internal/tenant" in each["metadata"].get("labels", {})
        and each["status"]["phase"] == "Active"
    }


def fails(site: Site, kind: str, name: str, told: str) -> None:
    """Wait until an object of Flux says that it fails, and why: at one look, as it tries again and again."""

    def test() -> bool:
        status, _reason, message = site.rig.condition(kind, name)
        return status == "False" and told in message

    site.rig.until(test, f"{kind} {name} says: {told}")


def test_first_start_needs_no_hands(site: Site) -> None:
    """Everything declared is there, and policies came before what they protect."""
    assert namespaces(site) >= {"physics-lab-prod", "biology-lab-prod"}
    quota = site.rig.get("/api/v1/namespaces/physics-lab-prod/resourcequotas/tenant-quota")
    assert quota is not None
    assert quota["spec"]["hard"]["pods"] == "20"
    order = [
        event["objectRef"]["resource"]
        for event in site.rig.plane.audit_events(site.mark, user=FLUX)
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


def test_a_commit_changes_only_its_tenant(site: Site) -> None:
    """Others' objects are not written, not even with what they are already."""
    before = snapshot(site.rig)
    mark = site.rig.plane.audit.mark()
    site.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "25"}}})
    site.commit()
    site.settle()
    after = snapshot(site.rig)
    assert {key for key in {**before, **after} if before.get(key) != after.get(key)} == {
        ("ResourceQuota", "physics-lab-prod", "tenant-quota")
    }
    written = {
        (event["objectRef"].get("namespace", ""), event["objectRef"]["resource"])
        for event in site.rig.plane.audit_events(mark, user=FLUX)
        if event["verb"] in WRITES
        and "dryRun" not in event["requestURI"]
        and event["responseStatus"]["code"] < 300
        # what Flux thinks about a Kustomization, of whichever tenant, is written whenever it looks at it
        and event["objectRef"].get("subresource") != "status"
    }
    # Its own namespace has its leases, events and marks.
    assert {each for each in written if each[0] != "flux-system"} == {("physics-lab-prod", "resourcequotas")}


def test_what_is_removed_follows_its_deletion_policy(site: Site) -> None:
    """The walls stay, people's rights and Flux's access go; only `deletion_policy: delete` takes the namespace."""
    gone = {"name": "gone", "deletion_policy": "delete"}
    site.tenants["leaving"] = tenant("leaving", {"name": "kept"}, gone, {"name": "stays"})
    site.tenants["parting"] = tenant("parting")
    site.commit()
    site.settle()
    site.tenants["leaving"] = tenant("leaving", {"name": "stays"})
    parting = site.tenants.pop("parting")
    site.commit()
    site.settle()
    rig = site.rig
    rig.until(lambda: rig.get("/api/v1/namespaces/leaving-lab-gone") is None, "the namespace is deleted")
    # the whole tenant goes from the cluster
    rig.until(lambda: rig.get(rig.path("Kustomization", "flux-system", "tenant-parting")) is None, "it is pruned")
    for namespace in ("leaving-lab-kept", "parting-lab-prod"):
        kept = snapshot(rig, namespace)
        kinds = {kind for kind, _unused, _name in kept}
        assert kinds == {"Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ConfigMap"}
    # and comes back as it was
    site.tenants["parting"] = parting
    site.commit()
    site.settle()
    assert rig.get(f"{RBAC}/parting-lab-prod/rolebindings/tenant-admin-owners") is not None
    # what nobody declares any more is not there for the tests that compare clusters
    with rig.session() as session:
        session.request("delete", "DELETE", "/api/v1/namespaces/leaving-lab-kept")
    rig.until(lambda: rig.get("/api/v1/namespaces/leaving-lab-kept") is None, "it is gone")


BROKEN = {
    "nonsense": ("kind: [", "yaml"),
    "unknown": (
        "apiVersion: v1\nkind: Nonsense\nmetadata: {name: x, namespace: unknown-lab-prod}\n",
        "no matches for kind",
    ),
    "refused": (
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: tenant-quota, namespace: refused-lab-prod}\n"
        "spec: {hard: {pods: lots}}\n",
        "tenant-quota",
    ),
}


def test_broken_tenants_stop_nobody_else(site: Site) -> None:
    """Their Kustomizations say what is wrong, what they had stays, and the next commit of others is applied."""
    rig = site.rig
    site.tenants |= {name: tenant(name) for name in BROKEN}
    site.commit()
    site.settle()
    site.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "31"}}})
    site.commit({f"clusters/east/tenants/{n}/{n}-lab-prod.yaml": text for n, (text, _told) in BROKEN.items()})
    site.settle("policies", "tenant-physics", "tenant-biology")
    quota = rig.get("/api/v1/namespaces/physics-lab-prod/resourcequotas/tenant-quota")
    assert quota is not None
    assert quota["spec"]["hard"]["pods"] == "31"
    for name, (_text, told) in BROKEN.items():
        fails(site, "Kustomization", f"tenant-{name}", told)
        assert rig.get(f"/api/v1/namespaces/{name}-lab-prod/resourcequotas/tenant-quota") is not None
    looks = []

    def all_failed() -> bool:
        """Not while Flux tries one of them once more, which is told as progressing."""
        looks.append(site.status())
        return {looks[-1][1]["tenants"][name]["state"] for name in BROKEN} == {"failed"}

    rig.until(all_failed, f"{', '.join(BROKEN)} failed")
    run, found = looks[-1]
    assert run.code != 0
    assert {n for n, each in found["tenants"].items() if each["state"] != "ready"} == set(BROKEN)
    for name, (_text, told) in BROKEN.items():
        assert told in found["tenants"][name]["message"]
        assert f"Kustomization tenant-{name}: failed" in run.out
    run, found = site.status(flux_status_tenants=["physics"])
    assert (run.code, set(found["tenants"])) == (0, {"physics"}), run.out
    site.commit()
    site.settle()


@pytest.mark.slow
def test_git_is_away_and_comes_back_rewritten(site: Site) -> None:
    """What is applied stays; the source says that Git is away, and follows the new history when it is back."""
    rig = site.rig
    site.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "76"}}})
    site.commit()
    rig.git.stop()
    try:
        site.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "77"}}})
        site.work.reset("HEAD~1")
        site.commit(force=True)
        fails(site, "GitRepository", "flux-system", "connection refused")
        assert rig.condition("Kustomization", "tenant-physics")[0] == "True"
    finally:
        rig.git.start()
    site.settle(seconds=90)


@pytest.mark.slow
def test_git_shows_a_bad_certificate(site: Site) -> None:
    """The source says so, and goes on when the certificate is good."""
    rig = site.rig
    good, layout = rig.git.certificate, rig.plane.layout
    bad = {
        "expired": layout.authority.server("git-expired", datetime.timedelta(hours=-1)),
        "unknown authority": layout.etcd_authority.server("git-unknown"),
    }
    try:
        for told, certificate in bad.items():
            rig.git.stop()
            rig.git.certificate = certificate
            rig.git.start()
            site.commit()
            fails(site, "GitRepository", "flux-system", told)
    finally:
        rig.git.stop()
        rig.git.certificate = good
        rig.git.start()
    site.rig.poke("GitRepository", "flux-system")
    site.settle(seconds=90)


@pytest.mark.slow
def test_the_api_server_crashes(site: Site) -> None:
    """The controllers find it again, and a commit of the meantime is applied."""
    site.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "81"}}})
    site.rig.plane.stop_apiserver(crash=True)
    site.commit(poke=False)
    site.rig.plane.start_apiserver()
    site.rig.poke("GitRepository", "flux-system")
    site.settle(seconds=120)


@pytest.mark.slow
def test_a_controller_is_killed(site: Site) -> None:
    """It starts again where it was."""
    component = site.rig.component("kustomize-controller")
    component.kill()
    site.tenants["physics"] = tenant("physics", {"name": "prod", "resource_quota": {"hard": {"pods": "82"}}})
    site.commit()
    component.start()
    site.settle(seconds=90)

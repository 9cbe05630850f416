# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the Flux of one release line to that of the next, with the definitions of both, and with what years of older
releases have left; nobody's controllers run."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from ..control_plane.client import Client
from ..tools.schemas import crds
from .rig import FluxRig
from .site import Site, tenant

pytestmark = pytest.mark.slow

Object = dict[str, Any]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
SOURCE = {"kind": "GitRepository", "name": "g"}
#: Kind, the version it is applied in, the one it ends in, and what it says.
LEFT: tuple[tuple[str, str, str, Object], ...] = (
    (
        "OCIRepository",
        "source.toolkit.fluxcd.io/v1beta2",
        "source.toolkit.fluxcd.io/v1",
        {
            "interval": "5m",
            "url": "oci://registry.example.edu/charts/a",
            "ref": {"semver": ">=1"},
            "layerSelector": {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy"},
            "verify": {"provider": "cosign"},
        },
    ),
    (
        "GitRepository",
        "source.toolkit.fluxcd.io/v1beta2",
        "source.toolkit.fluxcd.io/v1",
        {"interval": "1m", "url": "https://git.example.edu/a.git", "ref": {"branch": "main"}},
    ),
    (
        "Kustomization",
        "kustomize.toolkit.fluxcd.io/v1beta2",
        "kustomize.toolkit.fluxcd.io/v1",
        {"interval": "1m", "prune": True, "path": "./", "sourceRef": SOURCE},
    ),
    (
        "HelmRelease",
        "helm.toolkit.fluxcd.io/v2beta2",
        "helm.toolkit.fluxcd.io/v2",
        {
            "interval": "1m",
            "chart": {"spec": {"chart": "a", "version": "1", "sourceRef": {"kind": "HelmRepository", "name": "h"}}},
            "values": {"a": {"b": [1, {"c": "d"}]}},
        },
    ),
    (
        "Receiver",
        "notification.toolkit.fluxcd.io/v1beta2",
        "notification.toolkit.fluxcd.io/v1",
        {"type": "github", "secretRef": {"name": "s"}, "resources": [{"apiVersion": "x/v1", **SOURCE}]},
    ),
    (
        "Alert",
        "notification.toolkit.fluxcd.io/v1beta3",
        "notification.toolkit.fluxcd.io/v1beta3",
        {"providerRef": {"name": "p"}, "eventSources": [{"kind": "Kustomization", "name": "*"}]},
    ),
)


@pytest.fixture(scope="module")
def rig() -> Iterator[FluxRig]:
    """A control plane with the definitions of the older line."""
    with FluxRig() as made:
        made.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}}])
        made.apply(older())
        yield made


def older() -> list[Object]:
    """The definitions of Flux in the older line."""
    return [dict(each) for each in crds("1.30") if each["spec"]["group"].endswith(".fluxcd.io")]


def path(kind: str, api_version: str) -> str:
    """Where the one object of a kind is."""
    plural = "ocirepositories" if kind == "OCIRepository" else f"{kind.lower()}s".replace("rys", "ries")
    return f"/apis/{api_version}/namespaces/flux-system/{plural}/one"


def applied(admin: Client, kind: str, api_version: str, spec: Object) -> tuple[int, Object]:
    """Apply an object as kustomize-controller does."""
    meta = {"name": "one", "namespace": "flux-system"}
    body = {"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec}
    query = "?fieldManager=kustomize-controller&force=true"
    return admin.request("PATCH", path(kind, api_version) + query, body, content_type=APPLY)


def test_everything_of_the_older_line_moves(rig: FluxRig) -> None:
    """Specs are as before, stored in versions that stay, and can be applied again."""
    admin = rig.plane.admin
    before = {}
    for kind, old, _new, spec in LEFT:
        rig.until(lambda kind=kind, old=old: admin.healthy(path(kind, old).rpartition("/")[0]), f"{kind} is served")  # type: ignore[misc]
        status, answer = applied(admin, kind, old, spec)
        assert status in (http.client.OK, http.client.CREATED), answer
        before[kind] = answer["spec"]
    for each in older():
        # as if objects had been stored in what an even older release stored
        names = [v["name"] for v in each["spec"]["versions"]]
        body = {"status": {"storedVersions": names}}
        admin.request("PATCH", f"{DEFINITIONS}/{each['metadata']['name']}/status", body, content_type=MERGE)

    site = Site(rig, tenant("physics"))
    run = site.bootstrap()
    out = " ".join(run.out.split())
    assert run.code != 0
    for kind, old, new, _spec in LEFT:
        assert (f"{kind} flux-system/one, applied as {old} by kustomize-controller" in out) == (old != new)

    run = site.bootstrap(flux_bootstrap_allow_outdated=True)
    assert run.code == 0, run.out
    for each in rig.get(DEFINITIONS)["items"]:  # type: ignore[index]
        assert each["status"]["storedVersions"] == [v["name"] for v in each["spec"]["versions"] if v["storage"]]
    for kind, old, new, spec in LEFT:
        found = rig.get(path(kind, new))
        assert found
        assert found["spec"] == before[kind]
        versions = {entry["apiVersion"] for entry in found["metadata"]["managedFields"]}
        assert versions == {new}
        if old != new:
            assert rig.get(path(kind, old)) is None
        status, answer = applied(admin, kind, new, spec)
        assert status == http.client.OK, answer
    run = site.bootstrap()
    assert (run.code, run.changed) == (0, 0), run.out

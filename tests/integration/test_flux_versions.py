# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that move from one API version of Flux to the next, where the API server has something against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import flux_upgrade
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _flux_upgrade as planned

from ..control_plane.cluster import ControlPlane
from .live_cluster import APPLY, CLUSTER, Live, Object, fleet_of, tenant, wait_for

GROUP, OLD, NEW = "moved.fluxcd.io", "v1beta2", "v1"
DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.{GROUP}"
ADMISSION = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
GADGET = f"/apis/{GROUP}/{{}}/namespaces/default/gadgets/one"
NAME = {"name": "gadgets"}


def definition(*versions: str) -> Object:
    """It stores in the first."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    listed = [{"name": v, "served": True, "storage": v == versions[0], "schema": schema} for v in versions]
    names = {"kind": "Gadget", "listKind": "GadgetList", "plural": "gadgets", "singular": "gadget"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": listed},
    }


POLICY: Any = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": NAME,
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [GROUP], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["gadgets"]}
            ]
        },
        "validations": [{"expression": "object.spec.size > 2", "message": "a gadget has a size above 2"}],
    },
}
BINDING: Any = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": NAME,
    "spec": {"policyName": "gadgets", "validationActions": ["Deny"]},
}


@pytest.fixture
def live(control_plane: ControlPlane) -> Iterator[Live]:
    """A gadget that is applied in the old version, and a rule that came later, which it breaks."""
    live = Live(control_plane)
    try:
        live.make(definition(NEW, OLD))
        wait_for(lambda: live.read(GADGET.format(OLD).rpartition("/")[0]), "gadgets are served")
        meta = {"name": "one", "namespace": "default"}
        gadget = {"apiVersion": f"{GROUP}/{OLD}", "kind": "Gadget", "metadata": meta, "spec": {"size": 1}}
        live.send("PATCH", f"{GADGET.format(OLD)}?fieldManager=kustomize-controller", gadget, APPLY)
        live.send("POST", ADMISSION, POLICY)
        live.send("POST", f"{ADMISSION.removesuffix('ies')}ybindings", BINDING)
        wait_for(lambda: refused(live), "the rule is in force")
        yield live
    finally:
        for path in (f"{ADMISSION.removesuffix('ies')}ybindings/gadgets", f"{ADMISSION}/gadgets", DEFINITION):
            control_plane.admin.request("DELETE", path)


def refused(live: Live) -> bool:
    marked = {"metadata": {"labels": {"tried": "yes"}}}
    path = f"{GADGET.format(NEW)}?dryRun=All"
    return live.plane.admin.request("PATCH", path, marked, content_type="application/merge-patch+json")[0] == 422


def test_the_reason_of_a_refusal_is_told(live: Live) -> None:
    """The API server answers a patch that comes too late with the same status."""
    with Session.open(Access(kubeconfig=str(live.plane.kubeconfig))) as session:
        moves = flux_upgrade.moves(session, [definition(NEW)])
        assert [move.lost for move in moves] == [[OLD]]
        with pytest.raises(LiveError, match=r"Gadget default/one: .*a gadget has a size above 2.*Correct the object"):
            flux_upgrade.move(session, moves)
        assert session.requests["patch"] == 1, "what is refused is not tried again"


TEXT = f"apiVersion: {GROUP}/{OLD}\nkind: Gadget\nmetadata: {{name: a}}\n"
NAMELESS = f"{{apiVersion: {GROUP}/{OLD}, kind: Gadget, metadata: text}}"


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("apps/mine/base/a.yaml", TEXT, "a"),
        ("apps/mine/overlays/prod/a.yml", TEXT, "a"),
        ("apps/mine/overlays/dev/a.yaml", TEXT, ""),
        ("apps/others/base/a.yaml", TEXT, ""),
        ("apps/others/overlays/prod/a.yaml", TEXT, ""),
        (f"clusters/{CLUSTER}/extra/a.yaml", TEXT, "a"),
        ("clusters/west/extra/a.yaml", TEXT, ""),
        ("apps/mine/base/list.yaml", f"{{kind: List, items: [{NAMELESS}]}}", "without a name"),
        ("apps/mine/base/text.yaml", NAMELESS, "without a name"),
        ("apps/mine/base/day.yaml", TEXT + "since: 2026-13-45\n", "a"),
        ("apps/mine/base/broken.yaml", TEXT + "}", ""),
    ],
)  # fmt: skip
def test_only_what_the_cluster_applies_stands_in_the_way(
    control_plane: ControlPlane, tmp_path: Path, file: str, text: str, name: str
) -> None:
    """Clusters of another line go on with what this one does not know."""
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    line = control_plane.layout.binaries.release.line
    cluster = fleet_of(tenant("any"), cluster_release_line=line, cluster_apps=["mine"]).clusters[CLUSTER]
    result: Object = {}
    with Session.open(Access(kubeconfig=str(control_plane.kubeconfig))) as session:
        planned.moves(session, cluster, [definition(NEW)], str(tmp_path), result, anyway=True)
    found = {"file": file, "kind": "Gadget", "name": name, "version": f"{GROUP}/{OLD}"}
    assert result["outdated"] == ([found] if name else [])
    assert bool(result.get("warnings")) == bool(name)

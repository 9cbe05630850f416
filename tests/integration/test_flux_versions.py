# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that move from one API version of Flux to the next, where the API server has something against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import flux_upgrade
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session

from ..control_plane.cluster import ControlPlane
from .live_cluster import APPLY, Live, Object, wait_for

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

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces that are there already may become the declared one."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.adoption import refusal

DOMAIN = "self-provisioning.internal"
Object = dict[str, Any]
PSS = "pod-security.kubernetes.io/"
DECLARED_LABELS = {
    "team": "lab",
    "app.kubernetes.io/managed-by": "self-provisioning",
    f"{DOMAIN}/tenant": "physics",
    f"{DOMAIN}/stage": "prod",
    f"{PSS}enforce": "baseline",
    f"{PSS}enforce-version": "latest",
}
NOTES = {"contact": "ops", f"{DOMAIN}/source": "tenant__physics", "kustomize.toolkit.fluxcd.io/prune": "disabled"}


def namespace(labels: Object | None = None, annotations: Object | None = None, **meta: Any) -> Object:
    meta.update(name="physics-lab-prod", labels=labels or {}, annotations=annotations or {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def declared(policy: str = "if_identical") -> Object:
    return namespace(DECLARED_LABELS, {**NOTES, f"{DOMAIN}/adoption-policy": policy})


def quota(hard: Object, **more: Any) -> Object:
    return {"kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard, **more}}


def limits(**item: Any) -> Object:
    return {"kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", **item}]}}


OURS = [
    quota({"requests.cpu": "4", "requests.memory": "8Gi", "count/jobs.batch": "5"}),
    quota({"pods": "5"}, scopes=["BestEffort"]),
    limits(defaultRequest={"cpu": "100m"}, default={"memory": "512Mi"}, max={"memory": "4Gi"}),
]
HELM = {"app.kubernetes.io/managed-by": "Helm"}
CAPSULE = {"apiVersion": "capsule.clastix.io/v1beta2", "kind": "Tenant", "name": "oil"}

#: What is there, quotas and limits in it, and a part of the refusal; an empty text where it may be taken over.
CASES: dict[str, tuple[Object, list[Object], str]] = {
    "nothing but a name": (namespace(), [], ""),
    "labels of its own": (namespace({"theirs": "1", "kubernetes.io/metadata.name": "physics-lab-prod"}), [], ""),
    "some of the declared labels": (namespace({"team": "lab"}, {"contact": "ops"}), [], ""),
    "old marks of ours": (namespace({f"{DOMAIN}/stage": "dev"}, {f"{DOMAIN}/source": "tenant__old"}), [], ""),
    "our tenant": (namespace({f"{DOMAIN}/tenant": "physics"}), [], ""),
    "another label": (namespace({"team": "rival"}), [], "labels.team (rival, declared lab)"),
    "another annotation": (namespace({}, {"contact": "x"}), [], "annotations.contact (x, declared ops)"),
    "another Pod Security level": (namespace({f"{PSS}enforce": "privileged"}), [], f"labels.{PSS}enforce (privileged"),
    "the same without its version": (namespace({f"{PSS}enforce": "baseline"}), [], ""),
    "another version of it": (namespace({f"{PSS}enforce-version": "v1.25"}), [], f"labels.{PSS}enforce-version"),
    "another tenant": (namespace({f"{DOMAIN}/tenant": "chem"}), [], "tenant (chem, declared physics)"),
    "Helm's": (namespace(HELM), [], "managed-by is Helm"),
    "a release of Helm's": (namespace({}, {"meta.helm.sh/release-name": "web"}), [], "Helm says so"),
    "Argo CD's": (namespace({"argocd.argoproj.io/instance": "web"}), [], "Argo CD says so"),
    "applied by Flux": (namespace({"kustomize.toolkit.fluxcd.io/name": "apps"}), [], "Flux says so"),
    "owned": (namespace(ownerReferences=[CAPSULE]), [], "Tenant oil owns it"),
    "being deleted": (namespace(deletionTimestamp="2026-11-20T09:14:02Z"), [], "is being deleted since"),
    "the same quota otherwise written": (namespace(), [quota({"cpu": "4000m", "memory": "8192Mi"})], ""),
    "another quota": (namespace(), [quota({"cpu": "8"})], "ResourceQuota requests.cpu (8, declared 4)"),
    "a lower quota": (namespace(), [quota({"requests.cpu": "2"})], "requests.cpu (2, declared 4)"),
    "two quotas, the lower one is ours": (namespace(), [quota({"cpu": "9"}), quota({"cpu": "4"})], ""),
    "a quota for something else": (namespace(), [quota({"count/secrets": "9"})], ""),
    "the same scoped quota": (namespace(), [quota({"pods": "5"}, scopes=["BestEffort"])], ""),
    "another scoped quota": (namespace(), [quota({"pods": "6"}, scopes=["BestEffort"])], "BestEffort"),
    "a quota for another scope": (namespace(), [quota({"pods": "6"}, scopes=["Terminating"])], ""),
    "other limits": (namespace(), [limits(max={"memory": "8Gi"})], "LimitRange Container default.memory (8Gi"),
    "the same limits": (namespace(), [limits(max={"memory": "4096Mi"}, default={"memory": "0.5Gi"})], ""),
    "two defaults, one is ours": (namespace(), [limits(default={"memory": m}) for m in ("1Gi", "512Mi")], ""),
    "another default": (namespace(), [limits(default={"memory": "1Gi"})], "default.memory (1Gi, declared 512Mi)"),
    "limits for something else": (namespace(), [limits(min={"ephemeral-storage": "1Mi"})], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_if_identical(case: str) -> None:
    live, theirs, told = CASES[case]
    why = refusal(declared(), live, DOMAIN, ours=OURS, theirs=theirs)
    assert (why == "") is (told == ""), why
    assert told in why


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("policy", ["never", "always"])
def test_the_other_policies_do_not_compare(case: str, policy: str) -> None:
    live, theirs, _told = CASES[case]
    why = refusal(declared(policy), live, DOMAIN, ours=OURS, theirs=theirs)
    if case == "being deleted":
        assert "is being deleted" in why
    else:
        assert ("is not managed by this collection" in why) is (policy == "never")


@pytest.mark.parametrize(("was", "told"), [("physics", ""), ("chem", "belongs to the tenant 'chem'"), ("", "")])
def test_what_is_ours_already_only_keeps_its_tenant(was: str, told: str) -> None:
    live = namespace({**DECLARED_LABELS, "team": "rival", f"{DOMAIN}/tenant": was})
    assert told in refusal(declared(), live, DOMAIN, ours=OURS, theirs=[quota({"cpu": "99"})])
    assert bool(told) is bool(refusal(declared("never"), live, DOMAIN))


def test_many_differences_are_cut_short() -> None:
    live = namespace({f"l{n}": "b" for n in range(9)})
    wanted = namespace({f"l{n}": "a" for n in range(9)}, {f"{DOMAIN}/adoption-policy": "if_identical"})
    assert "and 3 more" in refusal(wanted, live, DOMAIN)

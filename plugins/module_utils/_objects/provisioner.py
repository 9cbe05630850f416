# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least rights of those who deliver: the provisioner of live clusters, and Flux's kustomize-controller.

An administrator installs these objects once, with the roles of tenants, and again when the collection or the roles that
the inventory may grant change. What nobody gets here, and why:
  - writing ClusterRoles: the API server asks from whoever writes a role that he holds its rights, or C(escalate). The
    provisioner would need every tenant's secrets and pods for that. So the roles of tenants come with the bootstrap,
    and the provisioner only reads them; Flux, which applies everything it has in Git again and again, may patch these
    three, and the API server lets such a patch pass as long as it changes nothing;
  - C(bind) without names: only what the inventory may grant, never C(cluster-admin);
  - secrets, pods, tokens, C(impersonate), deleting collections.

What RBAC cannot say stands in an admission policy, which the provisioner cannot change: it writes in namespaces of
tenants only, takes over none of the platform's namespaces, and grants itself nothing.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._model.entities import Cluster, Settings
from .._model.fleet import Fleet
from . import cluster, disruption, flux_tenant, limits, metallb
from .admission import PROVISIONER, Policy, cel, rule
from .cluster_roles import READ, ROLES, VIEWER, cluster_role_objects
from .common import DEPLOYER, FLUX_NAMESPACE, MANAGED_BY, POLICY_PARAMETERS, PRUNE_DISABLED, RECONCILER, Object, build
from .policies import policy_objects
from .rbac import GROUP as RBAC

NAMESPACE, ACCOUNT = PROVISIONER.split(":")[2:]
NAME = "self-provisioning-provisioner"
FLUX_NAME = "self-provisioning-kustomize-controller"
FLUX_ACCOUNT = "kustomize-controller"
#: Not the label of what the provisioner manages: it would prune these objects, which it does not declare.
BOOTSTRAP = "self-provisioning-bootstrap"

_ADMISSION = "admissionregistration.k8s.io"
_POLICY_KINDS = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
_POOL_KINDS = ("bgpadvertisements", "ipaddresspools", "l2advertisements")
_WALLS = (
    "allow-dns", "allow-platform", "allow-same-namespace", "declared-egress", "declared-ingress", "default-deny",
)  # fmt: skip
_APPLY = ("create", "patch")
_OWN = (*_APPLY, "delete")
#: The names are optional in every rule, so that a cluster which no service asks for a label gets it later.
_OPTIONAL_POLICIES = ("self-provisioning-required-labels",)
_NEVER_GRANTED = ("cluster-admin", NAME, FLUX_NAME)


def _rule(group: str, resources: Iterable[str], verbs: Iterable[str], names: Iterable[str] = ()) -> Object:
    given = sorted(set(names))
    return {
        "apiGroups": [group],
        "resources": sorted(resources),
        "verbs": sorted(verbs),
        **({"resourceNames": given} if given else {}),
    }


def grantable_roles(fleet: Fleet) -> list[str]:
    """Every ClusterRole that a RoleBinding of ours may name: the allow-lists of the inventory, and what it grants."""
    names = {*ROLES, fleet.settings.owner_role, VIEWER}
    levels = [fleet.settings.defaults, *fleet.settings.sizes.values()]
    levels += [tenant.values for tenant in fleet.tenants.values()]
    levels += [project.values for tenant in fleet.tenants.values() for project in tenant.projects]
    levels += [environment.values for environment in fleet.environments]
    for values in levels:
        names.update(role for role in (values.get("owner_role"), values.get("owner_cluster_role")) if role)
        names.update((values.get("allowed") or {}).get("cluster_roles") or ())
        names.update(binding["cluster_role"] for binding in values.get("role_bindings") or ())
    return sorted(names.difference(_NEVER_GRANTED))


def _policy_names(settings: Settings, line: str) -> list[str]:
    return sorted({each["metadata"]["name"] for each in policy_objects(settings, line)} | set(_OPTIONAL_POLICIES))


def _delivery_rules(fleet: Fleet, here: Cluster) -> list[Object]:
    """What applying, comparing and pruning the objects of tenants takes. Names stand wherever they are fixed."""
    flux_source, flux_apply = "source.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"
    rules = [
        # One LIST for each kind, on the whole cluster; RBAC knows no label selectors.
        _rule("", ("configmaps", "limitranges", "namespaces", "resourcequotas", "serviceaccounts"), READ),
        _rule(_ADMISSION, _POLICY_KINDS, READ),
        _rule(flux_apply, ("kustomizations",), READ),
        _rule(flux_source, ("gitrepositories",), READ),
        _rule("metallb.io", _POOL_KINDS, READ),
        _rule("networking.k8s.io", ("networkpolicies",), READ),
        _rule("policy", ("poddisruptionbudgets",), READ),
        _rule(RBAC, ("clusterroles", "rolebindings"), READ),
        # Namespaces, scoped quotas and bindings have names that the inventory makes up.
        _rule("", ("namespaces",), _APPLY),
        _rule("", ("resourcequotas",), _OWN),
        _rule(RBAC, ("rolebindings",), _OWN),
        _rule(RBAC, ("clusterroles",), ("bind",), grantable_roles(fleet)),
        _rule("", ("configmaps",), _OWN, (POLICY_PARAMETERS, cluster.FACTS)),
        _rule("", ("limitranges",), _OWN, (limits.NAME,)),
        _rule("", ("serviceaccounts",), _OWN, (DEPLOYER, RECONCILER)),
        _rule("networking.k8s.io", ("networkpolicies",), _OWN, _WALLS),
        _rule("policy", ("poddisruptionbudgets",), _OWN, (disruption.NAME,)),
        _rule(flux_apply, ("kustomizations",), _OWN, (flux_tenant.NAME,)),
        _rule(flux_source, ("gitrepositories",), _OWN, (flux_tenant.NAME,)),
        _rule(_ADMISSION, _POLICY_KINDS, _OWN, _policy_names(fleet.settings, here.release_line)),
    ]
    if metallb.pools(here):
        rules.append(_rule("metallb.io", _POOL_KINDS, _OWN))
    return rules


def provisioner_rules(
    fleet: Fleet, name: str, *, delete_namespaces: bool = False, access_reviews: bool = False
) -> list[Object]:
    """The rules of the provisioner's ClusterRole on a cluster.

    @param delete_namespaces: it may delete namespaces whose environment says so.
    @param access_reviews: it may ask what others may do, which the access report needs for its check.
    """
    rules = _delivery_rules(fleet, fleet.clusters[name])
    if delete_namespaces:
        rules.append(_rule("", ("namespaces",), ("delete",)))
    if access_reviews:
        rules.append(_rule("authorization.k8s.io", ("subjectaccessreviews",), ("create",)))
    return rules


def provisioner_objects(
    fleet: Fleet, name: str, *, delete_namespaces: bool = False, access_reviews: bool = False
) -> list[Object]:
    """What an administrator installs on a cluster for live delivery, in this order: the account has no right before the
    policy that confines it is there."""
    rules = provisioner_rules(fleet, name, delete_namespaces=delete_namespaces, access_reviews=access_reviews)
    return [
        *cluster_role_objects(fleet.settings),
        *_ours(_confinement(fleet).objects(fleet.settings)),
        *_ours(
            [
                build("v1", "Namespace", NAMESPACE, labels=_restricted()),
                build("v1", "ServiceAccount", ACCOUNT, namespace=NAMESPACE, automountServiceAccountToken=False),
                *_bound(NAME, rules, NAMESPACE, ACCOUNT),
            ]
        ),
    ]


def flux_objects(fleet: Fleet, name: str) -> list[Object]:
    """The same for delivery through Git: what kustomize-controller needs instead of C(cluster-admin)."""
    here = fleet.clusters[name]
    source, charts, apply = "source.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"
    sources = ("buckets", "gitrepositories", "helmcharts", "helmrepositories", "ocirepositories")
    rules = [
        *_delivery_rules(fleet, here),
        _rule(RBAC, ("clusterroles",), ("patch",), ROLES),
        _rule("", ("namespaces",), ("delete",)),
        _rule(source, sources, READ),
        _rule(charts, ("helmreleases",), READ),
        # It is the controller of these: it reads all, and writes their status and finalizers.
        _rule(apply, ("kustomizations", "kustomizations/finalizers", "kustomizations/status"), ("patch", "update")),
        # The objects that apply everything else, and the platform's charts, live in one namespace; see below.
        _rule("", ("events",), _APPLY),
        # It applies tenants' repositories as the account that the tenant's Kustomization names.
        _rule("", ("serviceaccounts",), ("impersonate",), (RECONCILER, FLUX_ACCOUNT)),
    ]
    own = [
        _rule(apply, ("kustomizations",), _OWN),
        _rule(source, ("helmrepositories", "ocirepositories"), _OWN),
        _rule(charts, ("helmreleases",), _OWN),
        _rule("", ("secrets",), ("get",)),
        _rule("coordination.k8s.io", ("leases",), ("create", "get", "patch", "update")),
    ]
    subject = [{"kind": "ServiceAccount", "name": FLUX_ACCOUNT, "namespace": FLUX_NAMESPACE}]
    reference = {"apiGroup": RBAC, "kind": "Role", "name": FLUX_NAME}
    return [
        *cluster_role_objects(fleet.settings),
        *_ours(
            [
                *_bound(FLUX_NAME, rules, FLUX_NAMESPACE, FLUX_ACCOUNT),
                build(f"{RBAC}/v1", "Role", FLUX_NAME, namespace=FLUX_NAMESPACE, rules=own),
                build(
                    f"{RBAC}/v1", "RoleBinding", FLUX_NAME, namespace=FLUX_NAMESPACE,
                    roleRef=reference, subjects=subject,
                ),
            ]
        ),
    ]  # fmt: skip


def _bound(name: str, rules: list[Object], namespace: str, account: str) -> list[Object]:
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return [
        build(f"{RBAC}/v1", "ClusterRole", name, rules=rules),
        build(f"{RBAC}/v1", "ClusterRoleBinding", name, roleRef=reference, subjects=[subject]),
    ]


def _ours(objects: Iterable[Object]) -> list[Object]:
    result = list(objects)
    for each in result:
        each["metadata"]["labels"][MANAGED_BY] = BOOTSTRAP
    return result


def _restricted() -> dict[str, str]:
    return {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("audit", "enforce", "warn")}


def _confinement(fleet: Fleet) -> Policy:
    """Where the provisioner may write, and what it may give to whom. Without it, an account that can bind a role in any
    namespace could give itself the rights of one in the platform's; and it could pass on its own, which it holds."""
    settings = fleet.settings
    tenant, facts = f"{settings.label_domain}/tenant", cluster.FACTS
    platform = {NAMESPACE, FLUX_NAMESPACE, "default"} | {
        service.get("namespace", name) for name, service in settings.services.items()
    }
    pools = metallb.namespace(settings)
    label = f"metadata.?labels[{cel(tenant)}].orValue('') != ''"
    note = f"metadata.?annotations[{cel(next(iter(PRUNE_DISABLED)))}].orValue('')"
    selves = [PROVISIONER, "system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"]
    of_platform = (
        f"(request.resource.resource == 'configmaps' && request.name == {cel(facts)} && "
        f"request.namespace in {cel([FLUX_NAMESPACE, NAMESPACE])}) || "
        f"(request.resource.group == 'metallb.io' && request.namespace == {cel(pools)})"
    )
    return Policy(
        NAME,
        [{**rule("*", "*/*", verbs=("CONNECT", "CREATE", "DELETE", "UPDATE"), versions="*"), "scope": "*"}],
        [{"name": "the-provisioner", "expression": f"request.userInfo.username == {cel(PROVISIONER)}"}],
        [
            (
                "variables.of_namespace || namespaceObject == null || variables.of_tenant || variables.of_platform",
                '"the provisioner does not write in " + request.namespace + ", which is not a namespace of a tenant"',
            ),
            (
                "!variables.of_namespace || !variables.reserved",
                '"the namespace " + request.name + " belongs to the platform; the provisioner does not take it over"',
            ),
            (
                f"!variables.of_namespace || request.operation == 'DELETE' || dyn(object).{label}",
                '"the provisioner only declares namespaces of tenants, and " + request.name + " would be none"',
            ),
            (
                "!variables.of_namespace || request.operation != 'DELETE' || "
                f"(dyn(oldObject).{label} && dyn(oldObject).{note} != 'disabled')",
                '"the namespace " + request.name + " is to be kept: its deletion_policy is not delete"',
            ),
            (
                "request.resource.resource != 'rolebindings' || object == null || "
                "(dyn(object).roleRef.kind == 'ClusterRole' && dyn(object).roleRef.name in "
                f"{cel(grantable_roles(fleet))} && !dyn(object).?subjects.orValue([]).exists(s, "
                f"s.name in {cel(selves)} || (s.kind == 'ServiceAccount' && s.?namespace.orValue('') == "
                f"{cel(NAMESPACE)})))",
                '"the provisioner grants the ClusterRoles that the inventory may grant, and never to itself"',
            ),
            (
                "request.resource.resource != 'kustomizations' || object == null || "
                f"(dyn(object).spec.?serviceAccountName.orValue('') == {cel(RECONCILER)} && "
                "!has(dyn(object).spec.kubeConfig))",
                f'"a Kustomization of a tenant must apply as {RECONCILER}"',
            ),
        ],
        {
            "of_namespace": "request.resource.resource == 'namespaces' && request.resource.group == ''",
            "of_tenant": f"namespaceObject != null && namespaceObject.{label}",
            "of_platform": of_platform,
            "reserved": f"request.name.startsWith('kube-') || request.name in {cel(sorted(platform))}",
        },
    )


def manifest(objects: Iterable[Object]) -> dict[str, t.Any]:
    """The objects as one List, which C(kubectl apply) takes."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}

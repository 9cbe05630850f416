# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission policies that keep tenants apart and their walls standing. They are always enforced."""

from __future__ import annotations

from .._model.entities import Settings
from .admission import Policy, cel, not_machinery, not_platform, not_services, rule, tenants_namespaces
from .cluster_roles import ADMIN, EDITOR, VIEWER
from .common import MANAGED_BY, MANAGER, POLICY_PARAMETERS, RECONCILER
from .namespace import POD_SECURITY, cluster_roles_annotation
from .policies_content import pod_spec, workloads

_CHANGES = ("CREATE", "DELETE", "UPDATE")
#: A request that lets the API server choose the name, or deletes a collection, has no name: not even an empty one.
_NAME = '(has(request.name) ? request.name : "")'


def namespaces(settings: Settings) -> Policy:
    """Who can change a namespace can lower its Pod Security level or leave its tenant. A selector would not do: the API
    server compares it with the new labels, so taking the label away would evade it."""
    prefix = cel(f"{settings.label_domain}/")

    def ours(whole: str) -> str:
        return (
            f"({whole} != null && has({whole}.metadata.labels) && {whole}.metadata.labels.exists(k, "
            f"k.startsWith({prefix}) || (k == {cel(MANAGED_BY)} && {whole}.metadata.labels[k] == {cel(MANAGER)})))"
        )

    constraint = rule("", "namespaces", "namespaces/finalize", "namespaces/status", verbs=_CHANGES)
    return Policy(
        "self-provisioning-namespaces",
        [{**constraint, "scope": "*"}],
        [
            not_platform(settings),
            not_machinery(),
            {"name": "a-declared-namespace", "expression": f"{ours('object')} || {ours('oldObject')}"},
        ],
        [
            (
                "false",
                f'"the namespace " + {_NAME} + " is declared in the inventory; nobody else may " + '
                'request.operation.lowerAscii() + " it"',
            )
        ],
    )


def protected_objects(settings: Settings) -> Policy:
    """Objects that we made, whoever has a role that could change them; and walls that are nobody's but ours to make."""

    def ours(whole: str) -> str:
        return (
            f"({whole} != null && has({whole}.metadata.labels) && {cel(MANAGED_BY)} in {whole}.metadata.labels && "
            f"{whole}.metadata.labels[{cel(MANAGED_BY)}] == {cel(MANAGER)})"
        )

    walls = ["ciliumnetworkpolicies", "limitranges", "networkpolicies", "resourcequotas"]
    parameters = f'(request.resource.resource == "configmaps" && {_NAME} == {cel(POLICY_PARAMETERS)})'
    return Policy(
        "self-provisioning-protected-objects",
        [{**rule("*", "*", "*/status", verbs=_CHANGES, versions="*")}],
        [
            not_platform(settings),
            not_machinery(),
            {
                "name": "a-protected-object",
                "expression": f"{ours('object')} || {ours('oldObject')} || {parameters} || "
                f"request.resource.resource in {cel(walls)}",
            },
        ],
        [
            (
                "false",
                f'"the " + request.kind.kind + " " + {_NAME} + " in " + request.namespace + " is managed by '
                'self-provisioning; change its declaration in the inventory instead"',
            )
        ],
        selector=tenants_namespaces(settings),
    )


def role_bindings(settings: Settings) -> Policy:
    """Tenants bind only accounts of their own namespace; people get their rights in the inventory, where auditors look.

    That nobody grants what they do not have is the API server's own rule.
    """
    annotation = cel(cluster_roles_annotation(settings))
    return Policy(
        "self-provisioning-role-bindings",
        [rule("rbac.authorization.k8s.io", "rolebindings")],
        [not_platform(settings), not_machinery()],
        [
            (
                "variables.strangers.size() == 0",
                '"the subject " + variables.strangers.map(s, s.kind + " " + s.name).join(", ") + " is not a '
                'ServiceAccount of " + request.namespace + "; declare people and groups in the inventory"',
            ),
            (
                'variables.role.kind == "Role" || !variables.limited || variables.role.name in variables.allowed',
                '"the ClusterRole " + variables.role.name + " is not allowed in " + request.namespace + "; '
                'allowed: " + variables.allowed.join(", ")',
            ),
        ],
        {
            "strangers": 'dyn(object).?subjects.orValue([]).filter(s, s.kind != "ServiceAccount" || '
            's.?namespace.orValue("") != request.namespace)',
            "role": "object.roleRef",
            "limited": f"namespaceObject.metadata.?annotations[{annotation}].hasValue()",
            "allowed": f"{cel([ADMIN, EDITOR, VIEWER])} + (variables.limited ? "
            f'namespaceObject.metadata.annotations[{annotation}].split(",").filter(a, a != "") : [])',
        },
        selector=tenants_namespaces(settings),
    )


def service_accounts(settings: Settings) -> Policy:
    """Who may run pods may run them as any account of the namespace. The reconciler is an admin, so it is reserved. Nor
    does a tenant's admin get its token: what is done with it would look like Flux's doing, and outlive his own rights.
    """
    machinery = not_machinery()["expression"]
    return Policy(
        "self-provisioning-service-accounts",
        [*workloads(), rule("", "secrets", "serviceaccounts/token")],
        [
            not_platform(settings),
            # Nodes and Flux's other controllers get tokens; workloads of whomever are judged.
            {
                "name": "not-a-token-for-the-machinery",
                "expression": f'request.kind.kind != "TokenRequest" || {machinery}',
            },
        ],
        [
            (
                "variables.account != variables.reserved",
                '"the ServiceAccount " + variables.reserved + " is reserved for Flux; use one of your own"',
            )
        ],
        {
            "reserved": cel(RECONCILER),
            "spec": pod_spec("object"),
            "account": f'request.kind.kind == "TokenRequest" ? {_NAME} : request.kind.kind == "Secret" ? '
            '(dyn(object).?type.orValue("") == "kubernetes.io/service-account-token" ? '
            'string(object.metadata.?annotations["kubernetes.io/service-account.name"].orValue("")) : "") : '
            'string(variables.spec.?serviceAccountName.orValue(""))',
        },
        selector=tenants_namespaces(settings),
    )


def volumes(settings: Settings) -> Policy:
    """Storage comes through claims. A pod that mounts a file server or a disk by its address gets whatever lies there,
    other tenants' data too, for many of them know machines but no people. Pod Security minds only from restricted on.
    """
    names = (
        "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "fc", "flexVolume", "flocker",
        "gcePersistentDisk", "gitRepo", "glusterfs", "iscsi", "nfs", "photonPersistentDisk", "portworxVolume",
        "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
    )  # fmt: skip
    found = " + ".join(f'(has(v.{name}) ? "{name}" : "")' for name in names)

    def used(spec: str) -> str:
        return f'{spec}.?volumes.orValue([]).map(v, {found}).filter(n, n != "")'

    level = f'namespaceObject.metadata.?labels[{cel(f"{POD_SECURITY}enforce")}].orValue("")'
    return Policy(
        "self-provisioning-volumes",
        workloads(),
        [not_platform(settings)],
        [
            (
                f'variables.foreign.size() == 0 || {level} == "privileged"',
                '"volumes of type " + variables.foreign.join(", ") + " are not allowed in " + request.namespace + '
                '"; use a PersistentVolumeClaim"',
            )
        ],
        {
            "spec": pod_spec("object"),
            "before": pod_spec("oldObject"),
            "known": used("variables.before"),
            "foreign": f"{used('variables.spec')}.filter(n, !(n in variables.known))",
        },
        selector=tenants_namespaces(settings),
    )


def flux_objects(settings: Settings) -> Policy:
    """Flux applies with its own rights, which are all rights, unless an object names an account."""
    references = (
        "chart.?spec.?sourceRef.?namespace",
        "chartRef.?namespace",
        "imageRepositoryRef.?namespace",
        "sourceRef.?namespace",
        "storageNamespace",
        "targetNamespace",
    )
    lists = ("dependsOn", "eventSources", "resources")
    single = ", ".join(f'variables.spec.?{path}.orValue("")' for path in references)
    several = "".join(f' + variables.spec.?{name}.orValue([]).map(r, r.?namespace.orValue(""))' for name in lists)
    return Policy(
        "self-provisioning-flux-objects",
        [
            rule("kustomize.toolkit.fluxcd.io", "kustomizations", versions="*"),
            rule("helm.toolkit.fluxcd.io", "helmreleases", versions="*"),
            rule("image.toolkit.fluxcd.io", "imagepolicies", "imageupdateautomations", versions="*"),
            rule("notification.toolkit.fluxcd.io", "alerts", "receivers", versions="*"),
        ],
        [not_platform(settings), not_machinery()],
        [
            (
                '!(request.kind.kind in ["HelmRelease", "Kustomization"]) || '
                'variables.spec.?serviceAccountName.orValue("") != ""',
                '"a " + request.kind.kind + " must say spec.serviceAccountName, for example '
                f'{RECONCILER}; without it Flux would use rights of its own"',
            ),
            (
                "!has(variables.spec.kubeConfig)",
                '"spec.kubeConfig is not allowed: it would apply to another cluster"',
            ),
            (
                "variables.foreign.size() == 0",
                '"a reference to the namespace " + variables.foreign.join(", ") + " is not allowed; stay in " + '
                "request.namespace",
            ),
        ],
        {
            "spec": "dyn(object).spec",
            "foreign": f'([{single}]{several}).filter(n, n != "" && n != request.namespace)',
        },
        selector=tenants_namespaces(settings),
    )


def frozen(settings: Settings) -> Policy:
    """Nobody but the platform changes anything in a frozen or archived environment. What runs goes on running: it still
    writes events, leases and status."""
    state = f"{settings.label_domain}/state"
    anything = ("CONNECT", *_CHANGES)
    return Policy(
        "self-provisioning-frozen",
        [rule("*", "*/*", verbs=anything, versions="*")],
        [not_platform(settings), not_machinery(), not_services(settings)],
        [
            (
                "false",
                '"the environment " + request.namespace + " is " + namespaceObject.metadata.labels'
                f'[{cel(state)}] + ": nobody may change anything in it"',
            )
        ],
        excluded=[
            rule("*", "*/status", verbs=("UPDATE",), versions="*"),
            rule("", "events", verbs=_CHANGES, versions="*"),  # and events.k8s.io, which is equivalent
            rule("coordination.k8s.io", "leases", verbs=_CHANGES, versions="*"),
            rule("authorization.k8s.io", "*", verbs=("CREATE",), versions="*"),
            rule("", "serviceaccounts/token", verbs=("CREATE",)),
            rule("", "pods/portforward", "pods/proxy", "services/proxy", verbs=("CONNECT",)),
        ],
        selector={"matchExpressions": [{"key": state, "operator": "In", "values": ["archived", "frozen"]}]},
    )


def isolation_policies(settings: Settings) -> list[Policy]:
    """All of them."""
    return [
        namespaces(settings),
        protected_objects(settings),
        role_bindings(settings),
        service_accounts(settings),
        volumes(settings),
        flux_objects(settings),
        frozen(settings),
    ]

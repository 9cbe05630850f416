# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a ValidatingAdmissionPolicy is put together, and who is exempt from one."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model.entities import Settings
from .common import FLUX_NAMESPACE, POLICY_PARAMETERS, Object, build

_VARIABLE = re.compile(r"\bvariables\.(\w+)")
_API = "admissionregistration.k8s.io/v1"

PROVISIONER = "system:serviceaccount:self-provisioning:provisioner"
_FLUX_ACCOUNT = f"system:serviceaccount:{FLUX_NAMESPACE}:"

#: Who declares: they may do everything. kubeadm's admin kubeconfig is in the second group since Kubernetes 1.29.
_PLATFORM_GROUPS = ("system:masters", "kubeadm:cluster-admins")
_PLATFORM_USERS = (f"{_FLUX_ACCOUNT}kustomize-controller", PROVISIONER)
#: Who keeps things running: Kubernetes' own controllers and nodes, and Flux when it writes finalizers on its objects.
_MACHINERY_GROUPS = ("system:nodes", "system:serviceaccounts:kube-system")
_MACHINERY_USERS = (
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    *(
        f"{_FLUX_ACCOUNT}{name}-controller"
        for name in ("helm", "image-automation", "image-reflector", "notification", "source")
    ),
)


def cel(value: t.Any) -> str:
    """A string or a list of strings as a CEL literal."""
    return json.dumps(value, ensure_ascii=True)


def _unless(name: str, users: Iterable[str], groups: Iterable[str]) -> Object:
    return {
        "name": name,
        "expression": f"!(request.userInfo.username in {cel(sorted(users))} || (has(request.userInfo.groups) && "
        f"request.userInfo.groups.exists(g, g in {cel(sorted(groups))})))",
    }


def not_platform(settings: Settings) -> Object:
    """A match condition: the request does not come from those who declare."""
    policies = settings.policies
    return _unless(
        "not-the-platform",
        {*_PLATFORM_USERS, *policies.get("platform_users", ())},
        {*_PLATFORM_GROUPS, *policies.get("platform_groups", ())},
    )


def not_machinery() -> Object:
    """A match condition: nor from those who keep things running."""
    return _unless("not-the-machinery", _MACHINERY_USERS, _MACHINERY_GROUPS)


def not_services(settings: Settings) -> Object:
    """A match condition: nor from a platform service, such as a certificate manager that renews."""
    namespaces = {service.get("namespace", name) for name, service in settings.services.items()}
    return _unless("not-a-platform-service", (), {f"system:serviceaccounts:{name}" for name in namespaces})


def rule(group: str, *resources: str, verbs: Iterable[str] = ("CREATE", "UPDATE"), versions: str = "v1") -> Object:
    """Requests for some resources of one API group, inside namespaces."""
    return {
        "apiGroups": [group],
        "apiVersions": [versions],
        "operations": list(verbs),
        "resources": list(resources),
        "scope": "Namespaced",
    }


@dataclass(frozen=True)
class Policy:
    """A ValidatingAdmissionPolicy.

    @param conditions: requests that do not meet all of them are let through.
    @param variables: named expressions, used as C(variables.<name>); each may use those before it. They are written out
        in the object: an API server that compiles a policy while it judges a request by another one that has variables
        may die of "concurrent map read and map write" (kubernetes/kubernetes#135757).
    @param validations: an expression that must hold, and an expression for the message.
    @param parameters: whether it reads the namespace's allow-lists.
    @param selector: the namespaces in which it holds; None for requests that are not inside a namespace.
    @param advisory: whether C(fleet_policies.action) can soften it. What keeps tenants apart is always enforced.
    """

    name: str
    rules: list[Object]
    conditions: list[Object]
    validations: list[tuple[str, str]]
    variables: Mapping[str, str] = field(default_factory=dict)
    excluded: list[Object] = field(default_factory=list)
    parameters: bool = False
    selector: Object | None = None
    advisory: bool = False

    def objects(self, settings: Settings) -> list[Object]:
        """The policy and its binding."""
        known: dict[str, str] = {}
        for name, text in self.variables.items():
            known[name] = f"({_written_out(text, known)})"
        spec: Object = {
            "failurePolicy": "Fail",
            "matchConditions": self.conditions,
            "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": self.rules},
            "validations": [
                {
                    "expression": _written_out(holds, known),
                    "message": f"refused by {self.name}",
                    "messageExpression": _written_out(says, known),
                    "reason": "Forbidden",
                }
                for holds, says in self.validations
            ],
        }
        if self.excluded:
            spec["matchConstraints"]["excludeResourceRules"] = self.excluded
        action = settings.policies["action"] if self.advisory else "Deny"
        binding: Object = {"policyName": self.name, "validationActions": [action]}
        if self.parameters:
            spec["paramKind"] = {"apiVersion": "v1", "kind": "ConfigMap"}
            # Without a namespace: the one of the request.
            binding["paramRef"] = {"name": POLICY_PARAMETERS, "parameterNotFoundAction": "Deny"}
        if self.selector is not None:
            binding["matchResources"] = {"namespaceSelector": self.selector}
        return [
            build(_API, "ValidatingAdmissionPolicy", self.name, spec=spec),
            build(_API, "ValidatingAdmissionPolicyBinding", self.name, spec=binding),
        ]


def _written_out(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: known[found[1]], text)


def tenants_namespaces(settings: Settings) -> Object:
    """A selector for the namespaces of tenants."""
    return {"matchExpressions": [{"key": f"{settings.label_domain}/tenant", "operator": "Exists"}]}

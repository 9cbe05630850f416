# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenant, project and environment a namespace is, and which namespaces are looked at at all."""

from __future__ import annotations

import fnmatch
import re
import typing as t
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from .._model.entities import Settings
from .._model.errors import ModelError, show
from .._model.names import LABEL, MAX_LABEL
from .._model.schema_layer import STAGES
from .._objects.common import FLUX_NAMESPACE, HOME_NAMESPACE
from .selectors import parse

PARTS = ("tenant", "project", "environment")
#: Namespaces of Kubernetes itself and of distributions.
_SYSTEM = (
    "default",
    "kube-*",
    "openshift",
    "openshift-*",
    "cattle-*",
    "calico-*",
    "tigera-*",
)


class Identity(t.NamedTuple):
    """The three names of an environment."""

    tenant: str
    project: str
    environment: str

    @property
    def namespace(self) -> str:
        return "-".join(self)

    @property
    def key(self) -> str:
        return "/".join(self)


@dataclass(frozen=True)
class Grouping:
    """How namespaces become environments; the first way that knows a namespace counts.

    @param mapping: namespace to C(tenant/project/environment).
    @param labels: for C(tenant), C(project) and C(environment) the key of the label that holds it.
    @param pattern: a regular expression over the name, with groups of these names.
    @param default_tenant: the tenant of namespaces that say none.
    @param tenants: tenants that are known to exist; their names may hold dashes.
    @param stage: the environment of namespaces that say none.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    pattern: str = ""
    default_tenant: str = ""
    tenants: Collection[str] = ()
    stage: str = ""

    def check(self) -> None:
        """@raises ModelError: the options cannot be used."""
        for name, text in self.mapping.items():
            if not isinstance(text, str) or len(text.split("/")) != len(PARTS):
                raise ModelError(f"mapping: {show(text)}, for {name}, is not tenant/project/environment.")
        unknown = sorted(set(self.labels) - set(PARTS))
        if unknown:
            raise ModelError(f"group_labels: {unknown[0]!r} is none of {', '.join(PARTS)}.")
        if self.pattern:
            try:
                groups = set(re.compile(self.pattern).groupindex)
            except re.error as error:
                raise ModelError(f"name_pattern: {show(self.pattern)} is not a regular expression: {error}.") from None
            if not groups or groups - set(PARTS):
                raise ModelError(f"name_pattern: use groups such as (?P<tenant>…), named {', '.join(PARTS)}.")

    def identify(self, namespace: str, labels: Mapping[str, str], domain: str) -> Identity | None:
        """The environment that a namespace seems to be, None when nothing tells."""
        if namespace in self.mapping:
            return Identity(*self.mapping[namespace].split("/"))
        ours = {part: labels.get(f"{domain}/{part}", "") for part in PARTS}
        if all(ours.values()):
            return Identity(**ours)
        if self.labels:
            given = {part: labels.get(key, "") for part, key in self.labels.items()}
            if all(given.values()):
                return self._filled(given, namespace)
        if self.pattern:
            match = re.fullmatch(self.pattern, namespace)
            if match:
                return self._filled({k: v for k, v in match.groupdict().items() if v}, namespace)
        return self._by_name(namespace)

    def _filled(self, given: Mapping[str, str], namespace: str) -> Identity | None:
        """What is known, and the rest from the name."""
        tenant = given.get("tenant") or self.default_tenant
        if not tenant:
            return None
        split = self._below(tenant, namespace)
        project = given.get("project")
        environment = given.get("environment")
        if project and not environment and namespace.startswith(f"{tenant}-{project}-"):
            environment = namespace.removeprefix(f"{tenant}-{project}-")
        if environment and not project and namespace.endswith(f"-{environment}"):
            project = namespace.removeprefix(f"{tenant}-").removesuffix(f"-{environment}")
        return Identity(
            tenant,
            project or (split.project if split else namespace),
            environment or (split.environment if split else self.stage),
        )

    def _by_name(self, namespace: str) -> Identity | None:
        known = [*self.tenants, *([self.default_tenant] if self.default_tenant else [])]
        for tenant in sorted(known, key=len, reverse=True):
            found = self._below(tenant, namespace)
            if found:
                return found
        head, dash, last = namespace.rpartition("-")
        if dash and last in STAGES:
            tenant, dash, project = head.partition("-")
            if dash:
                return Identity(tenant, project, last)
            return Identity(self.default_tenant, head, last) if self.default_tenant else None
        return Identity(self.default_tenant, namespace, self.stage) if self.default_tenant else None

    def _below(self, tenant: str, namespace: str) -> Identity | None:
        project, dash, last = namespace.removeprefix(f"{tenant}-").rpartition("-")
        return Identity(tenant, project, last) if dash and project and namespace.startswith(f"{tenant}-") else None

    def nearest(self, namespace: str, meant: Identity | None) -> str:
        """What to do about a namespace whose name does not say what it is."""
        move = f"move its workloads to the new namespace {meant.namespace!r}" if meant else ""
        parts = namespace.split("-")
        if meant and len(meant.namespace) > MAX_LABEL:
            move = ""
        if len(parts) >= len(PARTS):
            near = Identity(parts[0], "-".join(parts[1:-1]), parts[-1])
            if meant is not None:
                for tenant in (meant.tenant, self.default_tenant):
                    near = (self._below(tenant, namespace) if tenant else None) or near
            say = f"with mapping: {{{namespace}: {near.key}}} it is taken over as it is"
            return f"{say[0].upper()}{say[1:]}{'; or ' + move if move else ''}."
        say = "A namespace cannot be renamed"
        return f"{say}: {move}." if move else f"{say}: give it a default_tenant, and move its workloads."


def fault(identity: Identity, namespace: str) -> str:
    """Why an environment cannot be that namespace; empty when it can."""
    for part, value in zip(PARTS, identity, strict=True):
        if not re.search(LABEL.replace("$", r"\Z"), value) or len(value) > MAX_LABEL:
            return f"{show(value)} cannot be the name of a {part}."
    if identity.namespace != namespace:
        return f"the namespace of {identity.key} is called {identity.namespace!r}, not {namespace!r}."
    return ""


def chosen(
    namespaces: Mapping[str, Mapping[str, str]], settings: Settings, *, names: Iterable[str], selector: str
) -> tuple[list[str], list[str]]:
    """The namespaces to import, and those of the system that are left out.

    @param namespaces: the labels of each.
    @param names: names, in which C(*) stands for any text; empty for all but those of the system.
    """
    wanted, test = list(names), parse(selector)
    platform = {
        FLUX_NAMESPACE,
        HOME_NAMESPACE,
        *(value for value in settings.platform.values() if value),
        *(service.get("namespace", name) for name, service in settings.services.items()),
    }
    taken, left = [], []
    for name in sorted(namespaces):
        if wanted:
            if any(fnmatch.fnmatchcase(name, each) for each in wanted) and test(namespaces[name]):
                taken.append(name)
        elif name in platform or any(fnmatch.fnmatchcase(name, each) for each in _SYSTEM):
            left.append(name)
        elif test(namespaces[name]):
            taken.append(name)
    return taken, left

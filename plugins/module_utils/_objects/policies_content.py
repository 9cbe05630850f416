# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission policies on what tenants run: images, labels, priorities, host names, Services.

What an update leaves as it was is not judged again, so a list that gets narrower stops nobody from scaling or deleting
what is there. Pods made by Kubernetes' own controllers are judged like all others; templates are judged as well, so
that the answer comes to the person who asks.
"""

from __future__ import annotations

from .._model.entities import Settings
from . import policy_params as keys
from .admission import Policy, cel, not_platform, rule, tenants_namespaces
from .common import Object

_NO_TAG_NEEDED = 'i.contains("@sha256:")'
_GOOD_TAG = 'i.matches("^(.*/)?[^/:]+:[^/:]+$") && !i.endsWith(":latest")'


def workloads(*pod_resources: str) -> list[Object]:
    """Pods, and everything that has a template for them."""
    return [
        rule("", "pods", *pod_resources, "replicationcontrollers"),
        rule("apps", "daemonsets", "deployments", "replicasets", "statefulsets"),
        rule("batch", "cronjobs", "jobs"),
    ]


def pod_spec(whole: str) -> str:
    """The spec of the pods that an object is or makes. dyn(): the kinds differ, and so do their fields."""
    return (
        f"{whole} == null ? dyn({{}}) : "
        f'request.kind.kind == "Pod" ? dyn({whole}).spec : '
        f'request.kind.kind == "CronJob" ? dyn({whole}).spec.jobTemplate.spec.template.spec : '
        f"dyn({whole}).spec.?template.?spec.orValue(dyn({{}}))"
    )


def listed(key: str) -> dict[str, str]:
    """The variables C(limited), C(allowed) for a list of the parameters."""
    return {
        "limited": f"has(params.data) && {cel(key)} in params.data",
        "allowed": f'variables.limited ? params.data[{cel(key)}].split("\\n").filter(a, a != "") : []',
    }


_ALLOWED = '(variables.allowed.size() == 0 ? "nothing is allowed" : "allowed: " + variables.allowed.join(", "))'


def images(settings: Settings, line: str) -> Policy:
    """Where images come from, and that they say which version they are."""

    def names(spec: str) -> str:
        lists = [f"{spec}.?{each}.orValue([])" for each in ("containers", "initContainers", "ephemeralContainers")]
        found = f'({" + ".join(lists)}).map(c, c.?image.orValue(""))'
        if _has_image_volumes(line):
            found += f' + {spec}.?volumes.orValue([]).map(v, v.?image.?reference.orValue(""))'
        return found

    under = 'i.startsWith(a + "/") || (a.contains("/") && (i == a || i.startsWith(a + ":") || i.startsWith(a + "@")))'
    variables = {
        "spec": pod_spec("object"),
        "before": pod_spec("oldObject"),
        "known": names("variables.before"),
        "images": f'({names("variables.spec")}).filter(i, i != "" && !(i in variables.known))',
        **listed(keys.REGISTRIES),
        "foreign": f"variables.limited ? variables.images.filter(i, !variables.allowed.exists(a, {under})) : []",
    }
    validations = [
        (
            "variables.foreign.size() == 0",
            '"image " + variables.foreign.join(", ") + ": its registry is not allowed in " + request.namespace + "; "'
            f" + {_ALLOWED}",
        )
    ]
    if settings.policies.get("forbid_latest_tag"):
        variables["loose"] = f"variables.images.filter(i, !({_NO_TAG_NEEDED} || ({_GOOD_TAG})))"
        validations.append(
            (
                "variables.loose.size() == 0",
                '"image " + variables.loose.join(", ") + ": name a tag other than latest, or a digest (@sha256:...)"',
            )
        )
    return Policy(
        "self-provisioning-images",
        workloads("pods/ephemeralcontainers"),
        [not_platform(settings)],
        validations,
        variables,
        parameters=True,
        selector=tenants_namespaces(settings),
        advisory=True,
    )


def _has_image_volumes(line: str) -> bool:
    return tuple(int(part) for part in line.split(".")) >= (1, 31)


def required_labels(settings: Settings) -> Policy:
    """Labels by which cost and ownership are found. What a controller makes takes them from its template."""
    needed = sorted(settings.policies.get("required_labels", ()))

    def lacks(whole: str) -> str:
        return f'(!has({whole}.metadata.labels) || !(l in {whole}.metadata.labels) || {whole}.metadata.labels[l] == "")'

    return Policy(
        "self-provisioning-required-labels",
        workloads(),
        [
            not_platform(settings),
            {
                "name": "made-by-a-person",
                "expression": "!has(object.metadata.ownerReferences) || object.metadata.ownerReferences.size() == 0",
            },
        ],
        [
            (
                "variables.missing.size() == 0",
                f'"the labels " + variables.missing.join(", ") + " are missing; every workload needs " + '
                f"{cel(', '.join(needed))}",
            )
        ],
        {"missing": f"{cel(needed)}.filter(l, {lacks('object')} && (oldObject == null || !{lacks('oldObject')}))"},
        selector=tenants_namespaces(settings),
        advisory=True,
    )


def priority_classes(settings: Settings) -> Policy:
    """Which priority pods may claim. Those of Kubernetes itself are never a tenant's."""
    return Policy(
        "self-provisioning-priority-classes",
        workloads(),
        [not_platform(settings)],
        [
            (
                'variables.name in ["", variables.before] || (!variables.name.startsWith("system-") && '
                "(!variables.limited || variables.name in variables.allowed))",
                '"the priority class " + variables.name + " is not allowed in " + request.namespace + '
                f'(variables.limited ? "; " + {_ALLOWED} : "")',
            )
        ],
        {
            "spec": pod_spec("object"),
            "name": 'string(variables.spec.?priorityClassName.orValue(""))',
            "old": pod_spec("oldObject"),
            "before": 'string(variables.old.?priorityClassName.orValue(""))',
            **listed(keys.PRIORITY_CLASSES),
        },
        parameters=True,
        selector=tenants_namespaces(settings),
        advisory=True,
    )


def services(settings: Settings) -> Policy:
    """Types of Services; and never an external IP, which would draw other people's traffic."""
    return Policy(
        "self-provisioning-services",
        [rule("", "services")],
        [not_platform(settings)],
        [
            (
                "!variables.limited || object.spec.type in variables.allowed || "
                "(oldObject != null && oldObject.spec.type == object.spec.type)",
                '"a Service of type " + object.spec.type + " is not allowed in " + request.namespace + "; "'
                f" + {_ALLOWED}",
            ),
            (
                'variables.limited || object.spec.type != "ExternalName" || '
                '(oldObject != null && oldObject.spec.type == "ExternalName")',
                # The ingress controller may reach everybody's pods, and would follow such a name to another tenant's.
                '"a Service of type ExternalName is not allowed in " + request.namespace + " unless '
                'allowed.service_types of the inventory says so"',
            ),
            (
                "!has(object.spec.externalIPs) || object.spec.externalIPs.size() == 0",
                '"externalIPs are not allowed; use an Ingress, or a Service of type LoadBalancer"',
            ),
        ],
        listed(keys.SERVICE_TYPES),
        parameters=True,
        selector=tenants_namespaces(settings),
        advisory=True,
    )


def _words(texts: str) -> str:
    """The items of texts that separate theirs with commas."""
    return f'{texts}.join(",").split(",").map(w, w.trim()).filter(w, w != "")'


_ROUTES = ("grpcroutes", "httproutes", "tlsroutes")
_NOTES = "object.metadata.?annotations.orValue({})"
#: Annotations of ingress-nginx whose value may be C(namespace/name).
_BORROWED = ["-secret", "/auth-proxy-set-headers", "/custom-headers", "/fastcgi-params-configmap"]
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def ingress_hostnames(settings: Settings) -> Policy:
    """Host names of Ingresses and of the routes of the Gateway API; one without a host name claims all of them."""

    def hosts(whole: str) -> str:
        spec = f"dyn({whole}).spec"
        rules = f'{spec}.?rules.orValue([]).map(r, r.?host.orValue(""))'
        named = f'({spec}.?rules.orValue([]).size() > 0 ? {rules} : [""])'
        # CEL has no way to flatten a list of lists; one text with a separator does it.
        tls = _words(f'{spec}.?tls.orValue([]).map(s, s.?hosts.orValue([]).join(","))')
        notes = f"dyn({whole}).metadata.?annotations.orValue({{}})"
        aliases = _words(f'{notes}.map(k, k.endsWith("/server-alias"), {notes}[k])')
        route = f'{spec}.?hostnames.orValue([]).size() > 0 ? {spec}.hostnames : [""]'
        return f'{whole} == null ? [] : request.kind.kind == "Ingress" ? {named} + {tls} + {aliases} : {route}'

    fits = 'a == h || a == "*" || (a.startsWith("*.") && h.endsWith(a.substring(1)))'
    return Policy(
        "self-provisioning-ingress-hostnames",
        [rule("networking.k8s.io", "ingresses"), rule("gateway.networking.k8s.io", *_ROUTES, versions="*")],
        [not_platform(settings)],
        [
            (
                "variables.foreign.size() == 0",
                '"the host name " + variables.foreign.map(h, h == "" ? "(none, which means every host)" : h).join(", ")'
                f' + " is not allowed in " + request.namespace + "; " + {_ALLOWED}',
            )
        ],
        {
            **listed(keys.INGRESS_HOSTNAMES),
            "known": hosts("oldObject"),
            "hosts": hosts("object"),
            "foreign": "variables.limited ? variables.hosts.filter(h, !(h in variables.known) && "
            f"!variables.allowed.exists(a, {fits})) : []",
        },
        parameters=True,
        selector=tenants_namespaces(settings),
        advisory=True,
    )


def ingress_classes(settings: Settings) -> Policy:
    """Which ingress controllers serve it; and no raw controller configuration."""

    def classes(whole: str) -> str:
        named = f'{whole}.spec.?ingressClassName.orValue("")'
        noted = f'{whole}.metadata.?annotations[{cel(_CLASS_ANNOTATION)}].orValue("")'
        return f'{whole} == null ? [""] : [string({named}), string({noted})].filter(c, c != "")'

    return Policy(
        "self-provisioning-ingress-classes",
        [rule("networking.k8s.io", "ingresses")],
        [not_platform(settings)],
        [
            (
                "!variables.limited || variables.classes == variables.known || (variables.classes.size() > 0 && "
                "variables.classes.all(c, c in variables.allowed))",
                '"the ingress class " + (variables.classes.size() == 0 ? "(none)" : variables.classes.join(", "))'
                f' + " is not allowed in " + request.namespace + "; " + {_ALLOWED}',
            ),
            (
                "variables.snippets.size() == 0",
                '"the annotation " + variables.snippets.join(", ") + " is not allowed: it would change the ingress '
                'controller for everybody"',
            ),
            (
                "variables.borrowed.size() == 0",
                '"the annotation " + variables.borrowed.join(", ") + " names an object of another namespace; stay in "'
                " + request.namespace",
            ),
        ],
        {
            **listed(keys.INGRESS_CLASSES),
            "known": classes("oldObject"),
            "classes": classes("object"),
            "snippets": 'object.metadata.?annotations.orValue({}).map(k, k).filter(k, k.endsWith("-snippet") || '
            'k.endsWith("/server-alias-regex"))',
            "borrowed": f"{_NOTES}.map(k, k).filter(k, {cel(_BORROWED)}.exists(s, k.endsWith(s)) && "
            f'{_NOTES}[k].contains("/") && !{_NOTES}[k].startsWith(request.namespace + "/"))',
        },
        parameters=True,
        selector=tenants_namespaces(settings),
        advisory=True,
    )


def content_policies(settings: Settings, line: str) -> list[Policy]:
    """All of them; those that nothing was asked for are left out."""
    labels = [required_labels(settings)] if settings.policies.get("required_labels") else []
    return [
        images(settings, line),
        *labels,
        priority_classes(settings),
        services(settings),
        ingress_hostnames(settings),
        ingress_classes(settings),
    ]

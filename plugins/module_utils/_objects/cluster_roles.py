# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles of tenants. Every rule is written out; nothing is aggregated, so installing a chart widens nobody's rights.

What none of them has, and why:
  - writing namespaces, resourcequotas, limitranges, networkpolicies: they are the walls of the tenant;
  - writing endpoints and endpointslices: a Service could be pointed at another tenant's pods;
  - C(*/status) of built-in kinds: Services could claim foreign addresses there;
  - C(escalate), C(bind), C(impersonate): the API server's own check then stops everybody from granting what they lack;
  - writing Flux objects, for editors: a Kustomization can name C(flux-reconciler), which is a tenant-admin.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._model.entities import Settings
from .common import Object, build

ADMIN = "tenant-admin"
EDITOR = "tenant-editor"
VIEWER = "tenant-viewer"

READ = ("get", "list", "watch")
WRITE = ("create", "delete", "deletecollection", "patch", "update")

#: An API group, and resources separated by spaces.
Table = tuple[tuple[str, str], ...]

#: Editors and admins write it, viewers read it.
_WORK: Table = (
    (
        "",
        "configmaps persistentvolumeclaims pods replicationcontrollers replicationcontrollers/scale serviceaccounts "
        "services",
    ),
    (
        "apps",
        "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
    ),
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "cronjobs jobs"),
    ("bitnami.com", "sealedsecrets"),
    ("cdi.kubevirt.io", "datavolumes"),
    ("cert-manager.io", "certificates issuers"),
    ("coordination.k8s.io", "leases"),
    ("gateway.networking.k8s.io", "grpcroutes httproutes tlsroutes"),
    ("kubevirt.io", "virtualmachineinstances virtualmachines"),
    ("monitoring.coreos.com", "podmonitors prometheusrules servicemonitors"),
    ("networking.k8s.io", "ingresses"),
    ("policy", "poddisruptionbudgets"),
    ("snapshot.storage.k8s.io", "volumesnapshots"),
    ("sparkoperator.k8s.io", "scheduledsparkapplications sparkapplications"),
)
#: Only admins write it, viewers read it.
_GOVERNED: Table = (
    ("helm.toolkit.fluxcd.io", "helmreleases"),
    ("kustomize.toolkit.fluxcd.io", "kustomizations"),
    ("notification.toolkit.fluxcd.io", "alerts providers receivers"),
    ("rbac.authorization.k8s.io", "rolebindings roles"),
    ("source.toolkit.fluxcd.io", "buckets gitrepositories helmcharts helmrepositories ocirepositories"),
)
#: Nobody writes it, everybody reads it.
_SHOWN: Table = (
    (
        "",
        "endpoints events limitranges namespaces persistentvolumeclaims/status pods/log pods/status "
        "replicationcontrollers/status resourcequotas resourcequotas/status services/status",
    ),
    (
        "apps",
        "controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status",
    ),
    ("autoscaling", "horizontalpodautoscalers/status"),
    ("batch", "cronjobs/status jobs/status"),
    ("cert-manager.io", "certificaterequests"),
    ("discovery.k8s.io", "endpointslices"),
    ("events.k8s.io", "events"),
    ("metrics.k8s.io", "pods"),
    ("networking.k8s.io", "ingresses/status networkpolicies"),
    ("policy", "poddisruptionbudgets/status"),
)
#: Editors and admins; viewers must not see secrets nor enter pods.
_SECRET: Table = (("", "secrets"),)
_ENTER: Table = (
    ("", "pods/attach pods/exec pods/portforward pods/proxy services/proxy"),
    (
        "subresources.kubevirt.io",
        "virtualmachineinstances/console virtualmachineinstances/portforward virtualmachineinstances/vnc",
    ),
)
_ACT: Table = (
    ("", "pods/eviction"),
    ("subresources.kubevirt.io", "virtualmachines/restart virtualmachines/start virtualmachines/stop"),
)


def _rules(table: Table, verbs: Iterable[str]) -> list[Object]:
    return [{"apiGroups": [group], "resources": names.split(), "verbs": sorted(verbs)} for group, names in table]


def _view() -> list[Object]:
    return [rule for table in (_WORK, _GOVERNED, _SHOWN) for rule in _rules(table, READ)]


def _edit() -> list[Object]:
    return [
        *_view(),
        *_rules(_WORK, WRITE),
        *_rules(_SECRET, (*READ, *WRITE)),
        *_rules(_ENTER, ("create", "get")),
        *_rules(_ACT, ("create", "update")),
        {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["get", "patch", "update"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]


def _administer() -> list[Object]:
    return [
        *_edit(),
        *_rules(_GOVERNED, WRITE),
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]},
    ]


ROLES: dict[str, t.Callable[[], list[Object]]] = {ADMIN: _administer, EDITOR: _edit, VIEWER: _view}


def cluster_role_objects(settings: Settings) -> list[Object]:
    """The ClusterRoles that RoleBindings in tenants' namespaces refer to; the same on every cluster."""
    del settings
    return [build("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=rules()) for name, rules in ROLES.items()]

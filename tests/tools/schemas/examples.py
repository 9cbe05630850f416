# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One valid object of each kind, with the places where an unknown field must be found."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from . import LINES

Object = dict[str, Any]
OCI_VERSIONS = {"1.30": "v1beta2", "1.35": "v1"}
POD = """
  {
    metadata: {labels: {app: web}},
    spec: {
      serviceAccountName: web,
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}},
      restartPolicy: RESTART,
      containers: [{
        name: web,
        image: "registry.example/web:1",
        env: [{name: A, value: b}],
        ports: [{name: http, containerPort: 8080}],
        resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 1Gi}},
        readinessProbe: {httpGet: {path: /, port: http}},
      }],
      volumes: [{name: data, emptyDir: {}}],
    },
  }
"""


TEXTS = {"POD_ALWAYS": POD.strip().replace("RESTART", "Always"), "POD_NEVER": POD.strip().replace("RESTART", "Never")}
# Each document: one valid object. `typo_at` lists the places where an unknown field must be found.
CORE = """
typo_at: ["", metadata, spec]
object:
  apiVersion: v1
  kind: Namespace
  metadata: {name: a, labels: {pod-security.kubernetes.io/enforce: restricted}}
  spec: {}
---
typo_at: ["", metadata]
object: {apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: b}, automountServiceAccountToken: false}
---
typo_at: ["", metadata]
object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}, data: {a: b}}
---
typo_at: ["", metadata]
object: {apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, type: Opaque, stringData: {a: b}}
---
typo_at: ["", spec, spec.ports.0]
object:
  apiVersion: v1
  kind: Service
  metadata: {name: a, namespace: b}
  spec: {type: ClusterIP, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
typo_at: ["", spec]
object:
  apiVersion: v1
  kind: ResourceQuota
  metadata: {name: a, namespace: b}
  spec: {hard: {requests.cpu: 4, requests.memory: 8Gi, pods: "20"}}
---
typo_at: ["", spec, spec.limits.0]
object:
  apiVersion: v1
  kind: LimitRange
  metadata: {name: a, namespace: b}
  spec: {limits: [{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}
---
typo_at: ["", spec, spec.resources]
object:
  apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: a, namespace: b}
  spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}
---
typo_at: ["", rules.0]
object:
  apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: a, namespace: b}
  rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
typo_at: ["", rules.0]
object:
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: a}
  rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
typo_at: ["", roleRef, subjects.0]
object:
  apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: a, namespace: b}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}
  subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: team}]
---
typo_at: ["", roleRef, subjects.0]
object:
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: a}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: a}
  subjects: [{kind: ServiceAccount, name: a, namespace: b}]
---
typo_at: ["", spec, spec.ingress.0, spec.ingress.0.from.0.namespaceSelector, spec.egress.0.ports.0]
object:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: a, namespace: b}
  spec:
    podSelector: {}
    policyTypes: [Ingress, Egress]
    ingress: [{from: [{namespaceSelector: {matchLabels: {a: b}}}]}]
    egress: [{ports: [{protocol: UDP, port: 53}]}]
---
typo_at: ["", spec, spec.rules.0.http.paths.0.backend.service]
object:
  apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: a, namespace: b}
  spec:
    ingressClassName: nginx
    tls: [{hosts: [a.example], secretName: tls}]
    rules:
      - host: a.example
        http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}
---
typo_at: ["", spec, spec.template.spec, spec.template.spec.containers.0, spec.template.spec.containers.0.resources]
object:
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: a, namespace: b}
  spec:
    replicas: 2
    selector: {matchLabels: {app: web}}
    strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 25%}}
    template: POD_ALWAYS
---
typo_at: ["", spec, spec.template.spec.volumes.0, spec.volumeClaimTemplates.0.spec]
object:
  apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: a, namespace: b}
  spec:
    serviceName: a
    selector: {matchLabels: {app: web}}
    volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}]
    template: POD_ALWAYS
---
typo_at: ["", spec, spec.template.spec.securityContext]
object:
  apiVersion: apps/v1
  kind: DaemonSet
  metadata: {name: a, namespace: b}
  spec:
    selector: {matchLabels: {app: web}}
    template: POD_ALWAYS
---
typo_at: ["", spec, spec.template.spec]
object:
  apiVersion: batch/v1
  kind: Job
  metadata: {name: a, namespace: b}
  spec:
    backoffLimit: 1
    template: POD_NEVER
---
typo_at: ["", spec, spec.jobTemplate.spec.template.spec]
object:
  apiVersion: batch/v1
  kind: CronJob
  metadata: {name: a, namespace: b}
  spec:
    schedule: "* * * * *"
    jobTemplate: {spec: {template: POD_NEVER}}
---
typo_at: ["", spec]
object:
  apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: a, namespace: b}
  spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
---
typo_at: ["", spec, spec.metrics.0.resource]
object:
  apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: a, namespace: b}
  spec:
    maxReplicas: 3
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}
    metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
---
typo_at: [""]
object: {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: a}, value: 1000, description: x}
---
typo_at: [""]
object: {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}, provisioner: x, parameters: {a: b}}
---
typo_at: ["", spec, spec.validations.0]
object:
  apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicy
  metadata: {name: a}
  spec:
    failurePolicy: Fail
    matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
    validations: [{expression: "true", message: x}]
---
typo_at: ["", spec, spec.matchResources.namespaceSelector]
object:
  apiVersion: admissionregistration.k8s.io/v1
  kind: ValidatingAdmissionPolicyBinding
  metadata: {name: a}
  spec:
    policyName: a
    validationActions: [Deny]
    matchResources: {namespaceSelector: {matchLabels: {a: b}}}
---
typo_at: ["", spec, spec.names, spec.versions.0.schema.openAPIV3Schema.properties.spec]
object:
  apiVersion: apiextensions.k8s.io/v1
  kind: CustomResourceDefinition
  metadata: {name: things.example.org}
  spec:
    group: example.org
    scope: Namespaced
    names: {kind: Thing, plural: things}
    versions:
      - name: v1
        served: true
        storage: true
        schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}
"""
CUSTOM = """
typo_at: ["", metadata, spec, spec.ref]
object:
  apiVersion: source.toolkit.fluxcd.io/v1
  kind: GitRepository
  metadata: {name: a, namespace: b}
  spec: {interval: 1m0s, url: "https://git.example/fleet.git", ref: {branch: main}, secretRef: {name: git}}
---
typo_at: ["", metadata, spec, spec.secretRef]
object:
  apiVersion: source.toolkit.fluxcd.io/v1
  kind: HelmRepository
  metadata: {name: a, namespace: b}
  spec: {interval: 1h, type: oci, url: "oci://registry.example/charts", secretRef: {name: pull}}
---
typo_at: ["", metadata, spec, spec.ref, spec.verify]
object:
  apiVersion: source.toolkit.fluxcd.io/OCI_VERSION
  kind: OCIRepository
  metadata: {name: a, namespace: b}
  spec: {interval: 1h, url: "oci://registry.example/charts/x", ref: {semver: ">=1.0.0"}, verify: {provider: cosign}}
---
typo_at: ["", metadata, spec]
object:
  apiVersion: source.toolkit.fluxcd.io/v1
  kind: HelmChart
  metadata: {name: a, namespace: b}
  spec: {interval: 1h, chart: x, sourceRef: {kind: HelmRepository, name: a}}
---
typo_at: ["", metadata, spec, spec.sourceRef, spec.postBuild, spec.dependsOn.0, spec.patches.0, spec.healthChecks.0]
object:
  apiVersion: kustomize.toolkit.fluxcd.io/v1
  kind: Kustomization
  metadata: {name: a, namespace: b}
  spec:
    interval: 10m
    path: ./tenants
    prune: true
    wait: true
    timeout: 3m
    serviceAccountName: a
    sourceRef: {kind: GitRepository, name: a}
    dependsOn: [{name: c}]
    decryption: {provider: sops, secretRef: {name: age}}
    postBuild: {substitute: {a: b}, substituteFrom: [{kind: ConfigMap, name: vars}]}
    patches: [{patch: "- op: remove", target: {kind: Deployment}}]
    healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: a, namespace: b}]
---
typo_at: ["", metadata, spec, spec.chart.spec, spec.install, spec.upgrade.remediation, spec.valuesFrom.0]
object:
  apiVersion: helm.toolkit.fluxcd.io/v2
  kind: HelmRelease
  metadata: {name: a, namespace: b}
  spec:
    interval: 10m
    releaseName: a
    dependsOn: [{name: c, namespace: d}]
    chart: {spec: {chart: x, version: 1.x, sourceRef: {kind: HelmRepository, name: a, namespace: b}}}
    install: {crds: Create, remediation: {retries: 3}}
    upgrade: {crds: CreateReplace, remediation: {retries: 3, strategy: rollback}}
    driftDetection: {mode: enabled}
    valuesFrom: [{kind: Secret, name: a, valuesKey: values.yaml}]
    values: {any: {thing: [1, two, null]}}
---
typo_at: ["", metadata, spec, spec.chartRef]
object:
  apiVersion: helm.toolkit.fluxcd.io/v2
  kind: HelmRelease
  metadata: {name: a, namespace: b}
  spec: {interval: 10m, chartRef: {kind: OCIRepository, name: a}}
---
typo_at: ["", metadata, spec, spec.eventSources.0]
object:
  apiVersion: notification.toolkit.fluxcd.io/v1beta3
  kind: Alert
  metadata: {name: a, namespace: b}
  spec: {providerRef: {name: a}, eventSeverity: error, eventSources: [{kind: Kustomization, name: "*"}]}
---
typo_at: ["", metadata, spec]
object:
  apiVersion: notification.toolkit.fluxcd.io/v1beta3
  kind: Provider
  metadata: {name: a, namespace: b}
  spec: {type: generic, address: "https://hook.example", secretRef: {name: a}}
---
typo_at: ["", metadata, spec, spec.resources.0]
object:
  apiVersion: notification.toolkit.fluxcd.io/v1
  kind: Receiver
  metadata: {name: a, namespace: b}
  spec: {type: generic, secretRef: {name: a}, resources: [{kind: GitRepository, name: a}]}
---
typo_at: ["", metadata, spec, spec.serviceAllocation]
object:
  apiVersion: metallb.io/v1beta1
  kind: IPAddressPool
  metadata: {name: a, namespace: metallb-system}
  spec: {addresses: [192.0.2.0/28], autoAssign: false, serviceAllocation: {priority: 1, namespaces: [a]}}
---
typo_at: ["", metadata, spec, spec.nodeSelectors.0]
object:
  apiVersion: metallb.io/v1beta1
  kind: L2Advertisement
  metadata: {name: a, namespace: metallb-system}
  spec: {ipAddressPools: [a], interfaces: [eth0], nodeSelectors: [{matchLabels: {a: b}}]}
"""


def examples(text: str) -> list[tuple[str, Object, list[str]]]:
    """Line, object and places for a typo, of each document, for each release line."""
    for name, value in TEXTS.items():
        text = text.replace(name, value)
    return [
        (line, document["object"], document["typo_at"])
        for line in LINES
        for document in yaml.safe_load_all(text.replace("OCI_VERSION", OCI_VERSIONS[line]))
    ]


EXAMPLES = examples(CORE) + examples(CUSTOM)
NAMES = [f"{line}-{item['kind']}" for line, item, _unused in EXAMPLES]


def example(kind: str, line: str = "1.35") -> Object:
    """A copy of the example of a kind."""
    return next(copy.deepcopy(item) for of_line, item, _unused in EXAMPLES if of_line == line and item["kind"] == kind)


def node(item: Any, place: str) -> Any:
    """The part of an object at a dotted place."""
    for step in place.split(".") if place else ():
        item = item[int(step)] if isinstance(item, list) else item[step]
    return item


def changed(kind: str, place: str, value: Any, line: str = "1.35") -> Object:
    """The example of a kind with another value at a dotted place; without that place if the value is `...`."""
    item = example(kind, line)
    parent, _unused, last = place.rpartition(".")
    where = node(item, parent)
    if value is ...:
        del where[last]
    else:
        where[int(last) if isinstance(where, list) else last] = value
    return item

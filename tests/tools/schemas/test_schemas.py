# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the schema check itself: each kind with a good example, and what must be found in bad ones."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from . import LINES, CrdError, UnknownLine, crds, problems, sources
from .core import object_schema
from .structural import json_schema

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


@pytest.mark.parametrize(("line", "item", "typo_at"), EXAMPLES, ids=NAMES)
def test_good_object_has_no_problem(line: str, item: Object, typo_at: list[str]) -> None:
    assert typo_at
    assert problems([item], line) == []


@pytest.mark.parametrize(("line", "item", "typo_at"), EXAMPLES, ids=NAMES)
def test_unknown_field_is_found_where_it_is(line: str, item: Object, typo_at: list[str]) -> None:
    for place in typo_at:
        bad = copy.deepcopy(item)
        node(bad, place)["tpyo"] = "x"
        found = problems([bad], line)
        path = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in place.split(".") if step)
        assert len(found) == 1, place
        assert found[0].startswith(f"{item['kind']} "), place
        assert f" ${path}: " in found[0], place
        assert "'tpyo' was unexpected" in found[0], place


BAD = [
    ("GitRepository", "spec.url", ..., "$.spec: 'url' is a required property"),
    ("GitRepository", "spec.interval", "1 minute", "$.spec.interval: '1 minute' does not match"),
    ("GitRepository", "spec.interval", "1m\n", "$.spec.interval: "),
    ("GitRepository", "spec.interval", None, "$.spec.interval: None is not of type 'string'"),
    ("GitRepository", "spec.url", "ftp://git.example", "$.spec.url: "),
    ("HelmRepository", "spec.type", "git", "$.spec.type: 'git' is not one of"),
    ("OCIRepository", "spec.verify.provider", "gpg", "$.spec.verify.provider: "),
    ("Kustomization", "spec.prune", "yes", "$.spec.prune: 'yes' is not of type 'boolean'"),
    ("Kustomization", "spec.sourceRef.kind", "HelmRepository", "$.spec.sourceRef.kind: "),
    ("Kustomization", "spec.postBuild.substitute", {"a": 1}, "$.spec.postBuild.substitute.a: 1 is not of type"),
    ("HelmRelease", "spec.install.crds", "Make", "$.spec.install.crds: "),
    ("HelmRelease", "spec.install.remediation.retries", "3", "$.spec.install.remediation.retries: "),
    ("Alert", "spec.eventSeverity", "warn", "$.spec.eventSeverity: "),
    ("Provider", "spec.type", "pager", "$.spec.type: "),
    ("Receiver", "spec.resources", ..., "$.spec: 'resources' is a required property"),
    ("IPAddressPool", "spec.addresses", "192.0.2.0/28", "$.spec.addresses: "),
    ("L2Advertisement", "spec.interfaces", [1], "$.spec.interfaces[0]: "),
    ("ConfigMap", "data", {"a": 1}, "$.data.a: 1 is not of type 'string'"),
    ("ConfigMap", "metadata.name", ..., "$.metadata: 'name' is a required property"),
    ("ConfigMap", "metadata.labels", {"a": True}, "$.metadata.labels.a: True is not of type 'string'"),
    ("ConfigMap", "metadata", None, "$.metadata: None is not of type 'object'"),
    ("ConfigMap", "metadata", ..., "$: 'metadata' is a required property"),
    ("Service", "spec.ports.0.port", "80", "$.spec.ports[0].port: "),
    ("Service", "spec.ports.0.targetPort", 1.5, "$.spec.ports[0].targetPort: "),
    ("Deployment", "spec.selector", ..., "$.spec: 'selector' is a required property"),
    ("Deployment", "spec.replicas", True, "$.spec.replicas: True is not of type 'integer'"),
    ("RoleBinding", "roleRef", ..., "$: 'roleRef' is a required property"),
    ("Role", "apiVersion", "rbac.example.org/v1", "$: unknown kind Role of rbac.example.org/v1"),
    ("Role", "apiVersion", "rbac.authorization.k8s.io/v1beta1", "$: unknown kind "),
    ("Role", "apiVersion", ..., "$: apiVersion and kind must be given"),
    ("Role", "apiVersion", "../v1", "$: unknown kind "),
    ("Role", "kind", "role", "$: unknown kind role"),
    ("Deployment", "kind", "DeploymentSpec", "$: unknown kind DeploymentSpec"),
    ("GitRepository", "kind", "GitRepo", "$: unknown kind GitRepo"),
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("kind", "place", "value", "expected"), BAD, ids=[f"{row[0]}-{row[1]}" for row in BAD])
def test_bad_value_is_found(kind: str, place: str, value: Any, expected: str, line: str) -> None:
    found = problems([changed(kind, place, value, line)], line)
    assert len(found) == 1
    assert expected in found[0]


def test_all_problems_of_all_objects_are_told() -> None:
    first = changed("Deployment", "spec.replicas", "2")
    first["spec"]["template"]["spec"]["containers"][0]["img"] = "x"
    first["metadata"]["label"] = {}
    second = changed("ClusterRole", "rules.0.verbs", "get")
    found = problems([first, example("Secret"), second], "1.35")
    assert [text.split(": ")[:2] for text in found] == [
        ["Deployment b/a", "$.metadata"],
        ["Deployment b/a", "$.spec.replicas"],
        ["Deployment b/a", "$.spec.template.spec.containers[0]"],
        ["ClusterRole a", "$.rules[0].verbs"],
    ]


def test_what_is_no_object_is_a_problem() -> None:
    broken: list[Any] = [None, {}, {"kind": "Secret", "metadata": ["a"]}]
    assert [text.split(":")[0] for text in problems(broken, "1.30")] == ["?", "? ?", "Secret ?"]


def test_a_generated_name_is_a_name() -> None:
    assert problems([changed("ConfigMap", "metadata", {"generateName": "a-"})], "1.30") == []


def test_long_values_do_not_flood_the_message() -> None:
    (found,) = problems([changed("ConfigMap", "data", "x" * 10_000)], "1.30")
    assert len(found) < 500


def test_unknown_release_line() -> None:
    with pytest.raises(UnknownLine, match=r"1\.29.*1\.30, 1\.35"):
        problems([], "1.29")


@pytest.mark.parametrize(("line", "other"), [("1.30", "1.35"), ("1.35", "1.30")])
def test_lines_differ_in_the_version_of_oci_repository(line: str, other: str) -> None:
    (found,) = problems([example("OCIRepository", other)], line)
    assert "unknown kind OCIRepository" in found


def test_lines_differ_in_fields() -> None:
    release = changed("HelmRelease", "spec.install", {"strategy": {"name": "RetryOnFailure"}})
    advertisement = changed("L2Advertisement", "spec.serviceSelectors", [{"matchLabels": {"a": "b"}}])
    assert problems([release, advertisement], "1.35") == []
    assert len(problems([release, advertisement], "1.30")) == 2


@pytest.mark.parametrize(("line", "item", "typo_at"), examples(CORE), ids=NAMES[: len(examples(CORE))])
def test_kubernetes_validate_agrees(line: str, item: Object, typo_at: list[str]) -> None:
    assert kubernetes_validate.validate(item, line, strict=True) == line
    bad = copy.deepcopy(item)
    node(bad, typo_at[-1])["tpyo"] = "x"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(bad, line, strict=True)


def test_no_other_kubernetes_stands_in_for_a_missing_one() -> None:
    with pytest.raises(LookupError, match=r"no schemas of Kubernetes 1\.99"):
        object_schema("1.99", "v1", "Secret")


@pytest.mark.parametrize("line", LINES)
def test_the_crds_are_valid_themselves(line: str) -> None:
    assert problems(crds(line), line) == []


def test_many_objects_are_checked_in_seconds() -> None:
    good = [item for line, item, _unused in EXAMPLES if line == "1.35"]
    many = [good[number % len(good)] for number in range(5000)]
    start = time.monotonic()
    assert problems(many, "1.35") == []
    assert time.monotonic() - start < 15


STRUCTURAL: list[tuple[Mapping[str, Any], Object]] = [
    ({"type": "string"}, {"type": "string"}),
    ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^a\\Z"}),
    ({"type": "string", "pattern": "\\$"}, {"type": "string", "pattern": "\\$"}),
    ({"x-kubernetes-int-or-string": True}, {"type": ["integer", "string"]}),
    ({"x-kubernetes-int-or-string": True, "nullable": True}, {"type": ["integer", "string", "null"]}),
    ({"x-kubernetes-preserve-unknown-fields": True}, {}),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}),
    ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"type": "object"}),
    (
        {"type": "object", "additionalProperties": {"type": "object"}},
        {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": False}},
    ),
    (
        {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    ),
    (
        {"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"properties": {"a": {}}}]},
        {
            "type": "object",
            "properties": {"a": {}},
            "anyOf": [{"required": ["a"]}, {"properties": {"a": {}}}],
            "additionalProperties": False,
        },
    ),
    (
        {"type": "object", "x-kubernetes-embedded-resource": True},
        {
            "type": "object",
            "properties": {"apiVersion": {}, "kind": {}, "metadata": {}},
            "additionalProperties": False,
        },
    ),
    ({"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 2, "x-kubernetes-list-type": "set"},
     {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("structural", "expected"), STRUCTURAL)
def test_structural_schema(structural: Mapping[str, Any], expected: Object) -> None:
    assert json_schema(structural) == expected


class Maker:
    """Stands for the way from a Go module to its CRDs, and counts how often it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = 0
        self.fails = False

    def __call__(self, _workshop: object, module: str, version: str) -> list[Path]:
        self.calls += 1
        time.sleep(0.2)
        if self.fails:
            raise CrdError("no")
        path = self.folder / f"{self.calls}.yaml"
        path.write_text(f"{{metadata: {{name: {module}}}, version: {version}}}", encoding="utf-8")
        return [path]


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    monkeypatch.setenv("SP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "Workshop", lambda *_unused: None)
    return Maker(tmp_path)


def read(maker: Maker, version: str) -> list[sources.Crd]:
    cached = sources.Cached(sources.cache_root() / "flux-crds" / "9", {"m": version}, maker)
    return cached.read(lambda _unused: None)


def test_crds_are_made_once(maker: Maker) -> None:
    assert read(maker, "v1") == read(maker, "v1") == [{"metadata": {"name": "m"}, "version": "v1"}]
    assert maker.calls == 1


def test_crds_are_made_again_when_the_modules_change(maker: Maker) -> None:
    read(maker, "v1")
    assert [crd["version"] for crd in read(maker, "v2")] == ["v2"]
    assert maker.calls == 2


def test_failed_run_leaves_nothing_and_keeps_what_is_there(maker: Maker) -> None:
    read(maker, "v1")
    maker.fails = True
    with pytest.raises(CrdError):
        read(maker, "v2")
    assert sorted(path.name for path in (sources.cache_root() / "flux-crds").iterdir()) == [".lock", "9"]
    assert [crd["version"] for crd in read(maker, "v1")] == ["v1"]
    assert maker.calls == 2


def test_two_runs_do_not_make_the_crds_at_once(maker: Maker) -> None:
    threads = [threading.Thread(target=read, args=(maker, "v1")) for _unused in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert maker.calls == 1
    assert len(read(maker, "v1")) == 1

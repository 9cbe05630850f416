# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the schema check itself: each kind with a good example, and what must be found in bad ones."""

from __future__ import annotations

import copy
import time
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from . import LINES, UnknownLine, problems
from .core import object_schema
from .examples import CORE, EXAMPLES, NAMES, Object, changed, example, examples, node


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


def test_many_objects_are_checked_in_seconds() -> None:
    good = [item for line, item, _unused in EXAMPLES if line == "1.35"]
    many = [good[number % len(good)] for number in range(5000)]
    start = time.monotonic()
    assert problems(many, "1.35") == []
    assert time.monotonic() - start < 15

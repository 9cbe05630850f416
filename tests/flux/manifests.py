# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The install manifest of Flux, made of what its modules hold: what `flux install --export` prints.

flux2 describes it as a kustomization of the controllers' released manifests, which are their config folders; the few
transformations that it uses are done here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from .build import Built

Object = dict[str, Any]

NAMESPACE = "flux-system"
REGISTRY = "ghcr.io/fluxcd"
_CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace")


def install_manifest(built: Built) -> list[Object]:
    """All objects of an installation: namespace, definitions, rights, then the controllers."""
    base = built.sources["flux2"]
    objects = [*_read(base / "install" / "namespace.yaml")]
    for name in built.release.controllers:
        labels = {"app.kubernetes.io/component": name}
        config = built.sources[name]
        for path in (*sorted((config / "crd" / "bases").glob("*.yaml")), base / "bases" / name / "account.yaml"):
            objects += [_labelled(each, labels) for each in _read(path)]
        for path in sorted((config / "manager").glob("*.yaml")):
            if path.name != "kustomization.yaml":
                for each in _read(path):
                    if each["kind"] == "Deployment":
                        _patch(each, _read_patch(base / "bases" / name / "patch.yaml"))
                        _image(each, built.release.controllers[name])
                    objects.append(_labelled(each, labels))
    for part in ("rbac", "policies"):
        for path in sorted((base / part).glob("*.yaml")):
            if path.name != "kustomization.yaml":
                objects += _read(path)
    whole = {"app.kubernetes.io/instance": NAMESPACE, "app.kubernetes.io/part-of": "flux"}
    whole["app.kubernetes.io/version"] = f"v{built.release.version}"
    for each in objects:
        _labelled(each, whole)
        if each["kind"] not in _CLUSTER_WIDE:
            each["metadata"]["namespace"] = NAMESPACE
    last = ("Deployment",)
    return sorted(objects, key=lambda each: (each["kind"] in last, each["kind"] not in _CLUSTER_WIDE))


def text_of(built: Built) -> str:
    """The manifest as one YAML text."""
    return yaml.safe_dump_all(install_manifest(built), sort_keys=False)


def _read(path: Path) -> Iterator[Object]:
    yield from (each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each)


def _read_patch(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(path.read_text(encoding="utf-8")))


def _patch(target: Object, operations: list[dict[str, Any]]) -> None:
    """JSON patches that add, which are all there are."""
    for each in operations:
        assert each["op"] == "add", each
        *steps, last = each["path"].strip("/").split("/")
        place: Any = target
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            place.insert(len(place) if last == "-" else int(last), each["value"])
        else:
            place[last] = each["value"]


def _image(target: Object, version: str) -> None:
    container = target["spec"]["template"]["spec"]["containers"][0]
    container["image"] = f"{REGISTRY}/{container['image'].rpartition('/')[2]}:{version}"


def _labelled(target: Object, labels: dict[str, str]) -> Object:
    target["metadata"].setdefault("labels", {}).update(labels)
    if target["kind"] == "Deployment":
        target["spec"]["template"]["metadata"]["labels"].update(labels)
    return target

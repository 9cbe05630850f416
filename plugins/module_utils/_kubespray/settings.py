# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is to be built: its own settings, then the organisation's, then the defaults, with their places."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .._model.entities import Cluster, Settings
from .._model.errors import Where
from .._model.release_lines import KUBESPRAY_RELEASES, RELEASE_LINES, KubesprayRelease
from .._model.schema_kubernetes import KUBERNETES

#: Mappings whose keys are people's own; the lower level's mapping replaces the upper one's key by key all the same.
_OPEN = ("variables", "registry_mirrors")


@dataclass(frozen=True)
class Wishes:
    """The settings of one cluster.

    I(values) holds every key that is set or has a default, by its path (C(api.port)); I(places) where it was set.
    """

    cluster: Cluster
    kubernetes: str
    release: KubesprayRelease
    label_domain: str
    values: Mapping[str, t.Any]
    places: Mapping[str, Where]

    def get(self, path: str, default: t.Any = None) -> t.Any:
        return self.values.get(path, default)

    def where(self, path: str) -> Where:
        """Where I(path) was set, or where it could be."""
        if path in self.places:
            return self.places[path]
        where = Where("cluster_kubernetes", host=self.cluster.name)
        for key in path.split("."):
            where = where / key
        return where

    def below(self, path: str) -> dict[str, t.Any]:
        """The people's own keys below I(path)."""
        return {key[len(path) + 1 :]: value for key, value in self.values.items() if key.startswith(f"{path}.")}


def wishes(cluster: Cluster, settings: Settings, *, kubernetes: str = "", kubespray: str = "") -> Wishes:
    """The settings of I(cluster).

    @param kubernetes: build this version, a step of an upgrade, with the Kubespray of the tag I(kubespray).
    """
    values: dict[str, t.Any] = dict(_defaults(KUBERNETES["properties"]))
    places: dict[str, Where] = {}
    fleet = settings.values.get("fleet_kubernetes") or {}
    for given, base in (
        (fleet, Where("fleet_kubernetes")),
        (cluster.get("kubernetes", {}), Where("cluster_kubernetes", host=cluster.name)),
    ):
        for path, value, where in _leaves(given, KUBERNETES, base):
            values[path] = value
            places[path] = where
    line = RELEASE_LINES[cluster.release_line]
    return Wishes(
        cluster,
        kubernetes or values.get("version", line.kubernetes),
        KUBESPRAY_RELEASES[kubespray or line.kubespray],
        settings.label_domain,
        values,
        places,
    )


def _defaults(properties: Mapping[str, t.Any], prefix: str = "") -> Iterator[tuple[str, t.Any]]:
    for key, node in properties.items():
        if "default" in node:
            yield prefix + key, node["default"]
        elif "properties" in node:
            yield from _defaults(node["properties"], f"{prefix}{key}.")


def _leaves(given: Mapping[str, t.Any], node: Mapping[str, t.Any], where: Where) -> Iterator[tuple[str, t.Any, Where]]:
    for key, value in given.items():
        child = node.get("properties", {}).get(key, {})
        if key.startswith("_") and not child:
            continue
        if "properties" in child or key in _OPEN:
            inner = child if "properties" in child else {"properties": {name: {} for name in value}}
            for path, leaf, place in _leaves(value, inner, where / key):
                yield f"{key}.{path}", leaf, place
        else:
            yield key, value, where / key

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Released manifests in the tree: kept as they were published, so that every later run renders the same from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from .._model.entities import Cluster, Settings
from .._objects.common import Object
from .._objects.foundation import is_released, version_of
from .._objects.released import ManifestError, check, objects_of
from . import manifest, paths
from .disk import Disk
from .errors import TreeError

#: By service and version.
Texts = Mapping[tuple[str, str], str]


class Released:
    """The manifests that a tree can be made of.

    @param disk: a tree that holds those of earlier runs.
    @param given: those of this run; they go before the tree's.
    """

    def __init__(self, disk: Disk | None = None, given: Texts | None = None) -> None:
        self._disk, self._given = disk, dict(given or {})
        self._parsed: dict[tuple[str, str], list[Object]] = {}

    def text(self, service: str, version: str) -> str | None:
        """A manifest; None when there is none.

        @raises TreeError: the tree's is not what was written there.
        """
        key = (service, version)
        if key not in self._given and self._disk is not None:
            path = paths.vendor_file(service, version)
            found, known = self._disk.read(path), manifest.read(self._disk).get(path)
            if found is not None and known is not None:
                if hashlib.sha256(found).hexdigest() != known.content:
                    raise TreeError(
                        self._disk.full(path),
                        "it was changed after it was written, and is not the released manifest any more.",
                        f"Take it back from Git, or run the role {service} with the manifest.",
                    )
                self._given[key] = found.decode("utf-8")
        return self._given.get(key)

    def of(self, cluster: Cluster, settings: Settings) -> dict[str, list[Object]]:
        """What the released manifests of a cluster's services hold, by service.

        @raises TreeError: one of them is not there, or is not what it should be.
        """
        result = {}
        for service in sorted(cluster.services):
            if is_released(service, cluster, settings):
                result[service] = self._objects(service, cluster, settings)
        return result

    def _objects(self, service: str, cluster: Cluster, settings: Settings) -> list[Object]:
        version = version_of(service, cluster, settings)
        where = f"fleet_services.{service}"
        text = self.text(service, version)
        if text is None:
            raise TreeError(
                where,
                f"it has no repository, and the tree does not hold the released manifest of version {version}, which "
                f"{cluster.name} needs.",
                f"Run the playbook {service.replace('-', '_')} with the manifest, or set a repository.",
            )
        key = (service, version)
        try:
            if key not in self._parsed:
                self._parsed[key] = objects_of(text)
            check(self._parsed[key], service, version, settings.services[service].get("namespace", service))
        except ManifestError as error:
            raise TreeError(f"the manifest of {service}", error.what, error.fix) from None
        return self._parsed[key]

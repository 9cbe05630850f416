# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds the cluster serves, and where. Two requests where the API server offers aggregated discovery."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from .kinds import Kind
from .session import Session

_AGGREGATED = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
_ACCEPT = f"{_AGGREGATED},application/json"
_ABSENT = (403, 404, 406)


@dataclass(frozen=True)
class Resource:
    """A kind as the cluster serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Where its objects are, or one of them."""
        base = root(self.api_version)
        middle = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{base}{middle}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


def root(api_version: str) -> str:
    """The path of a group and version."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


class Discovery:
    """Reads what it is asked for, and again once when a kind is not there: a definition may just have been made."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._known: dict[Kind, Resource] = {}
        self._read: set[str] = set()
        self._refreshed: set[str] = set()
        self._aggregated = True

    def load(self, kinds: Iterable[Kind]) -> None:
        """Reads the groups and versions of some kinds."""
        versions = {version for version, _kind in kinds} - self._read
        for start in ("/api", "/apis"):
            needed = sorted(version for version in versions if root(version).startswith(f"{start}/"))
            if needed:
                self._load(start, needed)

    def find(self, api_version: str, kind: str, *, refresh: bool = True) -> Resource | None:
        """A kind, None when the cluster does not serve it."""
        wanted = (api_version, kind)
        with self._lock:
            # one aggregated answer holds every group
            if wanted not in self._known:
                self.load([wanted])
            subject = root(api_version).split("/")[1] if self._aggregated else api_version
            if wanted not in self._known and refresh and subject not in self._refreshed:
                self._refreshed.add(subject)
                self._read.discard(api_version)
                self.load([wanted])
            return self._known.get(wanted)

    def forget(self) -> None:
        """Read all of it again when it is asked for: more may be served by now."""
        with self._lock:
            self._known.clear()
            self._read.clear()
            self._refreshed.clear()

    def _load(self, start: str, versions: list[str]) -> None:
        if self._aggregated:
            answer = self._session.request("discover", "GET", start, accept=_ACCEPT, ok=_ABSENT)
            if answer.body.get("kind") == "APIGroupDiscoveryList":
                self._take(answer.body["items"])
                self._read.update(versions)
                return
            self._aggregated = False
        for version in versions:
            answer = self._session.request("discover", "GET", root(version), ok=_ABSENT)
            self._read.add(version)
            for each in answer.body.get("resources") or ():
                self._add(version, each["name"], each["kind"], bool(each["namespaced"]))

    def _take(self, groups: list[dict[str, t.Any]]) -> None:
        for group in groups:
            name = group["metadata"].get("name", "")
            for version in group.get("versions") or ():
                full = f"{name}/{version['version']}" if name else version["version"]
                for each in version.get("resources") or ():
                    # a stale group, whose backend is away, lists resources without a kind
                    kind = (each.get("responseKind") or {}).get("kind")
                    if kind:
                        self._add(full, each["resource"], kind, each.get("scope") == "Namespaced")

    def _add(self, version: str, plural: str, kind: str, namespaced: bool) -> None:
        if "/" not in plural:
            self._known.setdefault((version, kind), Resource(version, kind, plural, namespaced))

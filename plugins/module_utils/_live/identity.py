# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster is the one that is meant: its own facts say who it is, if it has any."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._objects.cluster import FACTS
from .._objects.common import FLUX_NAMESPACE, HOME_NAMESPACE
from .errors import LiveError
from .session import Session
from .snapshot import is_ours

_FORBIDDEN, _NOT_FOUND = 403, 404


def check_cluster(session: Session, expected: str) -> None:
    """Reads the facts, wherever its delivery has put them. Who may not read them is not stopped.

    @raises LiveError: it is another cluster.
    """
    for namespace in (HOME_NAMESPACE, FLUX_NAMESPACE):
        path = f"/api/v1/namespaces/{namespace}/configmaps/{FACTS}"
        answer = session.request("get", "GET", path, ok=(_FORBIDDEN, _NOT_FOUND))
        if answer.status not in (_FORBIDDEN, _NOT_FOUND):
            check_facts(session, [answer.body], expected)


def check_facts(session: Session, config_maps: Iterable[Mapping[str, t.Any]], expected: str) -> None:
    """The same, of ConfigMaps that have been read.

    @raises LiveError: it is another cluster.
    """
    for item in config_maps:
        name = (item.get("data") or {}).get("name")
        if item["metadata"]["name"] == FACTS and is_ours(item) and name not in (None, expected):
            raise LiveError(
                session.host,
                f"it is the cluster {name!r}, not {expected!r}. Nothing was written.",
                f"Correct cluster_kubeconfig or the kubeconfig of the task, or delete its ConfigMap {FACTS} if it was "
                "renamed.",
            )

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a live cluster: one LIST for each kind, nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from .._live.discovery import Discovery
from .._live.kinds import Kind
from .._live.listing import list_all
from .._live.session import Session
from .facts import KINDS, Object


def read_cluster(session: Session) -> list[Object]:
    """Everything that an import looks at, of all namespaces: rules name namespaces that are not imported.

    @raises LiveError: it cannot be read.
    """
    discovery = Discovery(session)
    discovery.load(KINDS)

    def read(kind: Kind) -> list[Object]:
        resource = discovery.find(*kind, refresh=False)
        return list_all(session, resource, selector="") if resource else []

    with ThreadPoolExecutor(max_workers=len(KINDS)) as pool:
        return [each for items in pool.map(read, KINDS) for each in items]

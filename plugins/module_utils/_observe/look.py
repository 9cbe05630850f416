# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the cluster, with one LIST for each kind."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._live.discovery import Discovery
from .._live.errors import LiveError
from .._live.kinds import MANAGED, NAMESPACE, SELECTOR, Kind
from .._live.listing import list_all
from .._live.session import Session

Object = dict[str, t.Any]
QUOTA: Kind = ("v1", "ResourceQuota")
LIMITS: Kind = ("v1", "LimitRange")
#: Of these, others' matter as well: they hold next to ours.
_WHOLE = (NAMESPACE, QUOTA, LIMITS)


@dataclass(frozen=True)
class Seen:
    """What there is of one kind.

    @param served: whether the cluster knows the kind at all.
    """

    items: tuple[Object, ...] = ()
    served: bool = True
    error: LiveError | None = None


def look(session: Session, kinds: Iterable[Kind], *, parallel: int = 8) -> dict[Kind, Seen]:
    """Reads some kinds and those that we manage.

    @raises LiveError: the namespaces cannot be read.
    """
    wanted = sorted({*kinds, *MANAGED, NAMESPACE})
    discovery = Discovery(session)
    discovery.load(wanted)

    def read(kind: Kind) -> Seen:
        try:
            resource = discovery.find(*kind, refresh=False)
            if resource is None:
                return Seen(served=False)
            return Seen(tuple(list_all(session, resource, selector="" if kind in _WHOLE else SELECTOR)))
        except LiveError as error:
            return Seen(error=error)

    with ThreadPoolExecutor(max_workers=parallel) as pool:
        seen = dict(zip(wanted, pool.map(read, wanted), strict=True))
    error = seen[NAMESPACE].error
    if error:
        raise error
    return seen

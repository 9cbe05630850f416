# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that change hands between pools in one commit: MetalLB refuses the taker while the giver still has them.

Flux tries all pools before it writes one, so it would try for ever.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

from .._libraries import load
from .._model.addresses import parse_range
from .._model.fleet import Fleet
from .._objects import metallb
from .._objects.foundation import CONFIGURATIONS
from . import paths
from .disk import Disk

if t.TYPE_CHECKING:
    import netaddr
    import yaml
else:
    netaddr, yaml = load("netaddr"), load("yaml")


def warnings(disk: Disk, fleet: Fleet, keep: Callable[[str], bool] | None) -> Iterator[str]:
    """What Flux could not apply, for each cluster that a run writes.

    @param keep: paths that stay as they are.
    """
    place = CONFIGURATIONS[metallb.METALLB]
    for name, cluster in sorted(fleet.clusters.items()):
        path = paths.cluster_folder(name, place.folder, place.file)
        if cluster.delivery != "gitops" or (keep and keep(path)):
            continue
        before = _pools(disk.read(path))
        for pool in metallb.pools(cluster) if before else ():
            addresses = _set(pool["addresses"])
            for giver, had in before.items():
                taken = addresses & had if giver != pool["name"] else netaddr.IPSet()
                if taken:
                    ranges = ", ".join(str(each) for each in taken.iter_cidrs())
                    yield (
                        f"{name}: the pool {pool['name']} takes {ranges}, which the pool {giver} has in the tree. Flux "
                        "applies both at once, and MetalLB refuses it while the other has them. Take them out of "
                        f"{giver} first, let Flux apply that, then give them to {pool['name']}."
                    )


def _pools(text: bytes | None) -> dict[str, netaddr.IPSet]:
    try:
        found = [each for each in yaml.safe_load_all(text or b"") if each]
        return {
            each["metadata"]["name"]: _set(each["spec"]["addresses"])
            for each in found
            if each["kind"] == "IPAddressPool"
        }
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        return {}  # somebody changed it, and it is about to be overwritten


def _set(ranges: list[str]) -> netaddr.IPSet:
    result = netaddr.IPSet()
    for each in ranges:
        result |= parse_range(each)
    return result

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example's machines as Ansible knows them, and the inventories that Kubespray would get, for tests."""

from __future__ import annotations

import copy
import datetime
import json
import os
import subprocess
import sys
import typing as t
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.machines import Inventory, is_of_machine
from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.plan import Plan, plan
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "inventories/example"
DAY = datetime.date(2026, 11, 21)

Values = dict[str, t.Any]


@cache
def _listed(folder: Path) -> Values:
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(folder), "--list"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return t.cast(Values, json.loads(done.stdout))


@cache
def machines(folder: Path = EXAMPLE) -> Inventory:
    """Groups with all their members, and the machines' variables."""
    listed = dict(_listed(folder))
    variables = listed.pop("_meta")["hostvars"]

    def members(group: str) -> list[str]:
        below = [host for child in listed.get(group, {}).get("children", ()) for host in members(child)]
        return list(dict.fromkeys([*listed.get(group, {}).get("hosts", ()), *below]))

    own = {host: {k: v for k, v in values.items() if is_of_machine(k)} for host, values in variables.items()}
    return Inventory({group: members(group) for group in listed}, own)


@cache
def _source(folder: Path) -> Source:
    return read_source(folder)[0]


def on_line(clusters: Values, line: str) -> None:
    """Puts every cluster on a release line, without what only the other line can do."""
    for values in clusters.values():
        values["cluster_release_line"] = line
        values.pop("cluster_services", None)  # a chart may have no version for the other line
        kubernetes = values.setdefault("cluster_kubernetes", {})
        kubernetes.pop("version", None)
        if line == "1.30" and kubernetes.get("proxy_mode") == "nftables":
            del kubernetes["proxy_mode"]


def planned(
    line: str = "",
    change: Callable[[Values, dict[str, list[str]], dict[str, Values]], None] | None = None,
    only: tuple[str, ...] = (),
) -> Plan:
    """The example's plan.

    @param line: put every cluster on this release line.
    @param change: changes the clusters' variables, the groups, and the machines' variables before.
    """
    source, inventory = _source(EXAMPLE), machines()
    clusters = copy.deepcopy(dict(source.clusters))
    groups = {name: list(hosts) for name, hosts in inventory.groups.items()}
    variables = copy.deepcopy({host: dict(values) for host, values in inventory.variables.items()})
    if line:
        on_line(t.cast(Values, clusters), line)
    if change:
        change(t.cast(Values, clusters), groups, variables)
    # environments take most of the time, and no part in this
    names = {key: {k: v for k, v in tenant.items() if k in ("id", "parent")} for key, tenant in source.tenants.items()}
    fleet = compile_fleet(Source(source.settings, names, clusters), today=DAY)
    result = plan(fleet, Inventory(groups, variables), only)
    result.problems.items[:0] = [p for p in fleet.problems if p.where.host]
    return result

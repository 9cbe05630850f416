#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and restarts of a Patroni cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: patroni_cluster
short_description: Configure, restart and switch a Patroni cluster
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Works on the cluster as a whole through Patroni's REST API; run it on one of its hosts.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  addresses:
    description:
      - Addresses of the members, by name.
    type: dict
    required: true
  port:
    description:
      - Port of the REST API.
    type: int
    default: 8008
  ca:
    description:
      - Certificate of the authority.
    type: path
    required: true
  certificate:
    description:
      - Certificate to show.
    type: path
    required: true
  key:
    description:
      - Its key.
    type: path
    required: true
  state:
    description:
      - With V(ready), waits until all members run. With V(configured), changes the settings of the whole cluster, and
        restarts the members for which a new setting needs it, one at a time and the leader last.
      - With V(switched), lets O(candidate) lead, or the synchronous follower, when O(leader) leads now.
    type: str
    choices: [ready, configured, switched]
    required: true
  settings:
    description:
      - Settings for V(configured), as in Patroni's dynamic configuration. Of C(postgresql.parameters) and C(slots),
        those that are not given are removed.
    type: dict
    default: {}
  restart:
    description:
      - Whether V(configured) restarts members; else it tells which ones wait for it.
    type: bool
    default: true
  synchronous:
    description:
      - Whether a follower has to be synchronous before anything goes on.
    type: bool
    default: true
  leader:
    description:
      - Who shall not lead any more, for V(switched).
    type: str
  candidate:
    description:
      - Who shall lead instead.
    type: str
  timeout:
    description:
      - Seconds to wait for each step.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Log slow statements
  k8s.self_provisioning.patroni_cluster:
    addresses: {db1: 10.0.0.1, db2: 10.0.0.2, db3: 10.0.0.3}
    ca: /etc/databases/ca.crt
    certificate: /etc/databases/host.crt
    key: /etc/databases/host.key
    state: configured
    settings: {postgresql: {parameters: {log_min_duration_statement: 1s}}}
"""

RETURN = r"""
leader:
  description: Who leads.
  returned: always
  type: str
  sample: db1
changes:
  description: The settings that were changed; null for those that were removed.
  returned: always
  type: dict
  sample: {postgresql: {parameters: {work_mem: 16MB}}}
restarted:
  description: Members whose database was restarted, in this order.
  returned: always
  type: list
  elements: str
  sample: [db3, db2, db1]
pending:
  description: Members that still wait for a restart.
  returned: always
  type: list
  elements: str
  sample: []
"""

import json
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import patroni

#: A setting that a follower needs as large as its leader's is settled in two rounds.
_ROUNDS = 2


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "addresses": {"type": "dict", "required": True},
            "port": {"type": "int", "default": 8008},
            "ca": {"type": "path", "required": True},
            "certificate": {"type": "path", "required": True},
            "key": {"type": "path", "required": True, "no_log": False},
            "state": {"type": "str", "choices": ["ready", "configured", "switched"], "required": True},
            "settings": {"type": "dict", "default": {}},
            "restart": {"type": "bool", "default": True},
            "synchronous": {"type": "bool", "default": True},
            "leader": {"type": "str"},
            "candidate": {"type": "str"},
            "timeout": {"type": "int", "default": 120},
        },
        required_if=[("state", "switched", ["leader"])],
        supports_check_mode=True,
    )
    given = module.params
    result: dict[str, t.Any] = {"changed": False, "leader": "", "changes": {}, "restarted": [], "pending": []}
    try:
        files = given["ca"], given["certificate"], given["key"]
        cluster = patroni.Cluster(given["addresses"], given["port"], files, given["timeout"])
        {"ready": _ready, "configured": _configured, "switched": _switched}[given["state"]](module, cluster, result)
        members = cluster.members()
        result["leader"], result["pending"] = patroni.leader(members), _pending(members)
    except (patroni.PatroniError, OSError) as error:
        module.fail_json(msg=str(error), **result)
    module.exit_json(**result)


def _settle(module: AnsibleModule, cluster: patroni.Cluster) -> dict[str, dict[str, t.Any]]:
    count = len(module.params["addresses"])
    return cluster.wait_ready(count, synchronous=module.params["synchronous"] and count > 1)


def _ready(module: AnsibleModule, cluster: patroni.Cluster, result: dict[str, t.Any]) -> None:
    del result
    _settle(module, cluster)


def _configured(module: AnsibleModule, cluster: patroni.Cluster, result: dict[str, t.Any]) -> None:
    now = cluster.config()
    changes = patroni.patch(now, module.params["settings"])
    result["changes"] = changes
    if changes:
        result["changed"] = True
        result["diff"] = {"before": _shown(_part(now, changes)), "after": _shown(changes)}
        if module.check_mode:
            return
        cluster.change(changes)
        # A member reads them once in every round of its own, and only then knows whether it has to restart.
        time.sleep(2 * int(module.params["settings"].get("loop_wait", now.get("loop_wait", 10))) + 1)
    for _unused in range(_ROUNDS):
        waiting = _pending(cluster.members())
        if not waiting or not module.params["restart"]:
            return
        result["changed"] = True
        if module.check_mode:
            result["restarted"] = waiting
            return
        for name in patroni.followers_first(_settle(module, cluster)):
            if name in waiting:
                cluster.restart(name)
                result["restarted"].append(name)
                _settle(module, cluster)
    if _pending(cluster.members()):
        raise patroni.PatroniError(f"{', '.join(_pending(cluster.members()))} still wait for a restart.")


def _switched(module: AnsibleModule, cluster: patroni.Cluster, result: dict[str, t.Any]) -> None:
    members = _settle(module, cluster)
    old = module.params["leader"]
    if patroni.leader(members) != old:
        return
    followers = [name for name, each in members.items() if each["role"] == "sync_standby"]
    others = followers or [name for name in members if name != old]
    new = module.params["candidate"] or next(iter(others), "")
    if not new:
        raise patroni.PatroniError(f"There is nobody but {old}.")
    result["changed"] = True
    if not module.check_mode:
        cluster.switch(old, new)
        _settle(module, cluster)


def _pending(members: t.Mapping[str, t.Any]) -> list[str]:
    return [name for name in patroni.followers_first(members) if members[name].get("pending_restart")]


def _part(have: t.Any, changes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What stands now where something is going to change."""
    return {
        key: _part(have[key], value) if isinstance(value, dict) and isinstance(have.get(key), dict) else have[key]
        for key, value in changes.items()
        if key in have
    }


def _shown(values: t.Any) -> str:
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    main()

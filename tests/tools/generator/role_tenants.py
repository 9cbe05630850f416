# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role tenants. Defaults are those of its C(defaults/main.yml)."""

from __future__ import annotations

import typing as t

from .role_types import Entry, Options, Role

_COMMON: Options = {
    "tenants_tree": {
        "type": "path",
        "default": "",
        "description": [
            "The folder of the fleet tree, as a whole path: a Git repository, or a folder inside one, and outside the "
            "inventory. It has to be set.",
        ],
    },
    "tenants_inventory": {
        "type": "path",
        "default": "",
        "description": [
            "An inventory folder to read instead of the variables of this run. Nothing in it is templated or run.",
        ],
    },
    "tenants_today": {
        "type": "str",
        "default": "",
        "description": [
            "The day, as C(YYYY-MM-DD), for which grants count and placements are decided. By default today in UTC.",
        ],
    },
}
_BRAKE: Options = {
    "tenants_prune_limit": {
        "type": "str",
        "default": "30%",
        "description": [
            "Refuse to remove more than this: a number, or a share. In the fleet tree of tenants, environments and "
            "clusters each (one tenant, one cluster and three environments are always allowed), on live clusters of "
            "objects of ours (ten are always allowed).",
        ],
    },
    "tenants_confirm_deletion": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "Names that may go. In the fleet tree, tenants, namespaces and clusters, which then do not count against "
            "O(tenants_prune_limit); the last tenant and the last cluster only go so.",
            "On live clusters, namespaces that may be deleted in this run. Only those whose deletion policy is "
            "V(delete) are, and only where the live run prunes.",
        ],
    },
}
_WHERE: Options = {
    **_COMMON,
    "tenants_lock_timeout": {
        "type": "int",
        "default": 60,
        "description": ["Seconds to wait for another run on the same tree."],
    },
    **_BRAKE,
}
_DELIVERY: Options = {
    "tenants_commit": {
        "type": "bool",
        "default": True,
        "description": [
            "Commit what was written. The folder must belong to a Git repository then, unless O(tenants_init=true).",
        ],
    },
    "tenants_init": {
        "type": "bool",
        "default": False,
        "description": ["Make the folder a Git repository when it belongs to none. Needs O(tenants_commit=true)."],
    },
    "tenants_push": {
        "type": "bool",
        "default": False,
        "description": [
            "Push the branch that is checked out, also when there was nothing to commit. Needs O(tenants_commit=true).",
        ],
    },
    "tenants_remote": {
        "type": "str",
        "default": "origin",
        "description": ["Where to push: the name of a remote of the repository, or an address."],
    },
    "tenants_branch": {
        "type": "str",
        "default": "",
        "description": [
            "The branch that has to be checked out; by default whichever is. Also the first branch of a new "
            "repository, by default V(main).",
        ],
    },
    "tenants_author_name": {
        "type": "str",
        "default": "",
        "description": ["Author of the commit, by default whom Git is configured with, else V(k8s.self_provisioning)."],
    },
    "tenants_author_email": {
        "type": "str",
        "default": "",
        "description": [
            "Address of the author, by default what Git is configured with, else V(self-provisioning@localhost).",
        ],
    },
    "tenants_record_placements": {
        "type": "bool",
        "default": False,
        "description": [
            "Write placements that were decided now into the tenant files as well, keeping their comments. They are "
            "recorded in the tree in any case.",
        ],
    },
    "tenants_report": {
        "type": "str",
        "choices": ["none", "plan", "summary"],
        "default": "summary",
        "description": [
            "What to print for people. V(summary) sums up the fleet, V(plan) tells what changes for whom and what it "
            "costs.",
        ],
    },
}

_TREE_OF_LIVE: dict[str, t.Any] = {
    "type": "path",
    "default": "",
    "description": [
        "The folder of the fleet tree whose recorded placements hold. It may be left out when every placement on the "
        "cluster is declared in the tenant files. One that is neither declared nor recorded there is refused, because "
        "a later run could decide otherwise and make a second copy.",
    ],
}
_LIVE: Options = {
    "tenants_only": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "Only these tenants; by default all. Only for clusters that are delivered live: the fleet tree is always "
            "whole, and a run that would write it stops when this is set.",
        ],
    },
    "tenants_prune": {
        "type": "bool",
        "default": False,
        "description": [
            "Remove objects of ours that the inventory no longer declares. Namespaces stay, see "
            "O(tenants_confirm_deletion).",
        ],
    },
    **_BRAKE,
    "tenants_force_conflicts": {
        "type": "bool",
        "default": False,
        "description": ["Take fields over that another field manager applies. By default such conflicts are shown."],
    },
    "tenants_wait": {"type": "bool", "default": False, "description": ["Wait until everything is in effect."]},
    "tenants_wait_timeout": {"type": "int", "default": 120, "description": ["Seconds to wait in all."]},
    "tenants_parallel": {"type": "int", "default": 8, "description": ["Requests under way at once, by cluster."]},
}

TENANTS = Role(
    title="Tenants, quotas and rights of the whole fleet",
    entries={
        "main": Entry(
            "Bring the fleet tree to what the inventory declares",
            (
                "Compiles tenants, clusters and settings of the inventory and writes the Git tree that Flux reads, "
                "in one task for all clusters. Runs on the controller and contacts no cluster.",
                "When only some hosts of the group C(clusters) are in the play, only their folders are written.",
                "When the inventory has an error, every error is told and nothing is written.",
            ),
            {**_WHERE, **_DELIVERY},
        ),
        "plan": Entry(
            "Tell what the role would change, and change nothing",
            ("Tells per tenant and cluster what would change, the account, and what a month costs.",),
            _WHERE,
        ),
        "capacity": Entry(
            "Measure clusters that declare no capacity",
            (
                "Sets C(cluster_capacity) for this run to what M(k8s.self_provisioning.capacity_info) finds, for "
                "every cluster that has C(cluster_kubeconfig) and no C(cluster_capacity), all at once and whether "
                "it is in the play or not: where anything is placed depends on all of them.",
                "One that cannot be reached is a warning.",
            ),
            {"tenants_inventory": _COMMON["tenants_inventory"]},
        ),
        "live": Entry(
            "Reconcile one cluster that is delivered live",
            (
                "Talks to the API server of the cluster that it runs for, which must have C(cluster_delivery=live) "
                "and C(cluster_kubeconfig).",
                "A failure on one object or namespace does not stop the others; the result names each.",
            ),
            {**_COMMON, "tenants_tree": _TREE_OF_LIVE, "tenants_report": _DELIVERY["tenants_report"], **_LIVE},
        ),
    },
    reads_settings=True,
    example="""\
- name: Bring the fleet tree up to date
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Write and commit
      ansible.builtin.include_role:
        name: k8s.self_provisioning.tenants
      vars:
        tenants_tree: /srv/fleet
      run_once: true
""",
)

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of our roles that do not come from the schema. Defaults are those of C(defaults/main.yml)."""

from __future__ import annotations

from .role_options_flux import FLUX_BOOTSTRAP
from .role_types import Entry, Options, Role

__all__ = ["ROLES", "Entry", "Options", "Role"]

_COMMON: Options = {
    "tenants_tree": {
        "type": "path",
        "default": "",
        "description": [
            "The folder of the fleet tree: a Git repository, or a folder inside one. It has to be set.",
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
_WHERE: Options = {
    **_COMMON,
    "tenants_lock_timeout": {
        "type": "int",
        "default": 60,
        "description": ["Seconds to wait for another run on the same tree."],
    },
}
_DELIVERY: Options = {
    "tenants_commit": {
        "type": "bool",
        "default": True,
        "description": ["Commit what was written, when the folder belongs to a Git repository."],
    },
    "tenants_init": {
        "type": "bool",
        "default": False,
        "description": ["Make the folder a Git repository when it belongs to none."],
    },
    "tenants_push": {"type": "bool", "default": False, "description": ["Push after committing."]},
    "tenants_remote": {"type": "str", "default": "origin", "description": ["Where to push."]},
    "tenants_branch": {
        "type": "str",
        "default": "main",
        "description": ["The branch to push to, and the first branch of a new repository."],
    },
    "tenants_author_name": {
        "type": "str",
        "default": "k8s.self_provisioning",
        "description": ["Author of the commit."],
    },
    "tenants_author_email": {
        "type": "str",
        "default": "self-provisioning@localhost",
        "description": ["Address of the author."],
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

_LIVE: Options = {
    "tenants_only": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["Only these tenants; by default all."],
    },
    "tenants_prune": {
        "type": "bool",
        "default": False,
        "description": [
            "Remove objects of ours that the inventory no longer declares. Namespaces stay, see "
            "O(tenants_confirm_deletion).",
        ],
    },
    "tenants_prune_limit": {
        "type": "str",
        "default": "30%",
        "description": ["Refuse to remove more than this: a number, or a share of the objects of ours."],
    },
    "tenants_confirm_deletion": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "Namespaces that may be deleted in this run. Only those whose deletion policy is V(delete) are, and only "
            "with O(tenants_prune).",
        ],
    },
    "tenants_force_conflicts": {
        "type": "bool",
        "default": False,
        "description": ["Take fields over that another field manager applies. By default such conflicts are shown."],
    },
    "tenants_wait": {"type": "bool", "default": False, "description": ["Wait until everything is in effect."]},
    "tenants_wait_timeout": {"type": "int", "default": 120, "description": ["Seconds to wait in all."]},
    "tenants_parallel": {"type": "int", "default": 8, "description": ["Requests under way at once, by cluster."]},
}

ROLES: dict[str, Role] = {
    "tenants": Role(
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
            "live": Entry(
                "Reconcile one cluster that is delivered live",
                (
                    "Talks to the API server of the cluster that it runs for, which must have C(cluster_delivery=live) "
                    "and C(cluster_kubeconfig).",
                    "A failure on one object or namespace does not stop the others; the result names each.",
                ),
                {**_COMMON, "tenants_report": _DELIVERY["tenants_report"], **_LIVE},
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
    ),
    "flux_bootstrap": FLUX_BOOTSTRAP,
}

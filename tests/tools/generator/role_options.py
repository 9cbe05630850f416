# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of our roles that do not come from the schema. Defaults are those of C(defaults/main.yml)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Options = dict[str, dict[str, t.Any]]


@dataclass(frozen=True)
class Entry:
    """A way into a role: C(main), or a file for C(tasks_from)."""

    short: str
    description: tuple[str, ...]
    options: Options


@dataclass(frozen=True)
class Role:
    """A role. I(reads_settings): it reads the organisation's settings."""

    title: str
    entries: dict[str, Entry]
    reads_settings: bool
    example: str


_WHERE: Options = {
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
}

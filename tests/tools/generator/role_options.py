# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of our roles that do not come from the schema. Defaults are those of C(defaults/main.yml)."""

from __future__ import annotations

import typing as t

from .role_host_baseline import HOST_BASELINE
from .role_options_flux import FLUX_BOOTSTRAP
from .role_postgresql import POSTGRESQL
from .role_types import Entry, Options, Role

__all__ = ["ROLES", "Entry", "Options", "Role"]

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

_RELEASE: Options = {
    "release_clusters": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["Only these clusters; by default all of the inventory."],
    },
    "release_today": {
        "type": "str",
        "default": "",
        "description": ["The day, as C(YYYY-MM-DD), on which ends of life count. By default today in UTC."],
    },
}

_KUBESPRAY: Options = {
    "kubespray_action": {
        "type": "str",
        "choices": ["create", "scale", "upgrade", "remove_node", "reset", "recover_control_plane"],
        "default": "create",
        "description": ["What to do. See M(k8s.self_provisioning.kubespray)."],
    },
    "kubespray_directory": {
        "type": "path",
        "default": "~/.local/share/k8s.self_provisioning/clusters",
        "description": [
            "The folder that holds a folder for each cluster, with its inventory, credentials, logs and kubeconfig. "
            "It has to outlive the run; under AWX it has to be set."
        ],
    },
    "kubespray_source": {
        "type": "str",
        "default": "https://github.com/kubernetes-sigs/kubespray.git",
        "description": ["Where Kubespray comes from, a Git address or the path of a Git repository."],
    },
    "kubespray_commits": {
        "type": "dict",
        "default": {},
        "description": ["What tags of O(kubespray_source) must be, by tag, when it is a fork."],
    },
    "kubespray_requirements": {
        "type": "dict",
        "default": {},
        "description": ["Files with pinned requirements, by tag, to install instead of Kubespray's own."],
    },
    "kubespray_python": {
        "type": "str",
        "default": "",
        "description": [
            "The Python for Kubespray's environment. By default the first one found that the release works with."
        ],
    },
    "kubespray_pip_arguments": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["More arguments for pip, such as C(--index-url)."],
    },
    "kubespray_nodes": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "The machines that the action is about; needed by V(remove_node) and V(recover_control_plane)."
        ],
    },
    "kubespray_snapshot": {
        "type": "str",
        "default": "",
        "description": [
            "For V(recover_control_plane), the path of an etcd snapshot on the first machine of the control plane."
        ],
    },
    "kubespray_from_version": {
        "type": "str",
        "default": "",
        "description": ["The Kubernetes version that the cluster runs, when it was not built from here."],
    },
    "kubespray_confirm": {
        "type": "str",
        "default": "",
        "description": ["The name of the cluster, for actions that take something away."],
    },
    "kubespray_override_freeze": {
        "type": "str",
        "default": "",
        "description": ["The reason for doing it although the cluster is in one of its C(cluster_freeze_windows)."],
    },
    "kubespray_resume": {
        "type": "bool",
        "default": False,
        "description": ["Continue the last run of this action after the steps that it finished."],
    },
    "kubespray_force": {
        "type": "bool",
        "default": False,
        "description": ["Run V(create) although nothing changed."],
    },
    "kubespray_become": {
        "type": "bool",
        "default": True,
        "description": ["Become root on the machines."],
    },
    "kubespray_forks": {
        "type": "int",
        "default": 10,
        "description": ["Machines of one cluster at once."],
    },
    "kubespray_variables": {
        "type": "dict",
        "default": {},
        "description": ["Extra variables for Kubespray. They win over everything."],
    },
    "kubespray_arguments": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["More arguments for C(ansible-playbook)."],
    },
    "kubespray_progress": {
        "type": "int",
        "default": 15,
        "description": ["Seconds after which the running task is told. Plays and failures are always told."],
    },
    "kubespray_today": {
        "type": "str",
        "default": "",
        "description": ["The day, as C(YYYY-MM-DD), on which freeze windows count. By default today in UTC."],
    },
    "kubespray_clusters_at_once": {
        "type": "int",
        "default": 0,
        "description": ["Clusters at once; V(0) for as many as C(--forks) allows."],
    },
}

_BACKUP: Options = {
    "etcd_backup_cluster": {
        "type": "str",
        "default": "",
        "description": ["The cluster of the machine. By default the one whose group it is in."],
    },
    "etcd_backup_recipients": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": ["The age public keys that may read the backups. Needed, unless they are not encrypted."],
    },
    "etcd_backup_unencrypted": {
        "type": "bool",
        "default": False,
        "description": ["Leave the backups unencrypted. They hold every secret of the cluster."],
    },
}
_BACKUP_INSTALL: Options = {
    "etcd_backup_directory": {
        "type": "path",
        "default": "/var/backups/etcd",
        "description": ["Where the backups lie on the machine."],
    },
    "etcd_backup_schedule": {
        "type": "str",
        "default": "*-*-* 00/2:00:00",
        "description": ["When one is taken, in the words of systemd."],
    },
    "etcd_backup_keep": {
        "type": "int",
        "default": 84,
        "description": ["How many stay on the machine."],
    },
    "etcd_backup_extra_files": {
        "type": "list",
        "elements": "str",
        "default": ["/etc/kubernetes/ssl/secrets_encryption.yaml"],
        "description": ["Files that are kept with it. Without the keys of the encryption, the secrets cannot be read."],
    },
    "etcd_backup_copy_to": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "Where each backup is copied: mounted folders, or places of rsync such as C(user@host:/path). One "
            "that fails makes the backup fail."
        ],
    },
    "etcd_backup_ssh_options": {
        "type": "str",
        "default": "-o BatchMode=yes -o StrictHostKeyChecking=yes",
        "description": ["Options of ssh for the copies."],
    },
    "etcd_backup_packages": {
        "type": "list",
        "elements": "str",
        "default": ["age", "rsync"],
        "description": ["Packages that are installed for it."],
    },
    "etcd_backup_programs": {
        "type": "path",
        "default": "/usr/local/bin",
        "description": ["Where Kubespray put etcdctl and etcdutl."],
    },
    "etcd_backup_environment_file": {
        "type": "path",
        "default": "/etc/etcd.env",
        "description": ["Where Kubespray wrote the settings of the member."],
    },
    "etcd_backup_certificates": {
        "type": "path",
        "default": "/etc/ssl/etcd/ssl",
        "description": ["Where Kubespray put the certificates of etcd."],
    },
}
_RESTORE: Options = {
    "etcd_backup_archive": {
        "type": "path",
        "default": "",
        "description": ["The backup, on the controller."],
    },
    "etcd_backup_identity": {
        "type": "path",
        "default": "",
        "description": [
            "The file with the age key that reads it, on the controller. On the machines it is in memory only, and "
            "removed."
        ],
    },
    "etcd_backup_confirm": {
        "type": "str",
        "default": "",
        "description": ["The name of the cluster, typed."],
    },
    "etcd_backup_other_cluster": {
        "type": "bool",
        "default": False,
        "description": ["The backup may be one of another cluster."],
    },
}

ROLES: dict[str, Role] = {
    "etcd_backup": Role(
        title="Encrypted backups of etcd, verified and copied off the machine, and their restore",
        entries={
            "main": Entry(
                "Install the regular backup on a machine that runs etcd",
                (
                    "The leader of etcd takes a snapshot, restores it once to know that it can be, encrypts it with "
                    "the files without which it is of no use, keeps the newest ones, and copies it off the machine.",
                    "For etcd as a service of the machine, as Kubespray builds it with C(etcd.deployment=host).",
                ),
                {**_BACKUP, **_BACKUP_INSTALL},
            ),
            "now": Entry("Take a backup now", ("Needs that the backup was installed.",), _BACKUP),
            "restore": Entry(
                "Put the etcd of a cluster back to a backup",
                (
                    "Runs for all members of the etcd of one cluster at once. Stops the control plane, replaces the "
                    "data, and starts it again; the data of before are kept beside.",
                ),
                {**_BACKUP, **_RESTORE},
            ),
        },
        reads_settings=False,
        example="""\
- name: Back up the control planes
  hosts: etcd
  roles:
    - role: k8s.self_provisioning.etcd_backup
      vars:
        etcd_backup_recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
        etcd_backup_copy_to: [backup@hela-db3:/srv/etcd]
""",
    ),
    "host_baseline": HOST_BASELINE,
    "kubespray": Role(
        title="Clusters with Kubespray, from the same inventory as everything else",
        entries={
            "main": Entry(
                "Build, grow, upgrade, repair or remove a cluster",
                (
                    "Runs for a host of the group C(clusters). Checks the machines of all clusters first, shows the "
                    "difference of Kubespray's inventory, and runs Kubespray in an environment of its own.",
                    "Does nothing for a cluster that has no machines in the inventory.",
                    "The guide is in C(docs/guides/clusters.md).",
                ),
                _KUBESPRAY,
            ),
        },
        reads_settings=False,
        example="""\
- name: Build the clusters
  hosts: clusters
  connection: local
  gather_facts: false
  roles:
    - role: k8s.self_provisioning.kubespray
      vars:
        kubespray_directory: /var/lib/self-provisioning/clusters
""",
    ),
    "release": Role(
        title="The versions of each release line, and their end of life",
        entries={
            "main": Entry(
                "Read the versions, and warn about lines past their end of life",
                (
                    "Registers C(release_result) with C(lines), C(clusters) and C(ended), as "
                    "M(k8s.self_provisioning.release_info) returns them. No other role knows a version.",
                    "Warns once for each line that gets no more security fixes, with the upgrade path.",
                ),
                _RELEASE,
            ),
        },
        reads_settings=False,
        example="""\
- name: Show the Kubernetes version of every cluster
  hosts: clusters
  connection: local
  gather_facts: false
  roles:
    - k8s.self_provisioning.release
  tasks:
    - name: Show it
      ansible.builtin.debug:
        msg: "{{ release_result.lines[release_result.clusters[inventory_hostname]].kubernetes }}"
""",
    ),
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
            "capacity": Entry(
                "Measure clusters that declare no capacity",
                (
                    "Sets C(cluster_capacity) for this run to what M(k8s.self_provisioning.capacity_info) finds, for a "
                    "host that has C(cluster_kubeconfig) and no C(cluster_capacity). One that cannot be reached is a "
                    "warning.",
                ),
                {},
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
    ),
    "flux_bootstrap": FLUX_BOOTSTRAP,
    "postgresql": POSTGRESQL,
}

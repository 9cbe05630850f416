# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the role etcd_backup. Defaults are those of its C(defaults/main.yml)."""

from __future__ import annotations

from .role_types import Entry, Options, Role

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
    "etcd_backup_ssh_key": {
        "type": "str",
        "no_log": True,
        "default": "",
        "description": [
            "The private SSH key for the copies; keep it in a vault. By default what root has on the machine.",
        ],
    },
    "etcd_backup_ssh_known_hosts": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": [
            "Lines of C(known_hosts) for the copies, as C(ssh-keyscan) prints them. By default what root has there.",
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

ETCD_BACKUP = Role(
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
        "now": Entry("Take a backup now", ("Needs that the backup was installed.",), {**_BACKUP, **_BACKUP_INSTALL}),
        "restore": Entry(
            "Put the etcd of a cluster back to a backup",
            (
                "Runs for all members of the etcd of one cluster and its control plane at once. Makes the new data of "
                "every member first; when that fails anywhere, nothing was stopped. Then stops the control plane, "
                "switches the data, and starts it again; the data of before are kept beside.",
            ),
            {**_BACKUP, **_BACKUP_INSTALL, **_RESTORE},
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
)

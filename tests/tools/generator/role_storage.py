# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the roles ceph_csi and nfs_csi. Defaults are those of C(defaults/main.yml)."""

from __future__ import annotations

import typing as t

from .role_types import Entry, Options, Role


def _option(kind: str, default: t.Any, *description: str, **more: t.Any) -> dict[str, t.Any]:
    return {"type": kind, **more, "default": default, "description": list(description)}


def _common(role: str, drivers: str) -> Options:
    return {
        f"{role}_tree": _option(
            "path", "", "The folder of the fleet tree, as a whole path. Needed with C(cluster_delivery=gitops)."
        ),
        f"{role}_commit": _option("bool", False, "Commit what was written into the tree."),
        f"{role}_push": _option("bool", False, f"Push it as well. Needs O({role}_commit=true)."),
        f"{role}_kubeconfig": _option(
            "str",
            "",
            "Kubeconfig of an administrator, with C(cluster_delivery=live). By default C(cluster_kubeconfig).",
        ),
        f"{role}_manifests": _option(
            "list",
            [],
            f"Released manifests of {drivers}, for clusters without a chart. Each has C(service), C(manifest), a file "
            "or an address, and C(checksum), needed for an address. Without any, somebody else installs the drivers.",
            elements="dict",
        ),
        f"{role}_inventory": _option("path", "", "An inventory folder to read instead of the variables of this run."),
        f"{role}_reach": _option(
            "bool",
            True,
            "See from the controller whether the storage answers. Switch it off where only the nodes can reach it.",
        ),
        f"{role}_sops": _option("str", "sops", "The program SOPS, with C(cluster_delivery=gitops)."),
        f"{role}_wait_timeout": _option(
            "int", 300, "Seconds for the drivers to run, with C(cluster_delivery=live) and manifests."
        ),
        f"{role}_state": _option(
            "str",
            "present",
            "V(absent) takes the classes, their Secrets and the drivers of the manifests away; volumes stay. "
            "C(cluster_storage_classes) must not name the classes any more. It is refused while volumes need them. "
            "With C(cluster_delivery=gitops) Flux does it, and this writes the tree.",
            choices=["present", "absent"],
        ),
        f"{role}_confirm": _option(
            "str",
            "",
            "The name of the cluster, once more, for V(absent) with C(cluster_delivery=live). Without it the run tells "
            "which volumes need the storage.",
        ),
    }


CEPH_CSI = Role(
    title="Storage classes over Ceph, CephFS and RBD, with keys that open one class each",
    entries={
        "main": Entry(
            "Bring storage classes over Ceph",
            (
                "Writes where the monitors are, StorageClasses, snapshot classes and the users' keys of the classes in "
                "C(fleet_storage) that C(cluster_storage_classes) names, into the fleet tree or to the cluster, as "
                "C(cluster_delivery) says. Keys are encrypted with SOPS in the tree.",
                "Can create pools, file systems and users on Ceph. Nothing that holds data is ever removed.",
            ),
            {
                "ceph_csi_keys": _option(
                    "dict",
                    {},
                    "Keys of the classes' users by name, such as C(csi-cephfs), when Ceph is not asked for them. Take "
                    "them from a vault.",
                ),
                "ceph_csi_admin_hosts": _option(
                    "dict",
                    {},
                    "For each Ceph cluster of C(fleet_storage.ceph) a host with an administrator's keyring. There the "
                    "keys are read, and with O(ceph_csi_manage=true) what is missing is created.",
                ),
                "ceph_csi_manage": _option(
                    "bool",
                    False,
                    "Create pools, file systems, subvolume groups and users, and give users exactly the rights that "
                    "Ceph CSI documents.",
                ),
                "ceph_csi_pool_size": _option("int", 0, "Copies in pools that are created; V(0) for Ceph's default."),
                "ceph_csi_pg_num": _option(
                    "int", 0, "Placement groups of pools that are created; V(0) leaves them to Ceph."
                ),
                "ceph_csi_command": _option(
                    "list",
                    ["ceph"],
                    "How to run C(ceph) there. With cephadm V([cephadm, shell, --, ceph]).",
                    elements="str",
                ),
                "ceph_csi_conf": _option("str", "", "Ceph's configuration file there, if it is another one."),
                "ceph_csi_keyring": _option("str", "", "The administrator's keyring there, if it is another one."),
                "ceph_csi_become": _option("bool", True, "Be root there."),
                **_common("ceph_csi", "Ceph CSI"),
            },
        ),
    },
    reads_settings=False,
    example="""\
- name: Give clusters storage over Ceph
  hosts: clusters
  connection: local
  gather_facts: false
  tasks:
    - name: Bring the storage to the cluster
      ansible.builtin.include_role:
        name: k8s.self_provisioning.ceph_csi
      vars:
        ceph_csi_tree: /srv/fleet                    # with cluster_delivery: gitops
        ceph_csi_admin_hosts: {hela-san: ceph-mon1}
        ceph_csi_manage: true
""",
)

NFS_CSI = Role(
    title="Storage classes over NFS heads, LUNs of a SAN over iSCSI, and other CSI drivers",
    entries={
        "main": Entry(
            "Bring storage classes that are not of Ceph",
            (
                "Writes StorageClasses over NFS and other CSI drivers, a class and its volumes for the LUNs of a SAN, "
                "and CHAP logins, into the fleet tree or to the cluster, as C(cluster_delivery) says.",
            ),
            {
                "nfs_csi_chap": _option(
                    "dict",
                    {},
                    "Logins of SANs with C(chap: true), C(username) and C(password) by the name of the SAN in "
                    "C(fleet_storage.iscsi). Take them from a vault.",
                ),
                **_common("nfs_csi", "csi-driver-nfs"),
            },
        ),
    },
    reads_settings=False,
    example="""\
- name: Give clusters storage over NFS and iSCSI
  hosts: clusters
  connection: local
  gather_facts: false
  tasks:
    - name: Bring the storage to the cluster
      ansible.builtin.include_role:
        name: k8s.self_provisioning.nfs_csi
      vars:
        nfs_csi_tree: /srv/fleet                     # with cluster_delivery: gitops
        nfs_csi_chap: {san: {username: k8s, password: "{{ vault_san_password }}"}}
""",
)

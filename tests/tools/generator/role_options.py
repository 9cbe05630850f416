# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role, by name. What is in them stands in a file for each."""

from __future__ import annotations

from .role_api_endpoint import API_ENDPOINT
from .role_etcd_backup import ETCD_BACKUP
from .role_host_baseline import HOST_BASELINE
from .role_kubespray import KUBESPRAY
from .role_metallb import METALLB
from .role_options_flux import FLUX_BOOTSTRAP
from .role_postgresql import POSTGRESQL
from .role_release import RELEASE
from .role_storage import CEPH_CSI, NFS_CSI
from .role_tenants import TENANTS
from .role_types import Role
from .role_vm_inventory import VM_INVENTORY

ROLES: dict[str, Role] = {
    "api_endpoint": API_ENDPOINT,
    "ceph_csi": CEPH_CSI,
    "etcd_backup": ETCD_BACKUP,
    "flux_bootstrap": FLUX_BOOTSTRAP,
    "host_baseline": HOST_BASELINE,
    "kubespray": KUBESPRAY,
    "metallb": METALLB,
    "nfs_csi": NFS_CSI,
    "postgresql": POSTGRESQL,
    "release": RELEASE,
    "tenants": TENANTS,
    "vm_inventory": VM_INVENTORY,
}

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What machines have on which Kubespray has installed etcd: C(python -m tests.hosts.etcd FOLDER ADDRESSES).

Writes into the folder the programs of etcd (bin/), the certificates of each member under Kubespray's names, an age key
and a file in the place of the keys of the encryption at rest, and for one API server its program and files (api/).
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.control_plane import binaries
from tests.control_plane.pki import Authority, Pair, service_account_key
from tests.control_plane.tools import tool

PKI = "/etc/kubernetes/pki"
_API = """\
exec /usr/local/bin/kube-apiserver --secure-port=6443 --anonymous-auth=false --authorization-mode=RBAC \\
  --endpoint-reconciler-type=none --advertise-address=127.0.0.1 --service-cluster-ip-range=10.96.0.0/16 \\
  --etcd-servers={servers} --etcd-cafile={pki}/ca.crt --etcd-certfile={pki}/client.crt \\
  --etcd-keyfile={pki}/client.key --client-ca-file={pki}/ca.crt --tls-cert-file={pki}/server.crt \\
  --tls-private-key-file={pki}/server.key --service-account-issuer=https://kubernetes.default.svc \\
  --service-account-key-file={pki}/sa.key --service-account-signing-key-file={pki}/sa.key
"""


def _keep(pair: Pair, folder: Path, name: str) -> None:
    shutil.copyfile(pair.certificate, folder / f"{name}.pem")
    shutil.copyfile(pair.key, folder / f"{name}-key.pem")


def make(root: Path, addresses: dict[str, str]) -> None:
    """@param addresses: that of each member, by its name."""
    shutil.rmtree(root, ignore_errors=True)
    programs, api, pki = root / "bin", root / "api" / "bin", root / "api" / "pki"
    for folder in (programs, api, pki):
        folder.mkdir(parents=True)
    found = binaries.find()
    for program in (found.etcd, tool("etcdctl"), tool("etcdutl")):
        (programs / program.name).symlink_to(program)
    (api / "kube-apiserver").symlink_to(found.apiserver)

    authority = Authority(pki, "ca")
    for name, address in addresses.items():
        folder = root / name
        folder.mkdir()
        shutil.copyfile(authority.pair.certificate, folder / "ca.pem")
        _keep(authority.server(name, addresses=[address]), folder, f"member-{name}")
        _keep(authority.client(f"admin-{name}", "etcd-admin"), folder, f"admin-{name}")
        _keep(authority.client("api-admin", "admin", ["system:masters"]), folder, "api-admin")
    authority.server("server")
    authority.client("client", "kube-apiserver")
    service_account_key(pki / "sa.key")
    servers = ",".join(f"https://{ipaddress.ip_address(address)}:2379" for address in addresses.values())
    (root / "api" / "kube-apiserver.yaml").write_text(_API.format(servers=servers, pki=PKI))

    for name in ("identity", "other-identity"):
        subprocess.run([str(tool("age-keygen")), "-o", str(root / name)], check=True, capture_output=True)
    asked = subprocess.run(
        [str(tool("age-keygen")), "-y", str(root / "identity")], check=True, capture_output=True, text=True
    )
    (root / "recipient").write_text(asked.stdout)
    (root / "secrets_encryption.yaml").write_text(f"keys: of {datetime.date.today()}\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]), json.loads(sys.argv[2]))

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of the four programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .audit import write_policy
from .binaries import Binaries
from .pki import Authority, Pair, kubeconfig, service_account_key

SERVICE_NETWORK = "10.96.0.0/16"
ISSUER = "https://kubernetes.default.svc"
FRONT_PROXY_USER = "front-proxy-client"


@dataclass(frozen=True)
class Ports:
    """Loopback ports of one control plane."""

    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int
    scheduler: int


class Layout:
    """Folder of one control plane: its files, and the command lines that name them."""

    def __init__(self, folder: Path, binaries: Binaries, ports: Ports) -> None:
        """Make keys, certificates and configurations in `folder`."""
        self.folder = folder
        self.binaries = binaries
        self.ports = ports
        self.logs = self._folder("logs")
        self.kubeconfigs = self._folder("kubeconfigs")
        self.audit_log = folder / "audit.jsonl"
        self.server = f"https://127.0.0.1:{ports.apiserver}"
        pki = self._folder("pki")
        self.authority = Authority(pki, "ca")
        self.etcd_authority = Authority(pki, "etcd-ca")
        self.front_proxy_authority = Authority(pki, "front-proxy-ca")
        self.serving = self.authority.server("server")
        self.etcd_serving = self.etcd_authority.server("etcd-server")
        self.etcd_client = self.etcd_authority.client("etcd-client", "kube-apiserver")
        self.front_proxy = self.front_proxy_authority.client("front-proxy", FRONT_PROXY_USER)
        self.admin = self.authority.client("admin", "admin", ["system:masters"])
        self.token_key = service_account_key(pki / "service-accounts.key")
        self.admin_kubeconfig = self.kubeconfig(folder / "admin.kubeconfig", "admin", self.admin)

    def _folder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(mode=0o700)
        return path

    def kubeconfig(self, path: Path, user: str, credential: Pair | str) -> Path:
        """Write a kubeconfig of this control plane."""
        return kubeconfig(path, self.server, self.authority.pair.certificate, user, credential)

    def etcd(self) -> list[str]:
        """Return the command line of etcd, with one member and TLS on both ports."""
        client, peer = f"https://127.0.0.1:{self.ports.etcd}", f"https://127.0.0.1:{self.ports.etcd_peer}"
        flags = {
            "data-dir": self.folder / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "log-level": "warn",
            # The data is thrown away, and no test pulls the plug of the machine.
            "unsafe-no-fsync": "true",
        }
        for prefix in ("", "peer-"):
            flags[f"{prefix}cert-file"] = self.etcd_serving.certificate
            flags[f"{prefix}key-file"] = self.etcd_serving.key
            flags[f"{prefix}trusted-ca-file"] = self.etcd_authority.pair.certificate
            flags[f"{prefix}client-cert-auth"] = "true"
        return _line(self.binaries.etcd, flags)

    def apiserver(self, extra: Sequence[str]) -> list[str]:
        """Return the command line of kube-apiserver: RBAC, TLS, the default admission plugins, audit log."""
        flags = {
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": self.ports.apiserver,
            # A loopback address may not stand in Endpoints.
            "endpoint-reconciler-type": "none",
            "etcd-servers": f"https://127.0.0.1:{self.ports.etcd}",
            "etcd-cafile": self.etcd_authority.pair.certificate,
            "etcd-certfile": self.etcd_client.certificate,
            "etcd-keyfile": self.etcd_client.key,
            "client-ca-file": self.authority.pair.certificate,
            "tls-cert-file": self.serving.certificate,
            "tls-private-key-file": self.serving.key,
            "anonymous-auth": "false",
            "authorization-mode": "Node,RBAC",
            # Else a privileged pod is refused here, before admission can show that it refuses it.
            "allow-privileged": "true",
            "service-cluster-ip-range": SERVICE_NETWORK,
            "service-account-issuer": ISSUER,
            "service-account-key-file": self.token_key,
            "service-account-signing-key-file": self.token_key,
            "requestheader-client-ca-file": self.front_proxy_authority.pair.certificate,
            "requestheader-allowed-names": FRONT_PROXY_USER,
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-username-headers": "X-Remote-User",
            "proxy-client-cert-file": self.front_proxy.certificate,
            "proxy-client-key-file": self.front_proxy.key,
            "audit-policy-file": write_policy(self.folder / "audit-policy.yaml"),
            "audit-log-path": self.audit_log,
            # MiB; the log is read as one file, so it must not be rotated.
            "audit-log-maxsize": 8192,
        }
        return [*_line(self.binaries.apiserver, flags), *extra]

    def controller_manager(self) -> list[str]:
        """Return the command line of kube-controller-manager, allowed more requests a second than by default."""
        flags = {
            "service-account-private-key-file": self.token_key,
            "root-ca-file": self.authority.pair.certificate,
            "cluster-signing-cert-file": self.authority.pair.certificate,
            "cluster-signing-key-file": self.authority.pair.key,
            "use-service-account-credentials": "true",
            "service-cluster-ip-range": SERVICE_NETWORK,
            "kube-api-qps": 200,
            "kube-api-burst": 400,
        }
        name = "kube-controller-manager"
        return _line(
            self.binaries.controller_manager, {**self._client_flags(name, self.ports.controller_manager), **flags}
        )

    def scheduler(self) -> list[str]:
        """Return the command line of kube-scheduler."""
        return _line(self.binaries.scheduler, self._client_flags("kube-scheduler", self.ports.scheduler))

    def _client_flags(self, name: str, port: int) -> dict[str, object]:
        login = self.authority.client(name, f"system:{name}")
        config = self.kubeconfig(self.folder / f"{name}.kubeconfig", f"system:{name}", login)
        return {
            "kubeconfig": config,
            "authentication-kubeconfig": config,
            "authorization-kubeconfig": config,
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "tls-cert-file": self.serving.certificate,
            "tls-private-key-file": self.serving.key,
            "leader-elect": "false",
        }


def _line(program: Path, flags: dict[str, object]) -> list[str]:
    return [str(program), *(f"--{name}={value}" for name, value in flags.items())]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubespray's playbooks would refuse, said before anything is touched, with the paths of our inventory.

The checks are those of C(roles/validate_inventory) of the release of the line, in its order, and those of
C(roles/kubernetes/preinstall) that need no machine; then what Kubespray does not check and Kubernetes would refuse.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping

from .._libraries import load as library
from .._model import values
from .._model.errors import Problems, Where, show, suggest
from .._model.release_lines import minor, version
from .inventory import Rendered
from .machines import CONTROL_PLANE, ETCD, WORKERS
from .variables import Setting

if t.TYPE_CHECKING:
    import netaddr
else:
    netaddr = library("netaddr")

DNS_MODES = ("coredns", "coredns_dual", "manual", "none")
PROXY_MODES = ("iptables", "ipvs", "nftables")
CLOUDS = ("hcloud", "huaweicloud", "oci", "openstack", "vsphere", "manual")
#: What Kubespray takes when nobody says otherwise, for variables that its checks read and we do not always write.
DEFAULTS: Mapping[str, t.Any] = {
    "auto_renew_certificates": False,
    "cert_management": "script",
    "cloud_provider": "",
    "container_manager": "containerd",
    "dns_mode": "coredns",
    "download_always_pull": False,
    "download_localhost": False,
    "download_run_once": False,
    "etcd_deployment_type": "host",
    "external_cloud_provider": "",
    "gvisor_enabled": False,
    "kata_containers_enabled": False,
    "kube_external_ca_mode": False,
    "kube_network_node_prefix": 24,
    "kube_network_node_prefix_ipv6": 120,
    "kube_network_plugin": "calico",
    "kube_pods_subnet": "10.233.64.0/18",
    "kube_pods_subnet_ipv6": "fd85:ee78:d8a6:8607::1:0000/112",
    "kube_proxy_mode": "ipvs",
    "kube_service_addresses": "10.233.0.0/18",
    "kube_service_addresses_ipv6": "fd85:ee78:d8a6:8607::1000/116",
    "kubelet_max_pods": 110,
    "openstack_lbaas_enabled": False,
    "resolvconf_mode": "host_resolvconf",
}
_OLDEST_CONTAINERD = "1.3.7"
_TAINT_FREE = re.compile(r"\d+(\.\d+)+")


class _Check:
    """The checks of one cluster."""

    def __init__(self, rendered: Rendered, problems: Problems) -> None:
        self.rendered, self.problems = rendered, problems
        self.wishes, self.machines, self.release = rendered.wishes, rendered.machines, rendered.wishes.release

    # --- helpers --------------------------------------------------------------------------------------------------

    def setting(self, name: str) -> Setting:
        found = self.rendered.settings.get(name)
        return found or Setting(DEFAULTS.get(name), self.wishes.where(f"variables.{name}"))

    def value(self, name: str) -> t.Any:
        return self.setting(name).value

    def wrong(self, name: str, what: str, fix: str = "", code: str = "kubespray") -> None:
        where = self.setting(name).where
        named = "" if where.text.endswith(name) else f" (Kubespray's {name})"
        self.problems.error(code, where, f"{what.rstrip('.')}{named}.", fix)

    def one_of(self, name: str, allowed: Iterable[str]) -> bool:
        allowed = tuple(allowed)
        if self.value(name) in allowed:
            return True
        told = f"{show(self.value(name))} is not possible with Kubespray {self.release.tag}"
        self.wrong(name, told, suggest(self.value(name), allowed), "unknown-value")
        return False

    # --- roles/validate_inventory -----------------------------------------------------------------------------------

    def run(self) -> None:
        self._removed()
        self._plain_versions()
        self._groups()
        self._version()
        self._booleans()
        self._pods_fit()
        self._cloud()
        self._ranges("", 32)
        self._ranges("_ipv6", 128)
        self._choices()
        self._runtime()
        self._beyond()

    def _removed(self) -> None:
        for name, fix in self.release.removed.items():
            if name in self.rendered.settings:
                self.wrong(name, f"Kubespray {self.release.tag} refuses this variable", fix, "removed")
            for machine in self.machines.all:
                if name in machine.get("variables", {}):
                    where = Where("node_variables", host=machine.name) / name
                    self.problems.error("removed", where, f"Kubespray {self.release.tag} refuses this variable.", fix)

    def _plain_versions(self) -> None:
        for name in self.release.plain_versions:
            text = self.value(name)
            if isinstance(text, str) and text.startswith("v"):
                fix = f"Write {text[1:]!r}."
                self.wrong(name, f"{show(text)} starts with a v, which Kubespray {self.release.tag} refuses", fix)

    def _groups(self) -> None:
        control_plane, etcd = self.machines.having(CONTROL_PLANE), self.machines.having(ETCD)
        if not control_plane:
            self.problems.error(
                "no-control-plane",
                self.machines.where(CONTROL_PLANE),
                "the cluster has no control plane.",
                "Put three of its machines into kube_control_plane.",
            )
        in_pods = self.value("etcd_deployment_type") == "kubeadm"
        if not etcd and not in_pods:
            self.problems.error(
                "no-etcd",
                self.machines.where(ETCD),
                "no machine of the cluster runs etcd.",
                "Make kube_control_plane a child of etcd, or set cluster_kubernetes.etcd.deployment: kubeadm.",
            )
        members, role = (etcd, ETCD) if etcd else (control_plane, CONTROL_PLANE)
        if members and len(members) % 2 == 0:
            self.problems.error(
                "even-etcd",
                self.machines.where(role),
                f"{len(members)} machines run etcd: {', '.join(m.name for m in members)}. An even number survives no "
                "more losses than one less, and Kubespray refuses it.",
                "Have one, three or five.",
            )

    def _version(self) -> None:
        name = "kube_version"
        text = str(self.value(name))
        if not _TAINT_FREE.fullmatch(text):
            self.wrong(name, f"{show(self.value(name))} is not a version", "Write it as 1.30.3, in quotes.")
        elif not self.release.installs(text):
            oldest = min(self.release.kubernetes, key=version)
            fix = f"Choose a version from {self.release.range}, or another release line."
            if version(text) < (*version(oldest), 0):
                what = f"Kubernetes {text} is older than Kubespray {self.release.tag} installs"
            else:
                what = f"Kubespray {self.release.tag} does not install Kubernetes {text}"
            self.wrong(name, what, fix, "unsupported")

    def _booleans(self) -> None:
        for name in self.release.booleans:
            setting = self.rendered.settings.get(name)
            if setting and not isinstance(setting.value, bool):
                self.wrong(name, f"{show(setting.value)} is not true or false", "Write true or false without quotes.")

    def _integer(self, name: str) -> int | None:
        value = self.value(name)
        if isinstance(value, bool) or not str(value).isdecimal():
            self.wrong(name, f"{show(value)} is not a whole number", "Write a number.")
            return None
        return int(value)

    def _pods_fit(self) -> None:
        if self.value("kube_network_plugin") in ("calico", "none") or not self.value("ipv4_stack"):
            return
        pods, prefix = self._integer("kubelet_max_pods"), self._integer("kube_network_node_prefix")
        if pods is not None and prefix is not None and pods > 2 ** (32 - prefix) - 2:
            self.wrong(
                "kubelet_max_pods",
                f"{pods} pods do not fit into the {2 ** (32 - prefix) - 2} addresses that a /{prefix} gives a machine",
                "Lower max_pods or node_prefix.",
            )

    def _cloud(self) -> None:
        if not self.value("cloud_provider"):
            return
        if self.value("cloud_provider") != "external":
            self.wrong("cloud_provider", "only 'external' is possible", "Write external, or leave it out.")
        else:
            self.one_of("external_cloud_provider", CLOUDS)

    def _network(self, name: str) -> netaddr.IPNetwork | None:
        try:
            network = values.network(str(self.value(name)))
        except (netaddr.AddrFormatError, ValueError):
            network = None
        if network is None or network.cidr.ip != network.ip:
            self.wrong(name, f"{show(self.value(name))} is not a network range", "Write it as 10.128.0.0/16.")
            return None
        return network

    def _ranges(self, family: str, bits: int) -> None:
        if not self.value(f"ipv{'6' if family else '4'}_stack"):
            return
        names = f"kube_service_addresses{family}", f"kube_pods_subnet{family}"
        services, pods = (self._network(name) for name in names)
        if services and pods and pods in services:
            self.wrong(
                names[1], f"{pods} lies inside the Services' {services}", "Give pods and Services ranges of their own."
            )
        elif services and pods and services in pods:
            # Kubespray does not look this way round, and kube-apiserver would not start
            self.wrong(
                names[0], f"{services} lies inside the pods' {pods}", "Give pods and Services ranges of their own."
            )
        prefix = self._integer(f"kube_network_node_prefix{family}")
        if pods is None or prefix is None:
            return
        nodes = len([m for m in self.machines.all if m.roles & {CONTROL_PLANE, WORKERS}])
        shares = 2 ** (prefix - pods.prefixlen) if prefix >= pods.prefixlen else 0
        if not shares or (shares < nodes and self.value("kube_network_plugin") != "calico"):
            self.wrong(
                f"kube_network_node_prefix{family}",
                f"{pods} has room for {shares} machines with a /{prefix} each; the cluster has {nodes}",
                "Use a larger pod_cidr or a larger node_prefix.",
            )
        elif prefix - pods.prefixlen > _MOST_SHARES or prefix > bits - 2:
            # kube-controller-manager refuses it
            self.wrong(
                f"kube_network_node_prefix{family}",
                f"a /{prefix} for each machine is too small a share of {pods}; at most 16 bits may lie between them",
                f"Use at most {min(pods.prefixlen + _MOST_SHARES, bits - 2)}.",
            )

    def _choices(self) -> None:
        self.one_of("kube_network_plugin", self.release.network_plugins)
        self.one_of("dns_mode", DNS_MODES)
        self.one_of("kube_proxy_mode", PROXY_MODES)
        self.one_of("cert_management", ("script", "none"))
        self.one_of("resolvconf_mode", ("docker_dns", "host_resolvconf", "none"))
        self.one_of("container_manager", ("docker", "crio", "containerd"))
        kinds = ("host", "docker", "kubeadm") if self.value("container_manager") == "docker" else ("host", "kubeadm")
        self.one_of("etcd_deployment_type", kinds)

    def _runtime(self) -> None:
        runtime = self.value("container_manager")
        if self.value("download_localhost") and not self.value("download_run_once"):
            self.wrong("download_localhost", "it needs download_run_once: true", "Set both.")
        if self.value("kata_containers_enabled") and runtime == "docker":
            self.wrong("kata_containers_enabled", "Kata containers do not run with docker", "Use containerd.")
        if self.value("gvisor_enabled") and runtime != "containerd":
            self.wrong("gvisor_enabled", "gVisor runs with containerd only", "Use containerd.")
        text = self.value("containerd_version")
        named = text is not None and text not in ("latest", "edge", "stable")
        if named and runtime == "containerd" and version_or(text) < version(_OLDEST_CONTAINERD):
            self.wrong("containerd_version", f"{show(text)} is older than {_OLDEST_CONTAINERD}", "Leave it out.")
        if self.value("kube_external_ca_mode") and self.value("auto_renew_certificates"):
            self.wrong(
                "auto_renew_certificates",
                "certificates of an authority outside cannot be renewed here (kube_external_ca_mode)",
                "Set one of them to false.",
            )

    # --- what Kubespray does not check, or only after it has begun -------------------------------------------------

    def _beyond(self) -> None:
        workers = self.machines.having(WORKERS)
        if not workers:
            self.problems.error(
                "no-workers",
                self.machines.where(WORKERS),
                "the cluster has no machine that runs pods.",
                "Put machines into kube_node.",
            )
        if self.value("kube_proxy_mode") == "nftables" and version_or(self.value("kube_version")) < (1, 31):
            self.wrong(
                "kube_proxy_mode",
                f"Kubernetes {self.value('kube_version')} has no nftables mode",
                "It begins with 1.31.",
            )
        if self.value("kube_network_plugin") == "cilium" and self.value("kube_owner") != "root":
            self.wrong("kube_owner", "Cilium needs root", "Leave it out.")
        for name in self.release.addons:
            if self.value(name) is True:
                where = self.setting(name).where
                fix = "Take it out, and declare the service in cluster_services."
                self.problems.warn("addon", where, "platform services come from cluster_services, not Kubespray.", fix)
        domain = self.wishes.get("api.domain_name")
        if domain and not self.release.writes_hosts_file and self.value("loadbalancer_apiserver"):
            self.problems.warn(
                "resolve",
                self.wishes.where("api.domain_name"),
                f"every machine must resolve {domain} before the cluster is built: Kubespray {self.release.tag} no "
                "longer writes it into /etc/hosts.",
                "Enter it in DNS, or leave the name out to use the address.",
            )
        if self.wishes.cluster.get("network", {}).get("pod_cidr") is None:
            where = Where("cluster_network", host=self.wishes.cluster.name) / "pod_cidr"
            self.problems.warn("default", where, "it is not set; Kubespray takes 10.233.64.0/18.", "Set it.")
        if version_or(self.value("kube_version"))[:2] > version(self.wishes.cluster.release_line):
            fix = f"Choose the release line that brings {minor(str(self.value('kube_version')))}."
            told = (
                f"Kubernetes {self.value('kube_version')} is newer than release line {self.wishes.cluster.release_line}"
            )
            self.wrong("kube_version", told, fix, "unsupported")


_MOST_SHARES = 16


def version_or(text: object) -> tuple[int, ...]:
    """The version as numbers; the highest one when it is none, which is told elsewhere."""
    try:
        return version(str(text))
    except ValueError:
        return (10**9,)


def check(rendered: Rendered, problems: Problems) -> None:
    """Reports everything that Kubespray or Kubernetes would refuse about one cluster."""
    _Check(rendered, problems).run()

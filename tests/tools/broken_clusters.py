# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken variants of the example's clusters: what is wrong, and what the preflight says about it.

The unit tests run the preflight on them. C(make kubespray-check) runs Kubespray's own validation on those of
C(REFUSED) as well, which must refuse every one of them.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from .machines import Values

Groups = dict[str, list[str]]
Change = Callable[[Values, Groups, dict[str, Values]], None]


@dataclass(frozen=True)
class Broken:
    """One mistake. I(said): what the preflight says, I(lines): the release lines on which it is one."""

    name: str
    cluster: str
    change: Change
    said: str
    lines: tuple[str, ...] = ("1.30", "1.35")


def wish(path: str, value: t.Any, cluster: str = "east-prod") -> Change:
    """Sets a key below C(cluster_kubernetes)."""

    def change(clusters: Values, _groups: Groups, _variables: dict[str, Values]) -> None:
        node = clusters[cluster].setdefault("cluster_kubernetes", {})
        *way, last = path.split(".")
        for key in way:
            node = node.setdefault(key, {})
        node[last] = value

    return change


def network(cluster: str = "east-prod", **ranges: t.Any) -> Change:
    def change(clusters: Values, _groups: Groups, _variables: dict[str, Values]) -> None:
        clusters[cluster]["cluster_network"].update(ranges)

    return change


def members(group: str, *leave: str, add: tuple[str, ...] = ()) -> Change:
    def change(_clusters: Values, groups: Groups, _variables: dict[str, Values]) -> None:
        groups[group] = [host for host in groups[group] if host not in leave] + list(add)

    return change


def machine(host: str, **values: t.Any) -> Change:
    def change(_clusters: Values, _groups: Groups, variables: dict[str, Values]) -> None:
        variables[host].update(values)

    return change


def both(*changes: Change) -> Change:
    def change(clusters: Values, groups: Groups, variables: dict[str, Values]) -> None:
        for each in changes:
            each(clusters, groups, variables)

    return change


def variable(name: str, value: t.Any, said: str, *lines: str, and_: dict[str, t.Any] | None = None) -> Broken:
    """A variable of Kubespray, handed on as written."""
    changes = [wish(f"variables.{key}", each) for key, each in {name: value, **(and_ or {})}.items()]
    at = f"east-prod: cluster_kubernetes.variables.{name}: "
    return Broken(f"{name}={value}", "east-prod", both(*changes), at + said, lines or ("1.30", "1.35"))


_OLD, _NEW = ("1.30",), ("1.35",)
_PLANE, _EVEN = ("hela-a01", "hela-a02", "hela-a03"), ("hela-a03",)
_CILIUM = wish("network_plugin", "cilium")

#: Kubespray's own validation refuses them.
REFUSED: tuple[Broken, ...] = (
    variable("kube_version", "v1.30.3", "'v1.30.3' starts with a v", "1.30"),
    Broken(
        "too old for the old line",
        "east-prod",
        wish("version", "1.29.5"),
        "east-prod: cluster_kubernetes.version: Kubernetes 1.29.5 is older than Kubespray v2.28.1 installs",
        _OLD,
    ),
    Broken(
        "too old for the new line",
        "east-prod",
        wish("version", "1.30.3"),
        "cluster_kubernetes.version: Kubernetes 1.30.3 is older than Kubespray v2.31.0 installs",
        _NEW,
    ),
    Broken(
        "patch that nobody knows",
        "east-prod",
        wish("version", "1.35.9"),
        "cluster_kubernetes.version: Kubespray v2.31.0 does not install Kubernetes 1.35.9",
        _NEW,
    ),
    Broken(
        "no control plane",
        "east-prod",
        both(members("kube_control_plane", *_PLANE), members("etcd", *_PLANE, add=("hela-a04",))),
        "east_prod:&kube_control_plane: the cluster has no control plane",
    ),
    Broken("no etcd", "east-prod", members("etcd", *_PLANE), "east_prod:&etcd: no machine of the cluster runs etcd"),
    Broken(
        "even etcd", "east-prod", members("etcd", *_EVEN), "east_prod:&etcd: 2 machines run etcd: hela-a01, hela-a02."
    ),
    variable("calico_version", "v3.29.5", "'v3.29.5' starts with a v", "1.30"),
    variable("etcd_version", "v3.5.22", "'v3.5.22' starts with a v", "1.30"),
    variable("helm_enabled", "false", "'false' is not true or false"),
    variable("download_run_once", "true", "'true' is not true or false"),
    variable("deploy_netchecker", "no", "'no' is not true or false", "1.30"),
    variable("download_always_pull", "yes", "'yes' is not true or false"),
    variable("openstack_lbaas_enabled", "false", "'false' is not true or false"),
    Broken(
        "more pods than addresses",
        "public-web",
        wish("max_pods", 300, "public-web"),
        "public-web: cluster_kubernetes.max_pods: 300 pods do not fit into the 254 addresses",
    ),
    variable("cloud_provider", "aws", "only 'external' is possible"),
    Broken(
        "unknown cloud",
        "east-prod",
        both(wish("variables.cloud_provider", "external"), wish("variables.external_cloud_provider", "gce")),
        "cluster_kubernetes.variables.external_cloud_provider: 'gce' is not possible",
    ),
    Broken(
        "Services not a network",
        "east-prod",
        network(service_cidr="10.129.0.5/18"),
        "east-prod: cluster_network.service_cidr: '10.129.0.5/18' is not a network range",
    ),
    Broken(
        "pods not a network",
        "east-prod",
        network(pod_cidr="10.128.0.1/16"),
        "east-prod: cluster_network.pod_cidr: '10.128.0.1/16' is not a network range",
    ),
    Broken(
        "pods inside Services",
        "east-prod",
        network(pod_cidr="10.129.16.0/20", service_cidr="10.129.0.0/18"),
        "east-prod: cluster_network.pod_cidr: 10.129.16.0/20 lies inside the Services' 10.129.0.0/18",
    ),
    Broken(
        "too few shares",
        "public-web",
        network("public-web", pod_cidr="10.136.0.0/22"),
        "fleet_kubernetes.node_prefix: 10.136.0.0/22 has room for 4 machines with a /24 each; the cluster has 6",
    ),
    Broken(
        "IPv6 Services not a network",
        "shared-dev",
        network("shared-dev", service_cidr=["10.145.0.0/18", "fd00:145::5/112"]),
        "shared-dev: cluster_network.service_cidr: 'fd00:145::5/112' is not a network range",
    ),
    Broken(
        "IPv6 pods inside Services",
        "shared-dev",
        network(
            "shared-dev", pod_cidr=["10.144.0.0/16", "fd00:145::/112"], service_cidr=["10.145.0.0/18", "fd00:145::/108"]
        ),
        "shared-dev: cluster_network.pod_cidr: fd00:145::/112 lies inside the Services' fd00:145::/108",
    ),
    Broken(
        "too few IPv6 shares",
        "shared-dev",
        both(
            network("shared-dev", pod_cidr=["10.144.0.0/16", "fd00:144::/63"]),
            wish("network_plugin", "cilium", "shared-dev"),
        ),
        "shared-dev: cluster_kubernetes.node_prefix_v6: fd00:144::/63 has room for 2 machines with a /64 each",
    ),
    Broken(
        "network plugin of the past",
        "east-prod",
        wish("network_plugin", "weave"),
        "east-prod: cluster_kubernetes.network_plugin: 'weave' is not possible with Kubespray v2.31.0",
        _NEW,
    ),
    variable("dns_mode", "kubedns", "'kubedns' is not possible"),
    variable("kube_proxy_mode", "userspace", "'userspace' is not possible"),
    variable("cert_management", "vault", "'vault' is not possible"),
    variable("resolvconf_mode", "docker", "'docker' is not possible"),
    variable("etcd_deployment_type", "docker", "'docker' is not possible"),
    variable("container_manager", "rkt", "'rkt' is not possible"),
    variable("download_localhost", True, "it needs download_run_once: true"),
    variable(
        "kata_containers_enabled", True, "Kata containers do not run with docker", and_={"container_manager": "docker"}
    ),
    variable("gvisor_enabled", True, "gVisor runs with containerd only", and_={"container_manager": "crio"}),
    variable("containerd_version", "1.2.13", "'1.2.13' is older than 1.3.7"),
    variable(
        "auto_renew_certificates", True, "certificates of an authority outside", and_={"kube_external_ca_mode": True}
    ),
    variable("etcd_kubeadm_enabled", True, "Kubespray v2.28.1 refuses this variable", "1.30"),
    variable("kubelet_static_pod_path", "/etc/x", "Kubespray v2.31.0 refuses this variable", "1.35"),
)

#: Kubespray would begin, and somebody would find out later.
ACCEPTED: tuple[Broken, ...] = (
    Broken(
        "nftables too early",
        "east-prod",
        wish("proxy_mode", "nftables"),
        "east-prod: cluster_kubernetes.proxy_mode: Kubernetes 1.30.3 has no nftables mode",
        _OLD,
    ),
    Broken(
        "patch that nobody knows",
        "east-prod",
        wish("version", "1.30.15"),
        "cluster_kubernetes.version: Kubespray v2.28.1 does not install Kubernetes 1.30.15",
        _OLD,
    ),
    Broken(
        "newer than the line",
        "east-prod",
        wish("version", "1.31.12"),
        "cluster_kubernetes.version: Kubernetes 1.31.12 is newer than release line 1.30",
        _OLD,
    ),
    Broken(
        "Services inside pods",
        "east-prod",
        network(pod_cidr="10.128.0.0/15", service_cidr="10.129.0.0/18"),
        "east-prod: cluster_network.service_cidr: 10.129.0.0/18 lies inside the pods' 10.128.0.0/15",
    ),
    Broken(
        "shares too small",
        "shared-dev",
        wish("node_prefix_v6", 80, "shared-dev"),
        "cluster_kubernetes.node_prefix_v6: a /80 for each machine is too small a share of fd00:144::/56",
    ),
    Broken(
        "nobody works", "exam-east", members("kube_node", "hela-a11", "hela-a12", "hela-a13"), "exam_east:&kube_node"
    ),
    Broken("no role", "exam-east", members("kube_node", "hela-a11"), "hela-a11: exam_east: the machine is in none of"),
    Broken(
        "no cluster", "exam-east", members("exam_east", "hela-a11"), "hela-a11: kube_node: the machine is in no group"
    ),
    Broken(
        "two clusters",
        "exam-east",
        members("exam_east", add=("hela-a04",)),
        "hela-a04: east_prod: it is in east_prod and exam_east.",
    ),
    Broken(
        "database", "exam-east", members("database", add=("hela-a11",)), "hela-a11: kube_node: a machine of the group"
    ),
    Broken(
        "address twice",
        "east-prod",
        machine("hela-a02", ansible_host="10.20.0.11"),
        "hela-a02: ansible_host: 10.20.0.11 is the address of hela-a01 too.",
    ),
    Broken(
        "address of the API", "east-prod", machine("hela-a02", ansible_host="10.20.0.10"), "hela-a02: ansible_host: "
    ),
    Broken(
        "address outside",
        "research-gpu",
        machine("hela-b24", node_ip="10.99.0.15"),
        "hela-b24: node_ip: 10.99.0.15 is outside the node network 10.23.0.0/24 of research-gpu.",
    ),
    Broken(
        "no address",
        "research-gpu",
        machine("hela-b24", node_ip="10.99"),
        "hela-b24: node_ip: '10.99' is not an address",
    ),
    Broken(
        "taint",
        "research-gpu",
        machine("hela-b25", node_taints=["gpu:Never"]),
        "hela-b25: node_taints[0]: 'gpu:Never' does not have the right form.",
    ),
    Broken(
        "typing error",
        "research-gpu",
        machine("hela-b25", node_lables={"a": "b"}),
        "hela-b25: node_lables: unknown key. Did you mean 'node_labels'?",
    ),
    Broken(
        "name",
        "east-prod",
        both(
            members("east_prod", add=("Hela_9",)),
            members("kube_node", add=("Hela_9",)),
            lambda _c, _g, variables: variables.update({"Hela_9": {}}),
        ),
        "Hela_9: hosts: 'Hela_9' cannot be the name of a node.",
    ),
    Broken("Cilium's owner", "public-web", wish("variables.kube_owner", "kube", "public-web"), "Cilium needs root"),
)

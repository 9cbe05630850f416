# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings to the variables of a Kubespray release, each with the place in our inventory that it comes from.

Builders are functions from the wishes to variables, one for each concern. Their order matters in one place only: what
people hand on as written comes last, because it wins.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Callable, Iterator

from .._model import addresses
from .._model.errors import Where
from .._model.release_lines import version
from .machines import WORKERS, Machine, Machines
from .settings import Wishes

#: A variable, its value, and where the inventory says so.
Variable = tuple[str, t.Any, Where]
_Builder = Callable[[Wishes, Machines], Iterator[Variable]]


@dataclasses.dataclass(frozen=True)
class Setting:
    """The value of a variable, and where the inventory says so."""

    value: t.Any
    where: Where


def variables(wishes: Wishes, machines: Machines) -> dict[str, Setting]:
    """Every variable of the cluster."""
    found = {}
    for builder in BUILDERS:
        for name, value, where in builder(wishes, machines):
            found[name] = Setting(value, where)
    return found


def _versions(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    where = wishes.where("version")
    if "version" not in wishes.places:
        line = "cluster_release_line" in wishes.cluster.values
        where = Where("cluster_release_line", host=wishes.cluster.name) if line else Where("fleet_release_line")
    # every Kubespray of our lines wants it without a v
    yield "kube_version", wishes.kubernetes, where
    yield "container_manager", "containerd", wishes.where("variables") / "container_manager"


def _addons(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    for name in wishes.release.addons:
        yield name, False, wishes.where("variables") / name


def _families(written: t.Any) -> tuple[str | None, str | None]:
    """The IPv4 and the IPv6 range of one or two."""
    ranges = addresses.as_list(written)
    return next((r for r in ranges if ":" not in r), None), next((r for r in ranges if ":" in r), None)


def _network(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    network = wishes.cluster.get("network", {})
    at = Where("cluster_network", host=wishes.cluster.name)
    pods, pods6 = _families(network.get("pod_cidr"))
    services, services6 = _families(network.get("service_cidr"))
    yield "kube_network_plugin", wishes.get("network_plugin"), wishes.where("network_plugin")
    yield "kubelet_max_pods", wishes.get("max_pods"), wishes.where("max_pods")
    yield "ipv4_stack", bool(pods) or not pods6, at / "pod_cidr"
    yield "ipv6_stack", bool(pods6), at / "pod_cidr"
    if pods:
        yield "kube_pods_subnet", pods, at / "pod_cidr"
        yield "kube_network_node_prefix", wishes.get("node_prefix"), wishes.where("node_prefix")
    if services:
        yield "kube_service_addresses", services, at / "service_cidr"
    if pods6:
        length = int(pods6.partition("/")[2])
        yield "kube_pods_subnet_ipv6", pods6, at / "pod_cidr"
        yield (
            "kube_network_node_prefix_ipv6",
            wishes.get("node_prefix_v6", min(length + 8, 124)),
            wishes.where("node_prefix_v6"),
        )
    if services6:
        yield "kube_service_addresses_ipv6", services6, at / "service_cidr"


def _proxy(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    mode, where = wishes.get("proxy_mode"), wishes.where("proxy_mode")
    yield "kube_proxy_mode", mode, where
    if mode == "ipvs":
        # a load balancer that answers ARP itself, such as MetalLB, must be the only one that does
        yield "kube_proxy_strict_arp", True, where


def _api(wishes: Wishes, machines: Machines) -> Iterator[Variable]:
    network = wishes.cluster.get("network", {})
    vip, more = network.get("api_vip"), network.get("api_extra_vips", ())
    at = Where("cluster_network", host=wishes.cluster.name) / "api_vip"
    port, name = wishes.get("api.port"), wishes.get("api.domain_name")
    through_vip = bool(vip) and wishes.get("api.balancer") == "vip"
    names = [*([vip] if vip else []), *more, *([name] if name else []), *wishes.get("api.extra_names", ())]
    if names:
        yield "supplementary_addresses_in_ssl_keys", names, wishes.where("api.extra_names")
    if through_vip:
        yield "loadbalancer_apiserver", {"address": vip, "port": port}, at
        yield "apiserver_loadbalancer_domain_name", name or vip, wishes.where("api.domain_name") if name else at
        yield "loadbalancer_apiserver_localhost", False, wishes.where("api.balancer")
        if wishes.release.writes_hosts_file:
            yield "populate_loadbalancer_apiserver_to_hosts_file", bool(name), wishes.where("api.domain_name")
    else:
        yield "loadbalancer_apiserver_localhost", True, wishes.where("api.balancer")
    first = next((m for m in machines.all if "kube_control_plane" in m.roles), None)
    if first is not None:
        # the administrator's kubeconfig is fetched to where the role says
        yield "kubeconfig_localhost", True, at


def _oidc(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "kube_oidc_auth", "oidc.issuer" in wishes.values, wishes.where("oidc")
    if "oidc.issuer" not in wishes.values:
        return
    for ours, theirs in (
        ("issuer", "url"),
        ("client_id", "client_id"),
        ("username_claim", "username_claim"),
        ("username_prefix", "username_prefix"),
        ("groups_claim", "groups_claim"),
        ("groups_prefix", "groups_prefix"),
        ("ca_file", "ca_file"),
    ):
        if f"oidc.{ours}" in wishes.values:
            yield f"kube_oidc_{theirs}", wishes.get(f"oidc.{ours}"), wishes.where(f"oidc.{ours}")


def _audit(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "kubernetes_audit", wishes.get("audit.enabled"), wishes.where("audit.enabled")
    if wishes.get("audit.enabled"):
        for ours, theirs in (("max_age", "maxage"), ("max_backups", "maxbackups"), ("max_size", "maxsize")):
            yield f"audit_log_{theirs}", wishes.get(f"audit.{ours}"), wishes.where(f"audit.{ours}")
    if wishes.get("audit.webhook"):
        yield "kubernetes_audit_webhook", True, wishes.where("audit.webhook")
        yield "audit_webhook_server_url", wishes.get("audit.webhook"), wishes.where("audit.webhook")


def _encryption(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "kube_encrypt_secret_data", wishes.get("encryption.enabled"), wishes.where("encryption.enabled")
    yield "kube_encryption_algorithm", wishes.get("encryption.algorithm"), wishes.where("encryption.algorithm")
    yield "kube_encryption_resources", wishes.get("encryption.resources"), wishes.where("encryption.resources")


def _pod_security(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "kube_pod_security_use_default", True, wishes.where("pod_security")
    strict = wishes.get("hardening") == "cis" and "pod_security.enforce" not in wishes.places
    for key in ("enforce", "audit", "warn"):
        level = "restricted" if key == "enforce" and strict else wishes.get(f"pod_security.{key}")
        yield f"kube_pod_security_default_{key}", level, wishes.where(f"pod_security.{key}")
    exempt = "pod_security.exempt_namespaces"
    yield "kube_pod_security_exemptions_namespaces", wishes.get(exempt), wishes.where(exempt)


def _admission(wishes: Wishes, machines: Machines) -> Iterator[Variable]:
    plugins = ["NodeRestriction", "PodSecurity"]
    if gpu_tainted(wishes) and any(machine.get("gpu") for machine in machines.all):
        # pods that ask for a GPU are let onto the tainted machines, without everybody writing tolerations
        plugins.append("ExtendedResourceToleration")
    if wishes.get("hardening") == "cis":
        plugins += ["AlwaysPullImages", "EventRateLimit"]
        yield (
            "kube_apiserver_admission_event_rate_limits",
            {
                "limit_1": {"type": "Namespace", "qps": 50, "burst": 100, "cache_size": 2000},
                "limit_2": {"type": "User", "qps": 50, "burst": 100},
            },
            wishes.where("hardening"),
        )
    yield "kube_apiserver_admission_control_config_file", True, wishes.where("hardening")
    yield "kube_apiserver_enable_admission_plugins", sorted(plugins), wishes.where("hardening")


#: What the CIS benchmark asks for besides, as Kubespray's hardening guide writes it. Addresses are left as they are:
#: the scheduler and the controller manager bound to the loopback address could not be watched by the monitoring.
_CIS: dict[str, t.Any] = {
    "kube_apiserver_request_timeout": "120s",
    "kube_apiserver_service_account_lookup": True,
    "tls_min_version": "VersionTLS12",
    "tls_cipher_suites": [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    ],
    "kube_profiling": False,
    "remove_anonymous_access": True,
    "kube_controller_terminated_pod_gc_threshold": 50,
    "kube_controller_feature_gates": ["RotateKubeletServerCertificate=true"],
    "kubelet_feature_gates": ["RotateKubeletServerCertificate=true"],
    "kubelet_authorization_mode_webhook": True,
    "kubelet_authentication_token_webhook": True,
    "kube_read_only_port": 0,
    "kubelet_rotate_server_certificates": True,
    "kubelet_protect_kernel_defaults": True,
    "kubelet_event_record_qps": 1,
    "kubelet_rotate_certificates": True,
    "kubelet_streaming_connection_idle_timeout": "5m",
    "kubelet_make_iptables_util_chains": True,
    "kubelet_seccomp_default": True,
    "kubelet_systemd_hardening": True,
    "kube_cert_group": "root",
}


def _hardening(wishes: Wishes, machines: Machines) -> Iterator[Variable]:
    where = wishes.where("hardening")
    if wishes.get("hardening") == "cis" or wishes.get("network_plugin") == "cilium":
        # Cilium's agent runs without rights over files of another owner
        yield "kube_owner", "root", where
    if wishes.get("hardening") != "cis":
        return
    for name, value in _CIS.items():
        yield name, value, where
    pods, _pods6 = _families(wishes.cluster.get("network", {}).get("pod_cidr"))
    control_plane = [str(m.get("ip") or m.address) for m in machines.all if "kube_control_plane" in m.roles]
    secure = ["localhost", "link-local", *([pods] if pods else []), *control_plane]
    yield "kubelet_secure_addresses", " ".join(secure), where


def _dns(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "cluster_name", wishes.get("dns.domain"), wishes.where("dns.domain")
    if wishes.get("dns.upstream"):
        yield "upstream_dns_servers", wishes.get("dns.upstream"), wishes.where("dns.upstream")
    local = wishes.cluster.get("dns", {}).get("node_local")
    at = Where("cluster_dns", host=wishes.cluster.name) / "node_local"
    yield "enable_nodelocaldns", bool(local), at
    if local:
        yield "nodelocaldns_ip", local, at


def _etcd(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "etcd_deployment_type", wishes.get("etcd.deployment"), wishes.where("etcd.deployment")
    yield "etcd_quota_backend_bytes", str(wishes.get("etcd.quota_gib") * 2**30), wishes.where("etcd.quota_gib")


def _kubelet(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    where = wishes.where("reserve_resources")
    yield "kube_reserved", wishes.get("reserve_resources"), where
    yield "system_reserved", wishes.get("reserve_resources"), where


def _sources(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    mirrors = wishes.below("registry_mirrors")
    if mirrors:
        listed = [
            {
                "prefix": registry,
                "mirrors": [
                    {"host": host, "capabilities": ["pull", "resolve"], "skip_verify": False} for host in hosts
                ],
            }
            for registry, hosts in sorted(mirrors.items())
        ]
        yield "containerd_registries_mirrors", listed, wishes.where("registry_mirrors")
    registry, files = wishes.get("offline.registry"), wishes.get("offline.files")
    if not registry or not files:
        return
    where = wishes.where("offline.registry")
    yield "registry_host", registry, where
    for name in ("kube", "gcr", "github", "docker", "quay"):
        yield f"{name}_image_repo", registry, where
    where, files = wishes.where("offline.files"), files.rstrip("/")
    yield "files_repo", files, where
    for name, host in (
        ("github_url", "github.com"),
        ("dl_k8s_io_url", "dl.k8s.io"),
        ("storage_googleapis_url", "storage.googleapis.com"),
        ("get_helm_url", "get.helm.sh"),
    ):
        yield name, f"{files}/{host}", where


def _upgrade(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    yield "drain_timeout", f"{wishes.get('upgrade.drain_timeout')}s", wishes.where("upgrade.drain_timeout")
    yield "drain_grace_period", wishes.get("upgrade.drain_grace_period"), wishes.where("upgrade.drain_grace_period")
    if wishes.get("upgrade.pause"):
        yield "upgrade_node_post_upgrade_pause_seconds", wishes.get("upgrade.pause"), wishes.where("upgrade.pause")


def _as_written(wishes: Wishes, _machines: Machines) -> Iterator[Variable]:
    for name, value in wishes.below("variables").items():
        yield name, value, wishes.where(f"variables.{name}")


BUILDERS: tuple[_Builder, ...] = (
    _versions,
    _addons,
    _network,
    _proxy,
    _api,
    _oidc,
    _audit,
    _encryption,
    _pod_security,
    _admission,
    _hardening,
    _dns,
    _etcd,
    _kubelet,
    _sources,
    _upgrade,
    _as_written,
)


def gpu_tainted(wishes: Wishes) -> bool:
    return bool(wishes.get("gpu.taint"))


#: The resource that pods ask for, which is also the key of the taint: the admission plugin goes by that.
GPU_RESOURCES = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "intel": "gpu.intel.com/i915"}


def machine_variables(machine: Machine, wishes: Wishes, etcd_member: str) -> dict[str, t.Any]:
    """The variables of one machine in Kubespray's inventory."""
    found: dict[str, t.Any] = dict(sorted(machine.connection.items()))
    found["ansible_host"] = machine.address
    if ip := machine.get("ip") or _literal(machine.address):
        found["ip"] = ip
    if access := machine.get("access_ip"):
        found["access_ip"] = access
    if etcd_member:
        found["etcd_member_name"] = etcd_member
    labels = dict(machine.get("labels", {}))
    taints = list(machine.get("taints", ()))
    gpu = machine.get("gpu")
    if gpu and WORKERS in machine.roles:
        labels.setdefault(f"{GPU_RESOURCES[gpu]}.present", "true")
        taint = f"{GPU_RESOURCES[gpu]}=present:NoSchedule"
        if gpu_tainted(wishes) and taint not in taints:
            taints.append(taint)
    if labels:
        found["node_labels"] = labels
    if taints:
        found["node_taints"] = taints
    return {**found, **machine.get("variables", {})}


def _literal(text: str) -> str | None:
    """The text, when it is an address and not a name."""
    return text if text.replace(".", "").isdecimal() or ":" in text else None


def newer_than(wishes: Wishes, kubernetes: str) -> bool:
    return version(wishes.kubernetes) >= version(kubernetes)

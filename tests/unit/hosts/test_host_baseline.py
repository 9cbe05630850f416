# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role host_baseline would write on machines of the example, whose clusters differ."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.tests.tools.machines import EXAMPLE, ROOT

COLLECTIONS = ROOT / ".cache" / "collections"
#: calico and ipvs; cilium and iptables; calico and nftables.
HOSTS = ("hela-a01", "hela-a14", "hela-a23")
#: YAML makes a truth value of the bare word no.
USERS = [{"name": "mei", "sudo": False}, {"name": "lok", "sudo": "with_password", "password": "$6$hidden"}]
#: A cluster that hands on a variable of Kubespray as it is.
MORE = {
    "clusters": {"hosts": {"lab-east": {"cluster_kubernetes": {"variables": {"kube_network_plugin": "flannel"}}}}},
    "lab_east": {"hosts": {"lab-1": {"ansible_host": "10.99.0.1", "host_baseline_users": USERS}}},
    "kube_node": {"hosts": {"lab-1": None}},
}
PLAYBOOK = [
    {
        "name": "Render",
        "hosts": [*HOSTS, "lab-1"],
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "_host_baseline_addresses": "{{ dict(_host_baseline_machines | zip(_host_baseline_given_addresses)) }}",
            "_host_baseline_addresses6": "{{ dict(_host_baseline_machines | zip(_host_baseline_given_addresses6)) }}",
            "host_baseline_look": {
                "seen": {
                    "ssh": {"client": "10.22.8.4", "port": "22"},
                    "architecture": "{{ 'aarch64' if inventory_hostname == 'hela-a14' else 'x86_64' }}",
                    "packages": {},
                }
            },
            "rendered": {
                "rules": "{{ lookup('ansible.builtin.template', 'nftables.conf.j2') }}",
                "audit": "{{ lookup('ansible.builtin.template', 'audit.rules.j2') }}",
                "sudoers": "{{ lookup('ansible.builtin.template', 'sudoers.j2') }}",
                "modules": "{{ _host_baseline_wanted_modules }}",
                "accounts": "{{ _host_baseline_accounts }}",
                "packages": "{{ _host_baseline_wanted_packages }}",
            },
        },
        "tasks": [
            {
                "name": "Know the variables of the role",
                "ansible.builtin.import_role": {
                    "name": "k8s.self_provisioning.host_baseline",
                    "tasks_from": "reboot",
                },
                "when": False,
            },
            {
                "name": "Render",
                "ansible.builtin.copy": {"content": "{{ rendered }}", "dest": "{{ out }}/{{ inventory_hostname }}"},
            },
        ],
    }
]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """What each of the hosts gets, by its name."""
    folder = tmp_path_factory.mktemp("rendered")
    (folder / "templates").symlink_to(ROOT / "roles/host_baseline/templates")
    (folder / "play.yml").write_text(yaml.safe_dump(PLAYBOOK), encoding="utf-8")
    (folder / "more.yml").write_text(yaml.safe_dump({"all": {"children": MORE}}), encoding="utf-8")
    (folder / "ansible.cfg").touch()
    (folder / "out").mkdir()
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(EXAMPLE), "-i", "more.yml", "play.yml"]
    command += ["-e", json.dumps({"out": str(folder / "out"), "ansible_python_interpreter": sys.executable})]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "out").iterdir()}


CALICO = {"179", "4789", "5473", "51820-51821"}
CILIUM = {"4240", "4244-4245", "8472", "51871"}


@pytest.mark.parametrize(
    ("host", "container_network", "ipvs"),
    [
        ("hela-a01", CALICO, True),
        ("hela-a14", CILIUM, False),
        ("hela-a23", CALICO, False),
        ("lab-1", {"8472"}, True),
    ],
)
def test_what_the_cluster_declares_is_what_its_nodes_get(
    rendered: dict[str, dict[str, t.Any]], host: str, container_network: set[str], ipvs: bool
) -> None:
    got = rendered[host]
    ports = set(re.findall(r"ip saddr @nodes4 (?:tcp|udp) dport (\S+) accept", got["rules"]))
    assert ports & (CALICO | CILIUM) == container_network
    assert ("ip_vs" in got["modules"]) is ipvs
    assert ("ipvsadm" in got["packages"]) is ipvs


#: Of those that the benchmarks name, what the kernel does not have on ARM (include/uapi/asm-generic/unistd.h).
NOT_ON_ARM = {"chmod", "chown", "lchown", "creat", "open", "rename", "unlink", "rmdir", "link", "symlink", "mknod"}


@pytest.mark.parametrize(("host", "old_calls"), [("hela-a01", 5), ("hela-a14", 0)])
def test_audit_rules_name_calls_that_the_processor_has(
    rendered: dict[str, dict[str, t.Any]], host: str, old_calls: int
) -> None:
    calls = [call for names in re.findall(r"-S (\S+)", rendered[host]["audit"]) for call in names.split(",")]
    assert len(NOT_ON_ARM & set(calls)) == old_calls
    assert {"fchmod", "fchmodat", "fchown", "fchownat", "unlinkat", "renameat", "renameat2"} <= set(calls)


def test_who_is_not_to_act_as_root_does_not(rendered: dict[str, dict[str, t.Any]]) -> None:
    assert re.findall(r"^(\S+) ALL=.*", rendered["lab-1"]["sudoers"], re.M) == ["lok"]


def test_hashes_are_not_in_what_is_looped_over(rendered: dict[str, dict[str, t.Any]]) -> None:
    assert rendered["lab-1"]["accounts"] == [{"name": "mei", "sudo": False}, {"name": "lok", "sudo": "with_password"}]


def test_the_firewall_lets_in_what_is_no_answer_and_no_port(rendered: dict[str, dict[str, t.Any]]) -> None:
    for host in HOSTS:
        assert "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept" in rendered[host]["rules"], "DHCPv6"
        assert "meta l4proto 2 accept" in rendered[host]["rules"], "IGMP"

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extra variables that nothing reads: which they are, and what is said of them, by the lookup of every play."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars

from ansible_collections.k8s.self_provisioning.plugins.lookup.fleet_hosts import DOCUMENTATION, LookupModule

ROOT = Path(__file__).resolve().parents[3]
GROUPS = {"all": ["east", "n1"], "clusters": ["east"], "kube_node": ["n1"], "east": ["n1"]}


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, names: list[object]) -> list[str]:
    """Runs the lookup with these extra variables."""
    given = (json.dumps({name: 1 for name in names if isinstance(name, str)}), "{7: 8}")
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(extra_vars=given))
    monkeypatch.setattr(load_extra_vars, "extra_vars", None, raising=False)
    variables = {"groups": GROUPS, "ansible_inventory_sources": [str(folder)]}
    options = yaml.safe_load(DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", "fleet_hosts", options)
    plugin = LookupModule(loader=DataLoader())
    plugin._load_name = "fleet_hosts"
    return plugin.run([], variables)


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, name: str) -> str:
    with pytest.raises(AnsibleError, match="The run sets variables that nothing reads; every problem is listed above"):
        run(monkeypatch, folder, [name])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("tenants_delivry", "cluster_delivery"),
        ("tenants_comit", "tenants_commit"),
        ("tenants_force", "tenants_force_conflicts"),
        ("plan_tenant", "status_tenants"),
        ("plan_tree", "tenants_tree"),
        ("validate_tree", "tenants_tree"),
        ("fleet_relase_line", "fleet_release_line"),
        ("release_line", "fleet_release_line"),
        ("cluster_kubconfig", "cluster_kubeconfig"),
        ("backup_recipients", "etcd_backup_recipients"),
        ("clusters_action", "kubespray_action"),
        ("hosts_profile", "host_baseline_profile"),
        ("databases_version", "postgresql_version"),
        ("vms_file", "vm_inventory_file"),
        ("flux_bootstrap_kubecfg", "flux_bootstrap_kubeconfig"),
        ("flux_status_wiat", "flux_status_wait"),
        ("access_verfy", "access_verify"),
        ("secrets_oldkey", "secrets_old_key_file"),
        ("provisioner_kubeconf", "provisioner_kubeconfig"),
        ("node_label", "node_labels"),
        # what the playbook registers is nothing to set
        ("status_result", ""),
        ("tenants_x{{", ""),
    ],
)
def test_unknown_variables_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, near: str
) -> None:
    found = told(monkeypatch, capsys, tmp_path, name)
    assert found.startswith(f"error: {name}: it is set for this run, and nothing reads it. "), found
    if near:
        assert f"Did you mean {near!r}? " in found
    prefix = re.search(
        r"A variable of your own that starts with (\w+_) needs another name, or a place in a file of the inventory\.$",
        found,
        re.M,
    )
    assert prefix
    assert name.startswith(prefix[1])


def test_every_documented_name_and_those_of_others_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names: list[object] = ["my_tenants_delivry", "tenant__physics", "flux_version", "backup", "_tenants_x", "tenants"]
    for spec in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(spec.read_text())["argument_specs"].values():
            names += entry.get("options", {})
    for playbook in ROOT.glob("playbooks/*.yml"):
        names += re.findall(r"(?<![\w.])([a-z_]+)(?:=|\s*\|\s*default)", playbook.read_text().split("\n- name", 1)[0])
    assert len(names) > 300
    assert "provisioner_manifest" in names
    assert run(monkeypatch, tmp_path, names) == ["localhost:clusters"]


def test_own_variables_of_the_inventory_may_be_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = {
        "hosts.yml": "all: {vars: {backup_window: 1}, children: {clusters: {hosts: {east: {status_page: 1}}}, "
        "kube_node: {hosts: {n1: }}}}\n",
        "group_vars/all/own.yml": "release_branch: main\n",
        "group_vars/kube_node.yml": "hosts_rack: a\n",
        "host_vars/n1.yml": "vms_bridge: br0\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    own: list[object] = ["backup_window", "status_page", "release_branch", "hosts_rack", "vms_bridge"]
    assert run(monkeypatch, tmp_path, own) == ["localhost:clusters"]
    with pytest.raises(AnsibleError, match="nothing reads"):
        run(monkeypatch, tmp_path, [*own, "release_brunch"])
    lines = [line.split(":")[1].strip() for line in capsys.readouterr().out.splitlines() if "nothing reads" in line]
    assert lines == ["release_brunch"]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters in a playbook."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .organisation import CLUSTERS, COLLECTIONS, RECORDED, SETTINGS, TENANT

PLAYBOOK = """
- name: Ask for everything
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Gather
      ansible.builtin.set_fact:
        gathered: "{{ hostvars | k8s.self_provisioning.tenancy }}"

    - name: Quantities
      ansible.builtin.assert:
        that:
          - amounts.one | k8s.self_provisioning.quantity == '1500m'
          - amounts.list | k8s.self_provisioning.quantity_sum == '3'
          - amounts.one | k8s.self_provisioning.quantity_compare('<', amounts.two)
          - amounts.memory | k8s.self_provisioning.quantity_convert('Gi') == 1.5

    - name: Gathered
      ansible.builtin.assert:
        that:
          - gathered.settings.fleet_name == 'The University of Example'
          - gathered.clusters | sort == ['east-dev', 'east-prod', 'west-prod']
          - gathered.clusters['east-dev'].cluster_region == 'north'
          - gathered.tenants | sort == ['tenant__hostile', 'tenant__physics']

    - name: The fleet without the tenant whose file is refused
      ansible.builtin.set_fact:
        fleet: "{{ gathered | combine({'tenants': {'tenant__physics': gathered.tenants.tenant__physics}}) }}"

    - name: Answers
      ansible.builtin.assert:
        that:
          - prod.quota['requests.cpu'] == '8' and prod.quota['requests.memory'] == '16Gi'
          - prod['values'].expires_at == '2030-06-30'
          - (fleet | k8s.self_provisioning.placements(day))['physics/lab-sim/dev'].clusters == ['east-dev']
          - (remembered | k8s.self_provisioning.placements(day))['physics/lab-sim/prod'].clusters == ['west-prod']
          - (remembered | k8s.self_provisioning.placements(day))['physics/lab-sim/prod'].reason == template
          - fleet | k8s.self_provisioning.ledger('tenant', day) | map(attribute='month') == ['120.00']
          - objects | selectattr('kind', 'equalto', 'Namespace') | map(attribute='metadata.name') == [prod.namespace]
          - objects | to_json | from_json == objects
      vars:
        day: "2026-12-01"
        template: !unsafe "{{ 7 * 7 }}"
        memory: "{{ (hostvars | k8s.self_provisioning.tenancy(tree='tree')).recorded }}"
        remembered: "{{ fleet | combine({'recorded': memory}) }}"
        prod: "{{ fleet | k8s.self_provisioning.effective('physics/lab-sim/prod', day) }}"
        objects: "{{ fleet | k8s.self_provisioning.cluster_objects('east-prod', day) }}"

    - name: A tenant file that is a template
      ansible.builtin.set_fact:
        never: "{{ gathered | k8s.self_provisioning.placements }}"
      register: refused
      ignore_errors: true

    - name: It was refused
      ansible.builtin.assert:
        that:
          - refused is failed
          - "'looks like a template' in refused.msg"
  vars:
    amounts: {one: 1.5, two: "2", list: [1, "2"], memory: 1536Mi}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    everybody = tmp_path / "group_vars" / "all"
    (everybody / "tenants").mkdir(parents=True)
    (tmp_path / "host_vars").mkdir()
    physics = copy.deepcopy(TENANT)
    physics["projects"][0]["environments"][1]["expires_at"] = "@"
    proof = tmp_path / "ran"
    hostile = {"id": "hostile", "display_name": f"{{{{ lookup('pipe', 'touch {proof}') }}}}"}
    files = {
        "hosts.yml": {"all": {"children": {"clusters": {"hosts": dict.fromkeys(CLUSTERS)}}}},
        # settings and cluster variables belong to operators, who may use templates
        "group_vars/all/fleet.yml": {**SETTINGS, "fleet_name": "The University of {{ place }}", "place": "Example"},
        "group_vars/all/tenants/physics.yml": {"tenant__physics": physics},
        "group_vars/all/tenants/hostile.yml": {"tenant__hostile": hostile},
        **{f"host_vars/{name}.yml": values for name, values in CLUSTERS.items()},
        "host_vars/east-dev.yml": {**CLUSTERS["east-dev"], "cluster_region": "{{ 'north' }}"},
    }
    for path, content in files.items():
        # a date without quotes: YAML makes an object of it, and the model wants text
        (tmp_path / path).write_text(yaml.safe_dump(content).replace("'@'", "2030-06-30"), encoding="utf-8")
    (tmp_path / "ansible.cfg").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/placements.yaml").write_text(yaml.safe_dump(RECORDED), encoding="utf-8")
    (tmp_path / "playbook.yml").write_text(PLAYBOOK, encoding="utf-8")
    return tmp_path


def test_in_a_playbook(inventory: Path) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(inventory / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(inventory / "home"),
        "ANSIBLE_LOCAL_TEMP": str(inventory / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", "hosts.yml", "playbook.yml"]
    run = subprocess.run(command, cwd=inventory, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert not (inventory / "ran").exists(), "the text of a tenant was run"

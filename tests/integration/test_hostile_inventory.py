# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What project teams write runs nothing on the controller, and what Ansible itself would lose or open is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .playbooks import Run, edit, play

CLUSTER = "cluster_environment: prod\ncluster_security_domain: internal_only\ncluster_sla_tier: tier_1_critical\n"
FLEET = "group_vars/all/fleet.yml"
PHYSICS = "group_vars/all/tenants/physics.yml"
BASIC = {
    "hosts.yml": "all: {children: {clusters: {hosts: {east: , west: }}}}\n",
    FLEET: "fleet_name: one\n",
    PHYSICS: "tenant__physics: {id: physics}\n",
    "host_vars/east.yml": CLUSTER,
    "host_vars/west.yml": CLUSTER,
}
#: Variables that something of ours templates, or Ansible itself.
NAMES = (
    "fleet_hosts",
    "tenants_tree",
    "tenants_today",
    "validate_inventory",
    "access_csv",
    "provisioner_kubeconfig",
    "fleet_domain",
    "fleet_name",
    "cluster_foo",
    "cluster_description",
    "ansible_python_interpreter",
    "_private",
)
OWN_PLAY = """\
- hosts: {hosts}
  connection: local
  gather_facts: false
  tasks:
    - k8s.self_provisioning.fleet_info:
        report: problems
      run_once: true
    - ansible.builtin.debug:
        msg: "{{{{ (hostvars | k8s.self_provisioning.tenancy).clusters | length }}}}"
      run_once: true
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    for name, text in BASIC.items():
        write(tmp_path / "inventory" / name, text)
    return tmp_path / "inventory"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def own_play(inventory: Path, *arguments: str, hosts: str = "clusters", **variables: object) -> Run:
    """A play of an operator, without the lookup."""
    write(inventory.parent / "own.yml", OWN_PLAY.format(hosts=hosts))
    return play(inventory.parent / "own.yml", *arguments, inventory=inventory, **variables)


def trap(tmp_path: Path) -> tuple[str, Path]:
    """A template, and the file that appears when it runs."""
    mark = tmp_path / "it-ran"
    return f"{{{{ lookup('ansible.builtin.pipe', 'touch {mark}') }}}}", mark


@pytest.mark.parametrize("verb", ["validate", "plan", "tenants", "access", "import", "provisioner_access", "own"])
def test_a_second_variable_of_a_tenant_file_is_refused_unseen(verb: str, inventory: Path, tmp_path: Path) -> None:
    template, mark = trap(tmp_path)
    text = BASIC[PHYSICS] + "".join(f'{name}: "{template}"\n' for name in NAMES)
    write(inventory / PHYSICS, text)
    # every operator's template that reaches the tenant's text
    write(inventory / FLEET, 'fleet_defaults: {labels: {x: "{{ _private }}", y: "{{ tenants_tree }}"}}\n')
    run = own_play(inventory) if verb == "own" else play(verb, inventory=inventory)
    assert not mark.exists(), run.out
    assert run.code != 0, run.out
    for line, name in enumerate(NAMES, start=2):
        assert f"{PHYSICS}:{line}: {name}: a tenant file defines one variable" in run.out, (name, run.out)


def test_an_operators_template_does_not_reach_tenants_text(inventory: Path, tmp_path: Path) -> None:
    template, mark = trap(tmp_path)
    write(inventory / PHYSICS, f'tenant__physics: {{id: physics, description: "{template}"}}\n')
    texts = "tenant__physics.description", "hostvars['east'].tenant__physics.description", "vars.tenant__physics"
    labels = ", ".join(f'l{i}: "{{{{ {text} }}}}"' for i, text in enumerate(texts))
    write(inventory / FLEET, f"fleet_defaults: {{labels: {{{labels}}}}}\n")
    run = play("validate", inventory=inventory)
    assert not mark.exists(), run.out
    assert run.code != 0
    assert "looks like a template; tenant files are data" in run.out


def test_a_pull_request_is_read_and_nothing_else(inventory: Path, tmp_path: Path) -> None:
    template, mark = trap(tmp_path)
    other = tmp_path / "request"
    for name, text in BASIC.items():
        write(other / name, text)
    write(other / PHYSICS, BASIC[PHYSICS] + f'fleet_hosts: "{template}"\n"a\\e[2Jb": 1\n')
    (other / "group_vars/all/tenants/passwd.yml").symlink_to("/etc/passwd")
    run = play("validate", inventory=inventory, validate_inventory=other)
    assert run.code != 0
    assert not mark.exists()
    assert "root:" not in run.out
    assert "passwd.yml: it leads out of the inventory folder." in run.out
    assert r"physics.yml:3: a\x1b[2Jb: a tenant file defines one variable" in run.out.replace("\\\\", "\\")
    assert "\x1b[2J" not in run.out


def test_settings_and_tenants_may_stand_at_the_clusters(inventory: Path) -> None:
    (inventory / "group_vars/all").rename(inventory / "group_vars/clusters")
    run = play("validate", inventory=inventory)
    assert run.code == 0, run.out
    assert "2 clusters, 1 tenant" in run.out


def test_what_differs_between_clusters_is_an_error(inventory: Path) -> None:
    write(inventory / "host_vars/west.yml", CLUSTER + "fleet_name: two\ntenant__biology: {id: biology}\n")
    run = play("validate", inventory=inventory)
    assert run.code != 0
    assert "host_vars/west.yml:4: fleet_name: its value on west is another than on east" in run.out
    assert "host_vars/west.yml:5: tenant__biology: only west of 2 clusters know it" in run.out


TEMPLATES = (
    "cluster_description: '{{ nowhere }}'\n"
    "cluster_region: '{{ 1 + }}'\n"
    "cluster_labels: {team: '{{ deep.er }}', kept: '{% raw %}{{ x }}{% endraw %}', fine: '{{ inventory_hostname }}'}\n"
    "cluster_failure_domain: 'a{# a comment #}b'\n"
    "deep: {er: '{{ neither }}'}\n"
)


@pytest.mark.parametrize("hosts", ["clusters", "localhost"])
def test_templates_that_fail_are_named_together(hosts: str, inventory: Path) -> None:
    write(inventory / "host_vars/east.yml", CLUSTER + TEMPLATES)
    write(inventory / FLEET, "fleet_name: '{{ nothing }}'\nfleet_services: {a: {repository: 'oci://{{ unknown }}'}}\n")
    run = own_play(inventory, hosts=hosts)
    assert run.code != 0
    expected = (
        "host_vars/east.yml:4: cluster_description: it cannot be templated: ",
        "host_vars/east.yml:5: cluster_region: it cannot be templated: ",
        "host_vars/east.yml:6: cluster_labels.team: it cannot be templated: ",
        "host_vars/east.yml:6: cluster_labels.kept: a template is left in it after templating.",
        "group_vars/all/fleet.yml:1: fleet_name: it cannot be templated: ",
        "group_vars/all/fleet.yml:2: fleet_services.a.repository: it cannot be templated: ",
    )
    told = [line for line in run.lines if line.startswith("error: ")]
    assert [text for text in expected if not any(text in line for line in told)] == [], run.out
    assert len(told) == len(expected), run.out
    assert "'nowhere' is undefined" in run.out


def test_templates_of_operators_run_and_literal_text_stays(inventory: Path, tmp_path: Path) -> None:
    values = "{rule: !unsafe '{{ $labels.x }}', who: '{{ team }}', list: '{{ [1, 2] }}', note: 'a{# b #}c'}"
    write(
        inventory / FLEET,
        "team: ops\nfleet_services:\n  alerts:\n    repository: oci://r.example/alerts\n    version: '1'\n"
        f"    values: {values}\n",
    )
    write(
        inventory / "host_vars/east.yml", CLUSTER + "cluster_services: {alerts: {}}\ncluster_region: '{{ team }}-1'\n"
    )
    run = play("tenants", inventory=inventory, tenants_tree=tmp_path / "tree", tenants_init=True)
    assert run.code == 0, run.out
    text = "".join(p.read_text() for p in (tmp_path / "tree/clusters/east").rglob("*.yaml"))
    for wanted in ("{{ $labels.x }}", "who: ops", "note: ac", "- 1\n", "region: ops-1"):
        assert wanted in text, wanted


def test_vaulted_values_are_not_opened(inventory: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret")
    vault = [str(Path(sys.executable).with_name("ansible-vault")), "encrypt_string", "--vault-password-file", password]
    value = subprocess.run([*vault, "opened"], capture_output=True, text=True, check=True).stdout.replace(
        "\n", "\n    "
    )
    write(inventory / PHYSICS, f"tenant__physics:\n  id: physics\n  description: {value}\n")
    write(inventory / FLEET, f"fleet_services:\n  a:\n   repository: oci://a/b\n   values:\n    x: {value}\n")
    write(inventory / "group_vars/all/own.yml", f"password: {value}\n")
    write(inventory / "host_vars/east.yml", CLUSTER + f"cluster_description: {value}\ncluster_kubeconfig: {value}\n")
    write(inventory / "group_vars/all/closed.yml", "a: 1\n")
    closed = [vault[0], "encrypt", "--vault-password-file", str(password), "group_vars/all/closed.yml"]
    subprocess.run(closed, cwd=inventory, capture_output=True, check=True)
    for run in (
        play("validate", "--vault-password-file", str(password), inventory=inventory),
        own_play(inventory, "--vault-password-file", str(password)),
        play("validate", inventory=None, validate_inventory=inventory),
    ):
        assert run.code != 0
        assert "opened" not in run.out
        told = [line for line in run.lines if line.startswith("error: ")]
        assert sorted(line.split(": ")[2] for line in told) == [
            "cluster_description",
            "fleet_services.a.values.x",
            "tenant__physics.description",
        ], run.out


def test_files_of_others_do_not_stop_the_run(inventory: Path) -> None:
    write(inventory / "group_vars/all/other.yml", "a: 1\na: 2\n")
    run = play("validate", inventory=inventory)
    assert run.code == 0, run.out
    assert "warning: " in run.out
    assert "other.yml:2: other.yml: the key 'a' stands here twice" in run.out


def test_reading_problems_come_with_all_others(inventory: Path) -> None:
    write(inventory / "group_vars/all/tenants/broken.yml", "tenant__broken: [\n")
    write(inventory / "group_vars/all/tenants/empty.yml", "")
    edit(inventory / PHYSICS, "id: physics", "id: physics, parent: nobody")
    run = play("validate", inventory=inventory)
    assert run.code != 0
    for text in (
        "broken.yml:2: broken.yml: it is not valid YAML",
        "empty.yml: empty.yml: it is empty",
        "nobody",
        "cannot be read; every problem is listed above",
    ):
        assert text in run.out, run.out


def test_a_folder_without_clusters_is_not_sound(inventory: Path) -> None:
    write(inventory / "hosts.yml", "all: {hosts: {east: }}\n")
    run = play("validate", inventory=None, validate_inventory=inventory)
    assert run.code != 0
    assert "the inventory has no host in the group 'clusters'" in run.out
    assert "sound" not in run.out

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted variables in the inventory: what decrypts them, and what is said when nothing does."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

from ..flux import build
from ..flux.site import CLUSTER_VALUES, SETTINGS, tenant
from ..integration.playbooks import ROOT, Run
from . import collection

TOKEN = "not a real token"
ENABLED = "vars_plugins_enabled = host_group_vars,community.sops.sops\n"
PLAY = """\
- name: Use what is encrypted
  hosts: "{{ lookup('k8s.self_provisioning.fleet_hosts') }}"
  connection: local
  gather_facts: false
  tasks:
    - name: Check the inventory
      k8s.self_provisioning.fleet_info:
      run_once: true
    - name: Keep it
      ansible.builtin.copy:
        content: "{{ flux_token }}"
        dest: "{{ kept }}"
        mode: "0600"
      run_once: true
"""


class Fleet:
    """An inventory with an encrypted file, and the key that opens it."""

    def __init__(self, folder: Path) -> None:
        """Write it."""
        self.folder, self.key = folder, folder / "age.key"
        self.sops = build.find().sops
        self.key.write_text(age.generate(datetime.datetime.now(datetime.timezone.utc)), encoding="utf-8")
        self.kept = folder / "kept"
        self.write("play.yml", PLAY)
        self.write("inventory/hosts.yml", json.dumps({"all": {"children": {"clusters": {"hosts": {"east": {}}}}}}))
        self.write("inventory/group_vars/all/fleet.yml", json.dumps(SETTINGS))
        self.write("inventory/group_vars/all/tenants/a.yml", json.dumps({"tenant__a": tenant("a")}))
        self.write("inventory/host_vars/east.yml", json.dumps(CLUSTER_VALUES))
        self.encrypted("inventory/group_vars/all/secrets.sops.yml", {"flux_token": TOKEN})

    def write(self, name: str, text: str) -> Path:
        """A file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def encrypted(self, name: str, variables: dict[str, object]) -> None:
        """A file for the key."""
        path = self.write(name, json.dumps(variables))
        (recipient,) = age.recipients(self.key.read_text(encoding="utf-8"))
        command = [str(self.sops), "encrypt", "--age", recipient, "--input-type", "yaml", "--output-type", "yaml"]
        subprocess.run([*command, "--in-place", str(path)], check=True)
        assert TOKEN not in path.read_text(encoding="utf-8")

    def run(self, settings: str = ENABLED, *, key: bool = True) -> Run:
        """A run of a play that writes the decrypted value."""
        paths = f"{ROOT / '.cache/collections'}:{collection.find()}"
        self.write("ansible.cfg", f"[defaults]\ncollections_path = {paths}\n{settings}")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "SOPS_"))}
        # no key of whoever runs the tests
        env.update(PATH=f"{self.sops.parent}:{env['PATH']}", XDG_CONFIG_HOME=str(self.folder), HOME=str(self.folder))
        if key:
            env["SOPS_AGE_KEY_FILE"] = str(self.key)
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory", "play.yml"]
        done = subprocess.run(
            [*command, "-e", f"kept={self.kept}"],
            cwd=self.folder, env=env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        return Run(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """An inventory of its own."""
    return Fleet(tmp_path)


def test_an_encrypted_variable_is_read_with_the_key(fleet: Fleet) -> None:
    """As if it were in the clear, and nothing shows it."""
    run = fleet.run()
    assert run.code == 0, run.out
    assert fleet.kept.read_text(encoding="utf-8") == TOKEN
    assert TOKEN not in run.out


def test_without_the_key_there_is_one_error(fleet: Fleet) -> None:
    """It names the file, and no task has run."""
    run = fleet.run(key=False)
    assert run.code != 0
    assert "secrets.sops.yml" in run.out
    assert "Failed to get the data key required to decrypt the SOPS file" in run.out
    assert run.out.count("ERROR") == 1, run.out
    assert not fleet.kept.exists()


@pytest.mark.parametrize("settings", ["", "vars_plugins_enabled = community.sops.sops,host_group_vars\n"])
def test_cipher_text_is_never_taken_for_a_value(fleet: Fleet, settings: str) -> None:
    """When nobody decrypts it, or somebody reads the file again afterwards."""
    run = fleet.run(settings)
    assert run.code != 0
    told = "secrets.sops.yml: SOPS encrypted it, and nobody decrypts it: its variables would be their own cipher text."
    assert told in " ".join(run.out.split())
    assert "vars_plugins_enabled = host_group_vars,community.sops.sops" in " ".join(run.out.split())
    assert not fleet.kept.exists()


def test_a_tenant_file_is_not_encrypted(fleet: Fleet) -> None:
    """Nor is a setting of the fleet, which would get into Git decrypted."""
    fleet.encrypted("inventory/group_vars/all/tenants/b.sops.yml", {"tenant__b": tenant("b")})
    fleet.encrypted("inventory/host_vars/east.sops.yml", {"cluster_region": "hk-east"})
    run = fleet.run()
    out = " ".join(run.out.split())
    assert run.code != 0
    assert "b.sops.yml: SOPS encrypted it; a tenant file is data that everybody concerned can read." in out
    assert "cluster_region: the value is encrypted, and would be written into Git or the cluster decrypted." in out
    assert not fleet.kept.exists()

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflights of hosts and databases as plays, which every ansible-core that is supported has to get through."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.finding import CHECKS as OF_HOSTS
from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql.check import CHECKS as OF_DATABASES
from ansible_collections.k8s.self_provisioning.tests.tools.machines import ROOT


@pytest.mark.parametrize(
    ("verb", "group", "role", "checks"),
    [("hosts", "kube_node", "host_baseline", OF_HOSTS), ("databases", "database", "postgresql", OF_DATABASES)],
)
def test_this_machine_is_looked_at_and_nothing_else(
    tmp_path: Path, verb: str, group: str, role: str, checks: dict[str, str]
) -> None:
    here = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
    settings = {f"{role}_preflight_severity": dict.fromkeys(checks, "ignore")}
    inventory = {group: {"hosts": {"here": {**here, **settings, "ip": "192.0.2.1"}}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (tmp_path / "ansible.cfg").touch()
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [sys.executable, "-m", "ansible.cli.playbook", f"k8s.self_provisioning.{verb}", "-i", "hosts.yml"]
    command += ["--check", "--tags", f"{role}_preflight"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    assert re.search(r"^here +: ok=[1-9]\d* +changed=0 ", run.stdout, re.MULTILINE), said

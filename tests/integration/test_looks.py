# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that cannot be looked at: none is lost, and none keeps a preflight from the others."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from tests.integration.playbooks import play

HOSTS = {
    "well": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
    "gone": {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_connection": "ssh"},
    "bare": {"ansible_connection": "local", "ansible_python_interpreter": "/nowhere/python3"},
}
MODULES = ("host_info", "postgresql_info", "api_endpoint_info")


def test_what_cannot_be_seen_is_handed_over_or_a_failure(tmp_path: Path) -> None:
    """Handed over without an error, since the plays of the roles end with the first one."""
    tasks: list[dict[str, object]] = []
    for module in MODULES:
        look = f"k8s.self_provisioning.{module}"
        tasks.append({look: {"fail": False}, "register": f"handed_{module}"})
    tasks.append({look: None, "register": "plain", "ignore_errors": True, "ignore_unreachable": True})
    registered = [str(task["register"]) for task in tasks]
    content = f"{{{{ {{{', '.join(f'{name!r}: {name}' for name in registered)}}} | to_json }}}}"
    keep = {"dest": str(tmp_path / "{{ inventory_hostname }}.json"), "content": content, "mode": "0600"}
    tasks.append({"ansible.builtin.copy": keep, "delegate_to": "well"})
    inventory, playbook = tmp_path / "hosts.yml", tmp_path / "play.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": HOSTS}}), encoding="utf-8")
    whole = [{"hosts": "all", "gather_facts": False, "any_errors_fatal": True, "tasks": tasks}]
    playbook.write_text(yaml.safe_dump(whole), encoding="utf-8")
    run = play(playbook, inventory=inventory)
    assert run.code == 0, run.out
    for host in HOSTS:
        told = json.loads((tmp_path / f"{host}.json").read_text(encoding="utf-8"))
        for module in MODULES:
            handed = told[f"handed_{module}"]
            assert not handed.get("failed"), (host, handed)
            assert not handed.get("unreachable"), (host, handed)
            if host == "well":
                assert handed["seen"]
                assert "unseen" not in handed
                assert module == "api_endpoint_info" or handed["expect"]["controller_time_after"]
            else:
                assert "seen" not in handed
                assert {"gone": "port 9", "bare": "/nowhere/python3"}[host] in handed["unseen"]
        plain, sign = told["plain"], {"gone": "unreachable", "bare": "failed", "well": "seen"}[host]
        assert plain.get(sign), (host, plain)

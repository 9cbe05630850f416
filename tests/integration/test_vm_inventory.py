# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The 700 machines of the example, from hypervisors and a table into an inventory; mistakes told with their lines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.playbooks import ROOT, Run, play, tasks
from tests.tools import vm_estate

DEFAULTS = yaml.safe_load((ROOT / "roles/vm_inventory/defaults/main.yml").read_text(encoding="utf-8"))
DAY = "2026-11-21"


def looks(made: list[vm_estate.Made]) -> dict[str, dict[str, str]]:
    """What the script of the role prints on each hypervisor; molecule's scenario runs it on real hosts."""
    found = {}
    for host, own in vm_estate.hosts(made).items():
        if own[0].kind == "openvz":
            text = f"@@ vzlist\n{vm_estate.vzlist(own)}\n@@ vzfiles\n"
        else:
            text = "@@ libvirt\n" + "".join(
                f"@@ state {each.uuid}\n{each.state.replace('stopped', 'shut off')}\n@@ xml {each.uuid}\n"
                f"{vm_estate.domain(each)}\n@@ blocks {each.uuid}\n vda {each.disk_gib << 30} 1 1\n"
                f"@@ files {each.uuid}\n"
                for each in own
            )
        found[host] = {"stdout": text + "@@ end\n"}
    return found


def listed(file: Path) -> dict[str, t.Any]:
    """The inventory as Ansible reads it."""
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(file), "--list", "--export"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "WARNING" not in done.stderr, done.stderr
    found: dict[str, t.Any] = json.loads(done.stdout)
    return found


def task(file: Path, **options: object) -> dict[str, object]:
    given = {key: DEFAULTS[f"vm_inventory_{key}"] for key in ("rules", "sizes", "ages")}
    return {"k8s.self_provisioning.vm_inventory": {"file": str(file), "today": DAY, **given, **options}}


def with_diff(wanted: dict[str, object]) -> dict[str, object]:
    return {**wanted, "check_mode": True, "diff": True}


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, t.Any], list[dict[str, t.Any]], Run]:
    """All 700 machines once: looked at, told again, and told with a host that is away and one that is no more."""
    folder = tmp_path_factory.mktemp("estate")
    vm_estate.write(folder)
    made = vm_estate.machines()
    answers = looks(made)
    file = folder / "vms.yml"
    table = [{"path": str(folder / "vms.csv"), "columns": vm_estate.COLUMNS}]
    given = {"looks": answers, "hosts": list(answers), "tables": table, "construct": {"prefix": "vm-"}}
    away = {
        **given,
        "looks": {"kvm01": {"unreachable": True, "msg": "No route to host"}, "kvm02": answers["kvm02"]},
        "hosts": [host for host in answers if host != "ovz08"],
    }
    results, run = tasks(
        folder, [with_diff(task(file, **given)), task(file, **given), task(file, **given), task(file, **away)]
    )
    return file, {each.name: each for each in made}, results, run


def test_check_mode_first_then_nothing_to_do(estate: t.Any) -> None:
    _file, _made, (checked, first, second, _away), _run = estate
    assert [each["changed"] for each in (checked, first, second)] == [True, True, False]
    assert checked["diff"][0]["before"] == ""
    assert len(checked["machines"]) == len(first["machines"]) == vm_estate.TOTAL


def test_every_machine_is_what_it_was_made_and_says_why(estate: t.Any) -> None:
    _file, made, (_checked, first, *_rest), _run = estate
    for each in first["machines"]:
        maker = made[each["name"]]
        assert (each["kind"], each["host"], each["owner"]) == (maker.kind, maker.host, maker.owner)
        assert (each["cpus"], each["memory_gib"], each["disk_gib"]) == (maker.cpus, maker.memory_gib, maker.disk_gib)
        assert (each["created"], each["state"], each["workload"]) == (maker.created, maker.state, maker.workload)
        assert each["decision"] in ("containerise", "kubevirt", "keep")
        assert each["decision_why"]
        assert each["labels"] == {"asset": f"A-{maker.number:05}"}
    assert not first["problems"]


def test_tables_add_up(estate: t.Any) -> None:
    _file, made, (_checked, first, *_rest), run = estate
    for rows in first["tables"].values():
        assert sum(row["vms"] for row in rows) == vm_estate.TOTAL
        assert sum(row["disk_gib"] for row in rows) == sum(each.disk_gib for each in made.values())
        for row in rows:
            assert row["containerise"] + row["kubevirt"] + row["keep"] + row["undecided"] == row["vms"]
    physics = next(row for row in first["tables"]["owner"] if row["owner"] == "physics")
    assert physics["cpus"] == sum(each.cpus for each in made.values() if each.owner == "physics")
    assert [row["size"] for row in first["tables"]["size"]] == ["small", "medium", "large", "huge"]
    assert "700 virtual machines, 109,960 GiB of disks" in run.out
    assert sum(rule["vms"] for rule in first["rules"]) == vm_estate.TOTAL


@pytest.mark.slow
def test_a_host_that_is_away_keeps_its_machines_and_one_that_is_no_more_does_not(estate: t.Any) -> None:
    file, _made, (*_rest, away), _run = estate
    on = [each["host"] for each in away["machines"] if each["sources"][0] == each["host"]]
    assert on.count("kvm01") == 25
    assert "ovz08" not in on
    told = [each["what"] for each in away["problems"]]
    assert told == ["it cannot be looked at: No route to host", f"its 25 machines are those of {DAY}."]
    # what the table says is on a host that nobody asked is a machine of the table now
    assert len(listed(file)["vms"]["hosts"]) == vm_estate.TOTAL


def test_inventory_of_the_machines(estate: t.Any) -> None:
    file, made, (*_before, last), _run = estate
    found = listed(file)
    for group, name in (("vm_kind_openvz", "kind"), ("vm_owner_physics", "owner"), ("vm_decision_keep", "decision")):
        wanted = group.rsplit("_", 1)[1]
        assert len(found[group]["hosts"]) == sum(each[name] == wanted for each in last["machines"])
    name = next(each for each in made if made[each].kind == "openvz" and made[each].host != "ovz08")
    variables = found["_meta"]["hostvars"][f"vm-{name}"]
    assert variables["vm_name"] == name
    assert variables["vm_decision_why"]
    assert variables["ansible_host"].startswith("10.66.")


def test_texts_are_no_templates_and_names_are_told_apart(tmp_path: Path) -> None:
    table = tmp_path / "vms.csv"
    table.write_text(
        "name,host,note,address\n"
        "Web 01,a,\"{{ lookup('pipe', 'touch hacked') }}\",-oProxyCommand=x\n"
        "web-01,b,,10.1.1.1\n"
    )
    file = tmp_path / "vms.yml"
    construct = {"keyed_groups": [{"key": "vm_host", "prefix": "on"}], "compose": {"short": "vm_name | upper"}}
    results, run = tasks(tmp_path, [task(file, tables=[{"path": str(table)}], construct=construct)])
    assert run.code == 0, run.out
    assert results[0]["machines"][0]["note"].startswith("{{ lookup(")
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        "- {hosts: vms, gather_facts: false, connection: local, tasks: [{ansible.builtin.debug: {var: vm_note}}]}\n"
    )
    shown = play(playbook, inventory=file, cwd=tmp_path)
    assert shown.code == 0, shown.out
    assert "lookup('pipe', 'touch hacked')" in shown.out
    assert not (tmp_path / "hacked").exists()
    found = listed(file)
    assert found["vms"]["hosts"] == ["web-01-a", "web-01-b"]
    assert found["on_a"]["hosts"] == ["web-01-a"]
    # ansible-inventory marks what an expression has made
    assert found["_meta"]["hostvars"]["web-01-a"]["short"] in ("WEB 01", {"__ansible_unsafe": "WEB 01"})
    assert "ansible_host" not in found["_meta"]["hostvars"]["web-01-a"]


def test_all_mistakes_at_once_and_nothing_written(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("name,host\nweb01,a\n")
    bad.write_text("name;cpus\nx;two\n;1\n")
    file = tmp_path / "vms.yml"
    missing = {"path": str(tmp_path / "none.csv")}
    wrong = [{"name": "w", "when": {"oss": "win*"}, "decision": "keep", "why": "Because."}]
    tables = [{"path": str(good)}, {"path": str(good)}, {"path": str(bad)}, missing]
    results, run = tasks(tmp_path, [task(file, tables=tables, rules=wrong)])
    told = [(Path(each["file"]).name, each["line"], each["path"]) for each in results[0]["problems"]]
    assert told == [
        ("", 0, "vm_inventory_rules[w].when.oss"),
        ("bad.csv", 2, "cpus"),
        ("bad.csv", 3, "name"),
        ("none.csv", 0, "table"),
        ("good.csv", 2, "name"),
    ]
    assert results[0]["msg"] == "Nothing was written: 5 errors, listed above."
    assert f"{bad}:2: cpus: 'two' is no number above 0." in run.out
    assert not file.exists()


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text("all: {hosts: {a: {}}}\n")
    results, _run = tasks(tmp_path, [task(file)])
    assert "was not written by this role" in results[0]["problems"][0]["what"]
    assert file.read_text() == "all: {hosts: {a: {}}}\n"


def test_a_machine_with_the_name_of_a_host_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "vms.csv"
    table.write_text("name\nhela-a01\n")
    tasks(tmp_path, [task(tmp_path / "z.yml", tables=[{"path": str(table)}])])
    (tmp_path / "hosts.yml").write_text("all: {hosts: {hela-a01: {}}}\n")
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(tmp_path / "hosts.yml")]
    command += ["-i", str(tmp_path / "z.yml"), "--list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    text = " ".join(done.stderr.split())
    assert "the virtual machine hela-a01 has the name of another host of the inventory" in text


@pytest.mark.slow
def test_the_playbook_with_a_table_only(tmp_path: Path) -> None:
    table = tmp_path / "vms.csv"
    table.write_text("name,workload\nweb01,web\n")
    variables = {"vm_inventory_file": str(tmp_path / "vms.yml"), "vm_inventory_tables": [{"path": str(table)}]}
    (tmp_path / "hosts.yml").write_text("hypervisors: {}\n")
    without = play("vms", inventory=tmp_path / "hosts.yml")
    assert without.code != 0
    assert "vm_inventory_file is not set." in without.out
    done = play("vms", inventory=tmp_path / "hosts.yml", **variables)
    assert done.code == 0, done.out
    assert done.changed == 1
    assert listed(tmp_path / "vms.yml")["vm_decision_containerise"]["hosts"] == ["web01"]


def test_a_hypervisor_that_lets_nobody_run_the_script_stops_no_other_and_is_told(tmp_path: Path) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'this account is locked' >&2\nexit 1\n", encoding="utf-8")
    sudo.chmod(0o755)
    locked = {"ansible_become": True, "ansible_become_user": "nobody", "ansible_become_exe": str(sudo)}
    hosts = {"kvm01": locked, "kvm02": {"ansible_become": False}}
    group = {"hosts": hosts, "vars": {"ansible_connection": "local"}}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"hypervisors": group}), encoding="utf-8")
    run = play("vms", inventory=inventory, vm_inventory_file=str(tmp_path / "vms.yml"))
    assert run.code == 0, run.out
    assert "kvm01: hypervisor: it cannot be looked at: this account is locked" in run.out
    assert "kvm02: hypervisor: it has neither virsh nor vzlist." in run.out
    assert re.search(r"kvm01 +: .*rescued=1", run.out), run.out
    assert "failed=1" not in run.out

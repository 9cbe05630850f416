# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of machines, and how what hypervisors and tables say is put together."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms import estate, rules
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms.machine import Machine
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms.rows import Row

TODAY = datetime.date(2026, 11, 21)
DEFAULTS = yaml.safe_load(
    (Path(__file__).resolve().parents[3] / "roles/vm_inventory/defaults/main.yml").read_text(encoding="utf-8")
)
SETTINGS: dict[str, t.Any] = {
    **{key: DEFAULTS[f"vm_inventory_{key}"] for key in ("rules", "sizes", "ages", "owners")},
    "today": TODAY,
}


def machine(**values: t.Any) -> Machine:
    given = {"id": "u1", "name": "web01", "kind": "kvm", "host": "kvm01", "state": "running", "sources": ["kvm01"]}
    return Machine(**{**given, **values})


def row(line: int = 2, labels: dict[str, str] | None = None, **values: t.Any) -> Row:
    return Row("vms.csv", line, {"name": "web01", **values}, labels or {})


def settled(
    *machines: Machine, table: list[Row] | None = None, looked: tuple[str, ...] = (), **settings: t.Any
) -> tuple[list[dict[str, t.Any]], list[str]]:
    problems = Problems()
    seen: dict[str, estate.Seen] = {}
    for each in machines:
        seen.setdefault(each.host, estate.Seen("2026-11-20")).machines.append(each)
    found = estate.decided(seen, table or [], looked, {**SETTINGS, **settings}, problems)
    return found, [each.render(lambda where: (where.file, where.line)) for each in problems]


SMALL = {"cpus": 2, "memory_gib": 4, "disk_gib": 40}
#: A machine, what the default rules decide, by which rule, the grounds that are told, and what was not known before.
DEFAULT: dict[str, tuple[dict[str, t.Any], str, str, str, list[str]]] = {
    "GPU": ({"devices": ["pci 0x65"]}, "keep", "hardware", "(passthrough yes)", []),
    "database": ({"workload": "Database"}, "keep", "databases", "(workload Database)", []),
    "huge": ({**SMALL, "cpus": 32}, "keep", "huge", "(size huge)", ["workload"]),
    "windows": ({**SMALL, "os": "win-2k16"}, "kubevirt", "windows", "(os win-2k16)", ["workload"]),
    "web": ({**SMALL, "os": "debian-12", "workload": "web"}, "containerise", "no state", "(workload web)", []),
    "container": (
        {**SMALL, "os": "centos-7", "kind": "openvz", "created": "2020-11-21"},
        *("containerise", "system containers", "(kind openvz, age middle)", ["workload"]),
    ),
    "old container": (
        {**SMALL, "os": "centos-6", "kind": "openvz", "created": "2012-01-01"},
        *("kubevirt", "old systems", "(age old)", ["workload"]),
    ),
    "nothing known": ({}, "kubevirt", "the rest", "looked inside.", ["workload", "size", "os", "age"]),
}


@pytest.mark.parametrize(("values", "decision", "rule", "grounds", "unknown"), DEFAULT.values(), ids=DEFAULT)
def test_default_rules(values: dict[str, t.Any], decision: str, rule: str, grounds: str, unknown: list[str]) -> None:
    (found,), told = settled(machine(**values))
    assert not told
    assert (found["decision"], found["decision_rule"], found["decision_unknown"]) == (decision, rule, unknown)
    assert found["decision_why"].endswith(grounds)


def test_the_default_rules_are_right_and_each_decides_something() -> None:
    problems = Problems()
    rules.check(SETTINGS["rules"], SETTINGS["sizes"], SETTINGS["ages"], SETTINGS["owners"], problems)
    assert not list(problems)
    assert {rule["name"] for rule in SETTINGS["rules"]} == {
        rule for _values, _decision, rule, *_rest in DEFAULT.values()
    }


#: A condition, and whether it fits a machine of 4 cores and 8 GiB that is six years old and of the physicists.
CONDITIONS: list[tuple[dict[str, t.Any], bool]] = [
    ({"cpus": 4}, True),
    ({"cpus": 5}, False),
    ({"cpus": {"at_least": 4}, "memory_gib": {"at_most": 8}}, True),
    ({"memory_gib": {"at_least": 8.1}}, False),
    ({"age_years": {"at_least": 5, "at_most": 6.5}}, True),
    ({"owner": "PHYS*"}, True),
    ({"owner": ["chem*", "phys*"]}, True),
    ({"owner": "phys*", "host": "ovz*"}, False),
    ({"label.asset": "A-*"}, True),
    ({"label.contract": "*"}, False),
    ({"passthrough": False}, True),
    ({"os": "*"}, False),
    ({}, True),
]


@pytest.mark.parametrize(("when", "fits"), CONDITIONS, ids=str)
def test_condition(when: dict[str, t.Any], fits: bool) -> None:
    given = machine(cpus=4, memory_gib=8.0, created="2020-11-21", owner="physics", labels={"asset": "A-1"})
    rule = {"name": "it", "when": when, "decision": "keep", "why": "Because."}
    (found,), _told = settled(given, rules=[rule])
    assert found["decision"] == ("keep" if fits else "undecided")
    assert found["decision_why"].startswith("Because." if fits else "No rule fits; ")


def test_a_person_counts_before_rules() -> None:
    (found,), told = settled(machine(devices=["pci"]), table=[row(7, decision="containerise", reason="Rewritten.")])
    assert not told
    assert (found["decision"], found["decision_rule"]) == ("containerise", "vms.csv:7")
    assert found["decision_why"] == "Rewritten. (decided in vms.csv:7)"


def test_what_a_table_adds() -> None:
    known = machine(cpus=2, memory_gib=None, os="ubuntu-14.04", created="2020-01-01", created_from="files")
    told_of = row(cpus=8, memory_gib=4, os="Debian-12", owner="hr", created="2014-01-01", labels={"asset": "A-1"})
    (found,), told = settled(known, table=[told_of])
    assert not told
    assert (found["cpus"], found["memory_gib"]) == (2, 4)
    assert (found["os"], found["owner"], found["labels"]) == ("debian-12", "hr", {"asset": "A-1"})
    assert (found["created"], found["created_from"], found["sources"]) == (
        "2014-01-01",
        "table",
        ["kvm01", "vms.csv:2"],
    )


#: Machines, rows, and the machines (id, sources) and messages that come of them.
BOTH: dict[str, tuple[list[Machine], list[Row], list[str], str]] = {
    "by name": ([machine()], [row(name="WEB01")], ["u1"], ""),
    "by id": ([machine()], [row(name="other", id="U1")], ["u1"], ""),
    "by number of a container": (
        [machine(id="ovz01/101", host="ovz01")],
        [row(name="x", id="101", host="ovz01")],
        ["ovz01/101"],
        "",
    ),
    "only in the table": ([], [row(host="old9")], ["old9/web01"], ""),
    "two of a name": (
        [machine(), machine(id="u2", host="kvm02")],
        [row()],
        ["u1", "u2"],
        "vms.csv:2: name: 'web01' are several machines: u1 on kvm01, u2 on kvm02. Give its id.",
    ),
    "two of a name, told apart": ([machine(), machine(id="u2", host="kvm02")], [row(host="kvm02")], ["u1", "u2"], ""),
    "gone from a host": (
        [machine()],
        [row(name="db", host="kvm01")],
        ["u1"],
        "'db' is not on kvm01, which was looked at",
    ),
    "not gone from a host that was not asked": ([], [row(name="db", host="kvm07")], ["kvm07/db"], ""),
    "two rows": (
        [machine()],
        [row(2), row(3, id="u1")],
        ["u1"],
        "vms.csv:3: name: is about the same machine as vms.csv:2.",
    ),
    "moved while it was looked at": ([machine(state="stopped"), machine(host="kvm02")], [], ["u1"], ""),
}


@pytest.mark.parametrize(("machines", "table", "ids", "message"), BOTH.values(), ids=BOTH)
def test_both(machines: list[Machine], table: list[Row], ids: list[str], message: str) -> None:
    found, told = settled(*machines, table=table, looked=("kvm01", "kvm02"))
    assert sorted(each["id"] for each in found) == ids
    assert len(told) == bool(message), told
    assert message in "".join(told)
    if len(machines) > len(ids):  # one that moved counts where it runs
        assert found[0]["host"] == "kvm02"


def test_owners_by_name() -> None:
    owners = [{"match": "web*", "owner": "website"}, {"match": "*", "owner": "others"}]
    found, _told = settled(
        machine(), machine(id="2", name="x"), machine(id="3", name="web2", owner="hr"), owners=owners
    )
    assert {each["name"]: each["owner"] for each in found} == {"web01": "website", "x": "others", "web2": "hr"}


RULE = {"name": "a", "when": {"os": "x"}, "decision": "keep", "why": "Because."}
#: Rules with mistakes, and what is told.
WRONG: dict[str, tuple[list[t.Any], list[str]]] = {
    "no rule": (["keep"], ["vm_inventory_rules[0]: 'keep' is no rule."]),
    "empty": (
        [{}],
        [".name: is missing.", ".why: is missing.", "vm_inventory_rules[0].decision: is missing."],
    ),
    "misspelt": (
        [{**RULE, "wenn": {}, "decision": "kubvirt", "when": {"oss": "x", "cpu": 4}}],
        [
            "[a].wenn: there is no such key. Did you mean 'when'?",
            "'kubvirt' is no decision. Did you mean 'kubevirt'?",
            "[a].when.oss: rules cannot ask for it. Did you mean 'os'?",
            "[a].when.cpu: rules cannot ask for it. Did you mean 'cpus'?",
        ],
    ),
    "wrong kinds": (
        [{**RULE, "when": {"cpus": "many", "memory_gib": {"atleast": 3}, "passthrough": "yes", "os": {}, "name": []}}],
        [
            *("'many' is no amount.", "{'atleast': 3} is no amount.", "'yes' is neither true nor false."),
            *("{} is no text.", "[] is no text."),
        ],
    ),
    "never reached": ([{**RULE, "when": {}}, {**RULE, "name": "b"}], ["[b]: is never reached: a fits every machine."]),
    "two of a name": ([RULE, RULE], ["[a].name: another rule has this name."]),
    "a name that is a list": ([{**RULE, "name": ["a"]}], [".name: is missing."]),
}


@pytest.mark.parametrize(("given", "messages"), WRONG.values(), ids=WRONG)
def test_wrong_rules(given: list[t.Any], messages: list[str]) -> None:
    problems = Problems()
    rules.check(given, {}, {}, [], problems)
    told = [each.render() for each in problems]
    assert len(told) == len(messages), told
    for line, message in zip(told, messages, strict=True):
        assert message in line


def test_wrong_classes_and_owners() -> None:
    problems = Problems()
    rules.check([], {"s": {"cpu": 2}, "m": 3, "l": {"cpus": "2"}}, {"old": "8"}, [{"match": "x"}], problems)
    told = [each.render() for each in problems]
    assert len(told) == 5
    assert "vm_inventory_sizes.s.cpu: there is no such key. Did you mean 'cpus'?" in told[0]
    assert "vm_inventory_ages.old" in told[3]
    assert "vm_inventory_owners[0]" in told[4]


def test_the_file_says_what_was_put_in() -> None:
    seen = {"kvm01": estate.Seen("2026-11-21", [machine(note='{{ "x" }}\n', labels={"é": "ü"})])}
    found, _told = settled(*seen["kvm01"].machines)
    text = estate.text(found, seen, {"prefix": "vm-"})
    assert estate.restored(text, "vms.yml") == seen
    assert yaml.safe_load(text)["machines"][0]["note"] == '{{ "x" }}\n'
    for broken in ("", "[]", "{}", text.replace("looked", "locked"), text[:-3]):
        with pytest.raises(ValueError, match=r"vms\.yml' was not written by this role"):
            estate.restored(broken, "vms.yml")

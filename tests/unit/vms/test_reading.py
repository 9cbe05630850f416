# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What virsh, vzlist and tables say, in the forms in which they say it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms import estate
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms.machine import Machine, os_name
from ansible_collections.k8s.self_provisioning.plugins.module_utils._vms.rows import Table, read

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
#: As virsh 9.0 prints it.
XML = f"""\
<domain type='kvm' id='4'>
  <name>exam-db01</name>
  <uuid>{UUID}</uuid>
  <title>Marks, do not
    touch</title>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://ubuntu.com/ubuntu/14.04"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='KiB'>8388608</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu placement='static' current='2'>8</vcpu>
  <devices>
    <disk type='file' device='disk'><source file='/srv/a.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <disk type='network' device='disk'><source protocol='rbd' name='vms/b'/><target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x65' slot='0x00' function='0x0'/></source>
    </hostdev>
  </devices>
</domain>"""
ALL = """\
 vda      107374182400   20401094656   107374182400
 vdb      53687091200    53687091200   53687091200
 sda      -              -             -
"""
ONE_BY_ONE = """\
disk vda
Capacity:       107374182400
Allocation:     20401094656
Physical:       107374182400

disk vdb
Capacity:       53687091200
"""
FILES = "1394000000 1700000000\n- 1600000000\n0 1500000000"


def virsh(xml: str = XML, blocks: str = ALL, files: str = FILES, state: str = "running") -> str:
    parts = ("@@ libvirt", UUID, f"@@ state {UUID}", state, f"@@ xml {UUID}", xml)
    parts += (f"@@ blocks {UUID}", blocks, f"@@ files {UUID}", files, "@@ end", "")
    return "\r\n".join("\n".join(parts).split("\n"))


VZLIST = """\
[
  {
    "ctid": 1101,
    "private": "/vz/private/1101",
    "hostname": "mail.example.edu",
    "name": null,
    "description": "say hi",
    "ostemplate": "centos-6-x86_64-minimal",
    "ip": ["10.66.0.1", "2001:db8::1/64"],
    "status": "running",
    "physpages": {
      "held": 20000,
      "limit": 262144,
      "failcnt": 0
    },
    "diskspace": {
      "usage": 1048576,
      "hardlimit": 20971520
    },
    "cpus": 2
  },
  {
    "ctid": "7c0e5a3c-6c3f-4c6e-9f3c-1c52b3f3d0aa",
    "name": "wiki",
    "ostemplate": ".ubuntu-16.04-x86_64",
    "ip": [],
    "status": "stopped",
    "physpages": {
      "limit": 9223372036854775807
    },
    "diskspace": null,
    "cpus": 0
  }
]
"""
VZFILES = "0 1394000000 /etc/vz/conf/1101.conf\n? 1300000000 /vz/private/1101\nnonsense\n0 1 /etc/vz/conf/0.conf"


def asked(output: str) -> tuple[list[Machine] | None, list[str]]:
    problems = Problems()
    return estate.answer("kvm01", output, problems), [each.render() for each in problems]


@pytest.mark.parametrize("blocks", [ALL, ONE_BY_ONE], ids=["all disks at once", "an old virsh"])
def test_a_machine_of_libvirt(blocks: str) -> None:
    machines, told = asked(virsh(blocks=blocks))
    assert not told
    assert machines is not None
    assert [each.row() for each in machines] == [
        Machine(
            *(UUID, "exam-db01", "kvm", "kvm01", "running", 2, 8.0, 150.0),
            os="ubuntu-14.04",
            created="2014-03-05",
            created_from="files",
            devices=["pci 0x0000 0x65 0x00 0x0"],
            note="Marks, do not touch",
            sources=["kvm01"],
        ).row()
    ]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("shut off", "stopped"),
        ("in shutdown", "running"),
        ("paused", "suspended"),
        ("no state", "unknown"),
        ("", "unknown"),
    ],
)
def test_states_of_libvirt(told: str, state: str) -> None:
    machines, _problems = asked(virsh(state=told))
    assert machines is not None
    assert machines[0].state == state


def test_openstack_knows_when_it_made_a_machine() -> None:
    nova = '<n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1"><n:creationTime>2019-02-03 10:00:01'
    nova += "</n:creationTime></n:instance></metadata>"
    machines, told = asked(virsh(xml=XML.replace("</metadata>", nova)))
    assert machines is not None
    assert not told
    assert (machines[0].created, machines[0].created_from) == ("2019-02-03", "OpenStack")
    machines, _told = asked(virsh(xml=XML.replace("</metadata>", nova.replace("2019-02-03", "yesterday,"))))
    assert machines is not None
    assert machines[0].created_from == "files"


def test_containers_of_openvz_6_and_7() -> None:
    output = f"@@ vzlist\n@@ error Unable to open /proc/vz\n{VZLIST}\n@@ vzfiles\n{VZFILES}\n@@ end\n"
    machines, told = asked(output)
    assert not told
    assert machines is not None
    first, second = (each.row() for each in machines)
    assert (
        first
        == Machine(
            *("kvm01/1101", "mail.example.edu", "openvz", "kvm01", "running", 2, 1.0, 20.0, "centos-6"),
            created="2011-03-13",
            created_from="files",
            addresses=["10.66.0.1", "2001:db8::1"],
            note="say hi",
            sources=["kvm01"],
        ).row()
    )
    assert second["name"] == "wiki"
    assert (second["os"], second["state"]) == ("ubuntu-16.04", "stopped")
    assert (second["cpus"], second["memory_gib"], second["disk_gib"], second["created"]) == (None, None, None, "")


def test_texts_of_vzlist_that_are_no_json() -> None:
    row = '[\n  {\n    "ctid": 1,\n    "description": "say "hi", C:\\new",\n    "status": "stopped"\n  }\n]'
    machines, told = asked(f"@@ vzlist\n{row}\n@@ end\n".replace("\n", "\r\n"))
    assert not told
    assert machines is not None
    assert machines[0].note == 'say "hi", C:\\new'


#: Answers of hypervisors: what is told, and how many machines are known; None keeps what was known before.
ANSWERS: dict[str, tuple[str, int | None, str]] = {
    "no machines": ("@@ libvirt\n\n@@ end\n", 0, ""),
    "no containers": ("@@ vzlist\n@@ error Container(s) not found\n@@ end", 0, ""),
    "a banner first": ("Welcome!\n" + virsh(), 1, ""),
    "torn": (virsh().partition("@@ end")[0], None, "its answer breaks off: 0 1500000000"),
    "sudo asks": ("sudo: a password is required", None, "breaks off: sudo: a password is required"),
    "nothing": ("", None, "breaks off: nothing came"),
    "no hypervisor": ("@@ end\n", None, "neither virsh nor vzlist"),
    "libvirt is down": (
        "@@ libvirt\n@@ error error: failed to connect\n@@ failed\n@@ end",
        *(None, "libvirt does not list its machines: error: failed to connect"),
    ),
    "vzlist breaks": ("@@ vzlist\n[{\n@@ end", 0, "what vzlist printed cannot be read"),
    "no XML": (virsh(xml="<domain><name>x"), 1, f"machine {UUID}: its definition cannot be read: it is no XML."),
    "XML bomb": (virsh(xml='<!DOCTYPE d [<!ENTITY a "b">]><domain/>'), 1, "its definition cannot be read"),
    "gone meanwhile": (
        virsh(xml="@@ error error: failed to get domain\n@@ failed"),
        *(1, "cannot be read: error: failed to get domain."),
    ),
    "no size": (
        virsh(blocks=" vda 1073741824 1 1\n@@ error no pool"),
        1,
        "exam-db01: the size of vdb is not known (no pool)",
    ),
}


@pytest.mark.parametrize(("output", "count", "message"), ANSWERS.values(), ids=ANSWERS)
def test_answer(output: str, count: int | None, message: str) -> None:
    machines, told = asked(output)
    assert (None if machines is None else len(machines)) == count
    assert len(told) == bool(message), told
    assert message in "".join(told)


@pytest.mark.parametrize(
    ("given", "short"),
    [
        ("http://ubuntu.com/ubuntu/22.04", "ubuntu-22.04"),
        ("http://microsoft.com/win/2k16", "win-2k16"),
        ("centos-6-x86_64-minimal", "centos-6"),
        (".debian-8.0-x86_64", "debian-8.0"),
        ("Windows Server 2016", "windows-server-2016"),
        ("", ""),
    ],
)
def test_names_of_systems(given: str, short: str) -> None:
    assert os_name(given) == short


def table(text: str, columns: dict[str, str] | None = None, delimiter: str = "") -> tuple[Table, list[str]]:
    problems = Problems()
    found = read("vms.csv", text, columns or {}, delimiter, problems)
    return found, [each.render(lambda where: (where.file, where.line)) for each in problems]


def test_a_table() -> None:
    text = '\ufeffVM name;RAM (MB);label.Asset;decision;reason;color\r\nweb01;2048;A-1;keep;"it; stays\r\nhere";red\r\n'
    text += ";;;;;\r\n"
    found, told = table(text, {"name": "vm NAME", "memory_mib": "RAM (MB)"})
    assert not told
    assert [(row.line, row.values, row.labels) for row in found.rows] == [
        (2, {"name": "web01", "memory_gib": 2, "decision": "keep", "reason": "it; stays here"}, {"asset": "A-1"})
    ]
    assert found.unused == ["color"]


#: Mistakes of tables, and where and what is told.
MISTAKES: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["vms.csv:1: head: the file is empty."]),
    "no name": ("id,owner\n1,a\n", ["vms.csv:1: head: no column is called name; there are id, owner."]),
    "twice a column": ("name,os,os\na,b,c\n", ["vms.csv:1: os: the column is there twice."]),
    "too many cells": ("name,os\na,b,c\nd,e\n", ["vms.csv:2: row: has 3 cells, and the head has 2."]),
    "open quote": ('name\n"a\nb\n', ["vms.csv:2: row: is no CSV: unexpected end of data."]),
    "after a cell of two lines": (
        'name,os,cpus\n"a","b\nc",1\nd,e,x\n',
        ["vms.csv:4: cpus: 'x' is no number above 0."],
    ),
    "twice": ("name\na\nb\na\n", ["vms.csv:4: name: 'a' stands in line 2 already."]),
    "all at once": (
        "name,cpus,memory_gib,disk_gib,created,kind,state,decision,reason\n"
        ",2.5,8 GB,-1,31.3.2019,kvn,on,move,why\n"
        "b,0,nan,inf,2019-02-30,,,,because\n"
        "c,,,,,,,keep,\n",
        [
            *("vms.csv:2: cpus: '2.5'", "vms.csv:2: memory_gib: '8 GB'", "vms.csv:2: disk_gib: '-1'"),
            *("vms.csv:2: created: '31.3.2019' is no day.", "vms.csv:2: kind: 'kvn' is none", "vms.csv:2: state: 'on'"),
            *("vms.csv:2: decision: 'move'", "vms.csv:2: name: is empty."),
            *("vms.csv:3: cpus: '0'", "vms.csv:3: memory_gib: 'nan'", "vms.csv:3: disk_gib: 'inf'"),
            *("vms.csv:3: created: '2019-02-30'", "vms.csv:3: decision: is empty, although there is a reason."),
            "vms.csv:4: reason: is empty, although it is decided: keep.",
        ],
    ),
    "two memories": ("name,memory_gib,memory_mib\na,1,1024\n", ["vms.csv:2: memory_mib: is given beside memory_gib."]),
}


@pytest.mark.parametrize(("text", "messages"), MISTAKES.values(), ids=MISTAKES)
def test_mistake(text: str, messages: list[str]) -> None:
    _found, told = table(text)
    assert len(told) == len(messages), told
    for line, message in zip(told, messages, strict=True):
        assert line.startswith(message)


def test_a_delimiter_is_one_character_and_a_column_may_be_a_number() -> None:
    _found, told = table("name||os\na||b\n", delimiter="||")
    assert told == [
        "vms.csv: delimiter: '||' is more than one character. Give the one that stands between cells.",
    ]
    numbers: dict[str, t.Any] = {"name": 1, "os": None}
    found, told = table("1;2\na;b\n", numbers)
    assert [row.values for row in found.rows] == [{"name": "a"}]
    assert len(told) == 1
    assert "columns.os names, is not there" in told[0]


def test_a_column_of_another_name_that_is_not_there() -> None:
    _found, told = table("VM;Ram\na;1\n", {"name": "VM", "memory_mib": "RAM (MB)", "nmae": "VM"})
    assert "vms.csv:1: RAM (MB): the column, which columns.memory_mib names, is not there." in told[0]
    assert "columns.nmae: there is no such column. Did you mean 'name'?" in told[1]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory folder that somebody hostile or careless wrote: every fault is named, and nothing outside is read."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import Folder, fill, read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source

HOSTS = "all: {children: {clusters: {hosts: {east: }}}}\n"
TENANTS = "group_vars/all/tenants"
VAULT = "!vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    6162\n"
CIPHER = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"
SOPS = f"sops: {{mac: '{CIPHER}', version: 3.9.4}}\n"
DEEP = 300_000


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"hosts.yml": HOSTS, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def look(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Source, list[str]]:
    """What was read, and the findings as people see them."""
    monkeypatch.chdir(root)
    source, folder = read_source(root)
    return source, [f"{p.severity}: {p.code}: {p.render(folder.locate)}" for p in folder.problems]


FINDINGS: dict[str, tuple[dict[str, str], list[str]]] = {
    "every other variable of every tenant file": (
        {
            f"{TENANTS}/a.yml": "tenant__a: {id: a}\nfleet_hosts: x\ntree: x\n_free: x\n",
            f"{TENANTS}/b.yml": "tenant__b: {id: b}\nfleet_hosts: x\n",
            f"{TENANTS}/deep/c.json": '{"tenant__c": {"id": "c"}, "cluster_region": "x"}',
        },
        [
            f"error: wrong-variable: {TENANTS}/{place}: a tenant file defines one variable, tenant__<id>, and nothing "
            "else. Take it out; settings belong into other files."
            for place in (
                "a.yml:2: fleet_hosts",
                "a.yml:3: tree",
                "a.yml:4: _free",
                "b.yml:2: fleet_hosts",
                "deep/c.json:1: cluster_region",
            )
        ],
    ),
    "a second variable that a merge key brings": (
        {f"{TENANTS}/a.yml": "tenant__a: &a {id: a}\n<<: {fleet_name: x}\n"},
        ["wrong-variable: group_vars/all/tenants/a.yml:1: fleet_name:"],
    ),
    "an empty tenant file": (
        {f"{TENANTS}/a.yml": "", f"{TENANTS}/b.yml": "---\n# tenant__b\n", f"{TENANTS}/c.yml": "{}\n"},
        [f"error: empty: {TENANTS}/{name}.yml: {name}.yml: it is empty, so the tenant" for name in "abc"],
    ),
    "a tenant file that Ansible does not load": (
        {
            f"{TENANTS}/a.yml.bak": "x",
            f"{TENANTS}/b.txt": "x",
            f"{TENANTS}/c.d/c.yml": "x",
            f"{TENANTS}/README.md": "",
            f"{TENANTS}/.hidden": "",
            f"{TENANTS}/old.yml~": "",
        },
        [
            f"error: unusable-file: {TENANTS}/a.yml.bak: a.yml.bak: Ansible does not load it",
            f"error: unusable-file: {TENANTS}/b.txt: b.txt: Ansible does not load it; it loads .yml, .yaml, .json "
            "and no suffix. Rename it, or move it away.",
            f"error: unusable-file: {TENANTS}/c.d: c.d: Ansible does not look into a folder with a suffix.",
        ],
    ),
    "a vaulted tenant file": (
        {f"{TENANTS}/a.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"},
        ["error: vaulted: group_vars/all/tenants/a.yml:1: a.yml: Ansible Vault encrypted it;"],
    ),
    "what SOPS has encrypted": (
        {
            f"{TENANTS}/a.yml": f"tenant__a: {{id: '{CIPHER}'}}\n{SOPS}",
            f"{TENANTS}/b.sops.yml": f"tenant__b: {{id: b}}\n{SOPS}",
            "group_vars/all/a.sops.yml": f"password: '{CIPHER}'\nfleet_name: x\n"
            f"fleet_services: {{db: {{values: ['{CIPHER}']}}}}\n{SOPS}",
            "group_vars/all/b.yml": f"token: '{CIPHER}'\n{SOPS}",
            "host_vars/east.sops.yml": f"cluster_kubeconfig: '{CIPHER}'\ncluster_region: '{CIPHER}'\n{SOPS}",
        },
        [
            "error: encrypted: group_vars/all/b.yml:1: b.yml: SOPS encrypted it, and community.sops.sops decrypts only "
            "files whose names end in .sops.yml, .sops.yaml, .sops.json: its variables would be their own cipher text.",
            f"error: vaulted: {TENANTS}/a.yml:1: a.yml: SOPS encrypted it; a tenant file is data that everybody",
            f"error: vaulted: {TENANTS}/b.sops.yml:1: b.sops.yml: SOPS encrypted it; a tenant file is data",
            "error: vaulted: group_vars/all/a.sops.yml:3: fleet_services: the value is encrypted",
            "error: vaulted: host_vars/east.sops.yml:2: cluster_region: the value is encrypted",
        ],
    ),
    "vaulted values of ours": (
        {
            f"{TENANTS}/a.yml": f"tenant__a:\n  id: a\n  labels:\n   note: {VAULT}",
            "group_vars/all/fleet.yml": f"fleet_services:\n  db:\n   values: [{{}}, {{a: !vault-encrypted x}}]\n"
            f"other: {VAULT}",
            "host_vars/east.yml": "cluster_kubeconfig: !vault x\n",
        },
        [
            f"error: vaulted: {TENANTS}/a.yml:4: tenant__a.labels.note: the value is encrypted, and would be written "
            "into Git or the cluster decrypted. Take it out: a tenant file holds no secrets.",
            "error: vaulted: group_vars/all/fleet.yml:3: fleet_services.db.values[1].a: the value is encrypted",
        ],
    ),
    "files that are not ours": (
        {
            "group_vars/all/secret.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
            "group_vars/all/other.yml": "a: 1\na: 2\nb: !unsafe '{{ x }}'\nc: !unsafe [1, '{{ x }}']\n",
            "group_vars/all/fleet.yml": "fleet_name: x\nfleet_name: y\n",
        },
        [
            "error: duplicate-key: group_vars/all/fleet.yml:2: fleet.yml: the key 'fleet_name' stands here twice;",
            "warning: duplicate-key: group_vars/all/other.yml:2: other.yml: the key 'a' stands here twice;",
        ],
    ),
    "a template that is not run": (
        {
            "group_vars/all/fleet.yml": "fleet_name: '{{ x }}'\n"
            "fleet_git: {url: !unsafe '{{ x }}', branch: 'a{# b #}'}\n"
        },
        [
            "warning: template: group_vars/all/fleet.yml:1: fleet_name: it is a template, and templates are not run",
            "warning: template: group_vars/all/fleet.yml:2: fleet_git.branch: it is a template",
        ],
    ),
    "no clusters": (
        {"hosts.yml": "all: {hosts: {east: }}\n"},
        ["error: no-clusters: clusters: the inventory has no host in the group 'clusters', so there is no fleet."],
    ),
    "no hosts at all": ({"hosts.yml": ""}, ["error: no-clusters: clusters:"]),
    "a setting of one cluster": (
        {
            "hosts.yml": "clusters: {hosts: {east: , north: , west: {fleet_name: c}}}\n",
            "group_vars/all/fleet.yml": "fleet_name: a\n",
            "host_vars/east.yml": "tenant__a: {id: a}\n",
        },
        [
            "error: differs: group_vars/all/fleet.yml:1: fleet_name: its value on west is another than on east;",
            "error: differs: host_vars/east.yml:1: tenant__a: only east of 3 clusters know it; it counts",
        ],
    ),
    "hosts that lead elsewhere": (
        {"hosts.yml": 'clusters: {hosts: {../../x: , /etc: , "a\\nb": , a..b: , east: }}\n'},
        [f"error: bad-name: {name}: it is not a usable name" for name in ("../../x", "/etc", "a..b", r"a\nb")],
    ),
    "groups that lead elsewhere": (
        {"hosts.yml": "clusters: {hosts: {east: }}\n../x: {hosts: {east: }}\n"},
        ["error: bad-name: ../x: it is not a usable name"],
    ),
    "hosts of the wrong type": (
        {
            "hosts.yml": "clusters: {hosts: [east]}\na: {children: 7}\nb: {vars: [x]}\nc: text\n"
            "d: {hosts: {h: 1, 5: }}\ne: {host: {}}\n"
        },
        [
            "error: wrong-type: hosts.yml:1: clusters.hosts: ['east'] stands here; a mapping is needed",
            "error: wrong-type: hosts.yml:2: a.children: 7 stands here",
            "error: wrong-type: hosts.yml:3: b.vars: ['x'] stands here",
            "error: wrong-type: hosts.yml:4: c: 'text' stands here",
            "error: bad-key: hosts.yml:5: d.hosts.5: the key 5 is not a text.",
            "error: wrong-type: hosts.yml:5: d.hosts.h: 1 stands here",
            "warning: unknown-key: hosts.yml:6: e.host: a group has hosts, children and vars; Ansible skips this.",
            "error: no-clusters:",
        ],
    ),
    "a group below itself": (
        {"hosts.yml": HOSTS + "a: {children: {b: {children: {a: }}}}\n"},
        ["error: cycle: a: the group is below itself."],
    ),
    "a range of too many hosts": (
        {"hosts.yml": "clusters: {hosts: {east: , 'n[0:999999999]': , 'm[0:99][0:99][0:99]': }}\n"},
        [
            "error: bad-value: hosts.yml:1: clusters.hosts['m[0:99][0:99][0:99]']: the range",
            "error: bad-value: hosts.yml:1: clusters.hosts['n[0:999999999]']: the range '[0:999999999]' cannot be used",
        ],
    ),
    "other inventories": (
        {
            "hosts": "[clusters]\neast\n",
            "more.ini": "[clusters]\nwest\n",
            "LICENSE": "words\n",
            "plug.yml": "plugin: constructed\n",
            "notes.md": "x",
        },
        [
            "error: other-inventory: hosts: hosts: it is not a YAML inventory.",
            "error: other-inventory: more.ini: more.ini: it is not a YAML inventory.",
            "error: bad-yaml: LICENSE:1: LICENSE: it does not hold variables.",
            "warning: other-inventory: plug.yml: plug.yml: it configures the inventory plugin 'constructed'",
        ],
    ),
    "what a terminal would act on": (
        {f"{TENANTS}/a.yml": 'tenant__a: {id: a}\n"x\\e[2J\\ny\\u202e": 1\n'},
        [r"wrong-variable: group_vars/all/tenants/a.yml:2: x\x1b[2J\ny\u202e: a tenant file"],
    ),
    "a name that a terminal would act on": (
        {f"{TENANTS}/\x1b[31m\n.yml": ""},
        [r"error: empty: group_vars/all/tenants/\x1b[31m\n.yml: \x1b[31m\n.yml: it is empty"],
    ),
    "a number that takes long": (
        {f"{TENANTS}/a.yml": "tenant__a: " + "1" + ":1" * 300_000},
        ["error: bad-yaml: group_vars/all/tenants/a.yml:1: a.yml: the number has 600001 digits."],
    ),
    "nesting without end": ({f"{TENANTS}/a.yml": "tenant__a: " + "[" * DEEP}, ["error: bad-yaml:"]),
    "merge keys that multiply": (
        {
            f"{TENANTS}/a.yml": "a0: &a0 {a: 1, b: 2}\n"
            + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12))
        },
        ["its aliases multiply to more values than can be meant."],
    ),
    "a file that is too large": (
        {f"{TENANTS}/a.yml": "#" * (1 << 20) + "\ntenant__a: {}"},
        ["error: bad-yaml: group_vars/all/tenants/a.yml: a.yml: it has more than 1 MiB. Split it up."],
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, expected = FINDINGS[name]
    start = time.process_time()
    _source, found = look(make(tmp_path, files), monkeypatch)
    assert len(found) == len(expected), found
    unseen = [text for text in expected if not any(text in line for line in found)]
    assert not unseen, found
    assert time.process_time() - start < 10


def link(target: t.Any) -> t.Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize(
    ("place", "put", "expected"),
    [
        (f"{TENANTS}/a.yml", link("/etc/hostname"), "it leads out of the inventory folder."),
        (f"{TENANTS}/a", link("/etc"), "it leads out of the inventory folder."),
        (f"{TENANTS}/a.yml", link("/dev/zero"), "it leads out of the inventory folder."),
        (f"{TENANTS}/a.yml", link("none"), "it is not a regular file."),
        (f"{TENANTS}/a.yml", os.mkfifo, "it is not a regular file."),
        (f"{TENANTS}/a", link("."), "the folder contains itself."),
        ("group_vars/east", link("/etc"), ""),
        ("host_vars/east.yml", link("/etc/hostname"), "it leads out of the inventory folder."),
        ("host_vars/east.yml", os.mkfifo, "it is not a regular file."),
        ("host_vars/east", link("/proc/self"), "it leads out of the inventory folder."),
        ("more.yml", os.mkfifo, "it is not a regular file."),
        ("more.yml", link("/etc/hostname"), "it leads out of the inventory folder."),
        ("more", link("/"), ""),
    ],
)
def test_only_regular_files_of_the_folder_are_read(
    place: str, put: t.Callable[[Path], None], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "inventory", {"group_vars/all/fleet.yml": "fleet_name: x\n"})
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    put(root / place)
    source, found = look(root, monkeypatch)
    assert source.settings == {"fleet_name": "x"}
    assert [expected in line and place in line and line.startswith("error") for line in found] == [True] * bool(
        expected
    )


def test_links_inside_the_folder_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path, {"teams/physics.yml": "tenant__physics: {id: physics}\nfleet_hosts: x\n"})
    (root / TENANTS).parent.mkdir(parents=True)
    (root / TENANTS).symlink_to("../../teams")
    source, found = look(root, monkeypatch)
    assert source.tenants == {"tenant__physics": {"id": "physics"}}
    assert f"{TENANTS}/physics.yml:2: fleet_hosts: a tenant file defines one variable" in " ".join(found)


def test_what_ansible_loaded_is_read_wherever_it_lies(tmp_path: Path) -> None:
    root = make(tmp_path / "inventory", {})
    make(tmp_path / "teams", {"physics.yml": "tenant__physics: {id: physics}\nfleet_hosts: x\n"})
    (root / TENANTS).parent.mkdir(parents=True)
    (root / TENANTS).symlink_to(tmp_path / "teams")
    folder = Folder((root,), confined=False)
    fill(folder, ["east"], {"east": ["clusters"]})
    assert {p.code for p in folder.problems} == {"wrong-variable"}
    assert folder.hostile


def test_the_same_key_by_a_merge_is_no_duplicate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "tenant__a:\n  x: {y: {z: &z {<<: &b {k: 1}, k: 2}}}\n  w: {<<: *z}\n"
    source, found = look(make(tmp_path, {f"{TENANTS}/a.yml": text}), monkeypatch)
    assert source.tenants["tenant__a"]["w"] == {"k": 2}
    assert not found

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder is read as ansible-core reads it: the same hosts, and the same values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source

HOSTS = "all: {children: {clusters: {hosts: {east: }}}}\n"
LAYOUTS: dict[str, dict[str, str]] = {
    "a folder hides the files beside it": {
        "group_vars/all/a.yml": "cluster_a: folder\n",
        "group_vars/all.yml": "cluster_a: file\ncluster_b: file\n",
    },
    "a file without suffix hides the others": {
        "group_vars/all": "cluster_a: none\n",
        "group_vars/all.yml": "cluster_a: yml\ncluster_b: yml\n",
    },
    "suffixes in their order": {
        "group_vars/all.yaml": "cluster_a: yaml\n",
        "group_vars/all.yml": "cluster_a: yml\n",
        "group_vars/clusters.json": '{"cluster_b": "json"}',
        "host_vars/east.yaml": "cluster_c: yaml\n",
        "host_vars/east.json": '{"cluster_c": "json"}',
    },
    "what is hidden, a backup, or of another suffix": {
        "group_vars/all/a": "cluster_a: 1\n",
        "group_vars/all/b.json": '{"cluster_b": 1}',
        "group_vars/all/c.yaml": "cluster_c: 1\n",
        "group_vars/all/.d.yml": "cluster_d: 1\n",
        "group_vars/all/e.yml~": "cluster_e: 1\n",
        "group_vars/all/f.txt": "cluster_f: 1\n",
        "group_vars/all/g.d/g.yml": "cluster_g: 1\n",
        "group_vars/all/.h/h.yml": "cluster_h: 1\n",
        "group_vars/all/i/i.yml": "cluster_i: 1\n",
        "group_vars/all/j~/j.yml": "cluster_j: 1\n",
    },
    "who overrides whom": {
        "hosts.yml": "all:\n  vars: {cluster_a: ia, cluster_b: ia, cluster_c: ia, cluster_d: ia, cluster_e: ia}\n"
        "  children:\n    clusters:\n      vars: {cluster_b: ig, cluster_c: ig, cluster_d: ig, cluster_f: ig}\n"
        "      hosts: {east: {cluster_d: ih, cluster_e: ih, cluster_g: ih}}\n",
        "group_vars/all/x.yml": "cluster_c: fa\ncluster_f: fa\n",
        "group_vars/clusters.yml": "cluster_d: fg\ncluster_g: fg\n",
        "host_vars/east.yml": "cluster_e: fh\n",
    },
    "groups by depth, priority and name": {
        "hosts.yml": "clusters: {hosts: {east: }}\nzz: {children: {mid: {children: {aa: {hosts: {east: }}}}}}\n"
        "first: {hosts: {east: }, vars: {ansible_group_priority: 9}}\nother: {hosts: {east: }}\n",
        **{
            f"group_vars/{name}.yml": f"cluster_a: {name}\ncluster_{name}: 1\n"
            + ("cluster_b: " + name + "\n" if name in ("first", "other") else "")
            for name in ("zz", "mid", "aa", "first", "other")
        },
    },
    "a group in several files": {
        "hosts.yml": "clusters: {hosts: {east: {cluster_a: 1}}}\n",
        "more": "clusters: {hosts: {north: , east: {cluster_a: 2}}, vars: {cluster_b: 3}}\n",
        "sub/again.json": '{"clusters": {"hosts": {"west": {}}}}',
        "old.yml.bak": "clusters: {hosts: {gone: }}\n",
        ".hidden.yml": "clusters: {hosts: {gone: }}\n",
    },
    "short forms and ranges": {
        "hosts.yml": "clusters: {hosts: east, children: more}\n"
        "more: {hosts: {'n[08:10]x[a:c:2]': {cluster_a: 1}, 'm[1:3]': , 'p:2222': }, vars: }\n",
    },
    "anchors, merges and dates": {
        "host_vars/east.yml": "cluster_a: &a {x: 1, y: 2}\ncluster_b: {<<: *a, y: 3}\n<<: {cluster_c: 4}\n",
    },
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_as_ansible(name: str, tmp_path: Path) -> None:
    for file, text in {"hosts.yml": HOSTS, **LAYOUTS[name]}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-inventory"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    answer = subprocess.run(
        [program, "-i", str(tmp_path), "--list"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=tmp_path,
    )
    listed = json.loads(answer.stdout)
    variables = listed["_meta"]["hostvars"]
    members, queue = set(), ["clusters"]
    while queue:
        group = listed.get(queue.pop(), {})
        members |= set(group.get("hosts", ()))
        queue += group.get("children", ())
    source, _folder = read_source(tmp_path)
    assert source.clusters == {
        host: {k: v for k, v in variables.get(host, {}).items() if k.startswith("cluster_")} for host in members
    }

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation of secrets that is killed midway goes on where it was, with the real SOPS."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

from ..integration.playbooks import play, tasks
from .build import find

pytestmark = pytest.mark.slow

FILE = "clusters/east/secrets/db.yaml"
#: Lets the first step that changes a file through, and kills who runs it at the second one.
KILLS = """\
#!/bin/sh
case "$1" in rotate|updatekeys)
  if [ -e "{folder}/once" ]; then kill -9 $PPID; exit 1; fi
  touch "{folder}/once";;
esac
exec {sops} "$@"
"""


def test_a_killed_rotation_is_done_whole_by_the_next_one(tmp_path: Path) -> None:
    real, keys = find().sops, [tmp_path / "old.agekey", tmp_path / "new.agekey"]
    for key in keys:
        key.write_text(age.generate(datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)))
    tree = tmp_path / "tree"
    (tree / FILE).parent.mkdir(parents=True)
    (tree / FILE).write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: first}\n")

    def name(key: Path) -> None:
        rule = {"path_regex": ".*", "encrypted_regex": "^(data|stringData)$", "age": age.recipients(key.read_text())[0]}
        (tree / ".sops.yaml").write_text(yaml.safe_dump({"creation_rules": [rule]}))

    def opens(key: Path) -> bool:
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SOPS_AGE_KEY_FILE": str(key)}
        command = [str(real), "decrypt", str(tree / FILE)]
        return subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0

    def rotate(sops: Path) -> dict[str, object]:
        given = {"path": str(tree), "state": "rotated", "cluster": "east", "sops": str(sops)}
        given |= {"old_key_file": str(keys[0]), "new_key_file": str(keys[1])}
        return {"k8s.self_provisioning.tree_secrets": given}

    name(keys[0])
    subprocess.run([str(real), "encrypt", "--in-place", FILE], cwd=tree, check=True)
    name(keys[1])
    kills = tmp_path / "sops"
    kills.write_text(KILLS.format(folder=tmp_path, sops=real))
    kills.chmod(0o755)
    playbook = tmp_path / "killed.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [rotate(kills)]}]))
    assert play(playbook).code != 0
    assert (tmp_path / "once").exists()

    (done, again), _run = tasks(tmp_path, [rotate(real), rotate(real)])
    assert done["rotated"] == [FILE], "a new data key is still to be made"
    assert again["rotated"] == []
    assert [opens(key) for key in keys] == [False, True]

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placements written into tenant files: all of them or none, whole files only, and nothing else about them changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.record import Recording

from .delivering import cluster, compiler, inventory, tenant
from .support import stamps
from .writing import as_nobody

COLLECTIONS = Path(__file__).resolve().parents[3] / ".cache" / "collections"
PLACED = "clusters: [east-dev], decided_at: "


def fleet() -> Fleet:
    return compiler(inventory())({})


@pytest.fixture
def folder() -> t.Iterator[Path]:
    """A folder with the tenants' files that every user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        for tenant_name, values in (
            ("physics", tenant("physics", "dev", "test")),
            ("bio-lab", tenant("bio-lab", "dev")),
        ):
            variable = "tenant__" + tenant_name.replace("-", "_")
            (path / f"{tenant_name}.yml").write_text(f"# {tenant_name}\n{yaml.safe_dump({variable: values})}")
        yield path
        path.chmod(0o755)


def files(folder: Path) -> dict[str, list[Path]]:
    return {
        "tenant__physics": [folder / "elsewhere.yml", folder / "physics.yml"],
        "tenant__bio_lab": [folder / "bio-lab.yml"],
    }


def record(folder: Path, *, check: bool = False, between: Callable[[], object] = lambda: None) -> list[str]:
    with Recording(files(folder), check=check) as recording:
        recording.prepare(fleet())
        foreseen = recording.paths
        between()
        done = recording.finish()
        assert done == foreseen
        return done


def test_every_file_gets_what_it_lacks_and_keeps_what_it_is(folder: Path) -> None:
    physics, bio = folder / "physics.yml", folder / "bio-lab.yml"
    physics.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(physics, 65534, 65533)
    was = physics.stat()
    before = stamps(folder)
    assert record(folder, check=True) == [str(bio), str(physics)]
    assert stamps(folder) == before, "check mode writes nothing"
    assert record(folder) == [str(bio), str(physics)]
    now = physics.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)
    assert now.st_mtime_ns > was.st_mtime_ns
    assert [text.read_text().count(PLACED) for text in (physics, bio)] == [2, 1]
    assert sorted(path.name for path in folder.iterdir()) == ["bio-lab.yml", "physics.yml"], "nothing stays beside them"


def test_a_link_stays_a_link(folder: Path) -> None:
    there = folder / "there"
    there.mkdir()
    os.rename(folder / "physics.yml", there / "file.yml")
    (folder / "physics.yml").symlink_to("there/file.yml")
    record(folder)
    assert os.readlink(folder / "physics.yml") == "there/file.yml"
    assert (there / "file.yml").read_text().count(PLACED) == 2
    assert [path.name for path in there.iterdir()] == ["file.yml"]


def test_two_ways_to_one_file(folder: Path) -> None:
    both = (folder / "physics.yml").read_text() + (folder / "bio-lab.yml").read_text()
    (folder / "physics.yml").write_text(both)
    (folder / "bio-lab.yml").unlink()
    (folder / "bio-lab.yml").symlink_to("physics.yml")
    assert len(record(folder)) == 1
    assert (folder / "physics.yml").read_text().count(PLACED) == 3


def _read_only(path: Path) -> None:
    path.chmod(0o444)


def _hard_link(path: Path) -> None:
    os.link(path, path.with_name("other.yml"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _latin(path: Path) -> None:
    path.write_bytes(b"# \xe9\n" + path.read_bytes())


def _by_hand(path: Path) -> None:
    path.write_text(path.read_text().replace("name: dev\n", "name: dev\n      placement: {clusters: [x]}\n"))


DAMAGES = [
    (_read_only, "it may not be written to."),
    (_hard_link, "it has other names (hard links), which would keep the old text."),
    (_folder, "it cannot be read: Is a directory."),
    (Path.unlink, "it cannot be read: No such file or directory."),
    (_latin, "it is not UTF-8 text."),
    (_by_hand, "environments[dev]: it has got a placement since this run has read it."),
    (
        lambda path: path.write_text("tenant__none: {}\n"),
        "environments[dev]: the file does not declare this environment.",
    ),
    (lambda path: path.write_text("a: [\n"), "environments[dev]: the file is not YAML in line 2."),
]


@pytest.mark.parametrize(("damage", "told"), DAMAGES)
def test_one_that_cannot_take_it_stops_all(folder: Path, damage: Callable[[Path], object], told: str) -> None:
    damage(folder / "physics.yml")
    for check in (True, False):
        before = stamps(folder)
        with pytest.raises(TreeError) as caught:
            record(folder, check=check)
        assert str(caught.value).startswith(f"{folder}/physics.yml: ")
        assert told in str(caught.value)
        assert stamps(folder).keys() == before.keys()
        assert {k: v for k, v in stamps(folder).items() if k != "."} == before


#: Only root can have files that are somebody else's.
OTHERS = [(0o777, 0o666, "it belongs to somebody else, and the new file would not.")] if os.geteuid() == 0 else []


def test_all_problems_together(folder: Path) -> None:
    for name in ("physics.yml", "bio-lab.yml"):
        (folder / name).chmod(0o444)
    with pytest.raises(TreeError) as caught:
        record(folder)
    instead = "Mend that, or run without record_placements: the fleet tree records placements too."
    assert str(caught.value).splitlines() == [
        "record_placements: 2 tenant files cannot take their placements.",
        f"- {folder}/bio-lab.yml: it may not be written to. {instead}",
        f"- {folder}/physics.yml: it may not be written to. {instead}",
    ]


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "told"),
    [
        (0o555, 0o666, "the folder {} may not be written to."),
        (0o777, 0o444, "it may not be written to."),
        *OTHERS,
    ],
)
def test_what_this_user_may_not_do(folder: Path, folder_mode: int, file_mode: int, told: str) -> None:
    folder.chmod(folder_mode)
    for path in folder.iterdir():
        path.chmod(file_mode)
    before = stamps(folder)
    assert told.format(folder) in as_nobody(lambda: record(folder))
    assert stamps(folder) == before


def test_a_file_that_changes_meanwhile_is_left_alone(folder: Path) -> None:
    def edit() -> None:
        with (folder / "physics.yml").open("a") as file:
            file.write("# somebody was here\n")

    with pytest.raises(
        TreeError, match=r"physics\.yml: it changed during this run, so it was left alone\. Run again\."
    ):
        record(folder, between=edit)
    assert (folder / "physics.yml").read_text().endswith("# somebody was here\n")
    assert PLACED not in (folder / "physics.yml").read_text()
    assert PLACED in (folder / "bio-lab.yml").read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["bio-lab.yml", "physics.yml"]


def test_what_is_not_finished_leaves_nothing(folder: Path) -> None:
    before = stamps(folder)
    with Recording(files(folder)) as recording:
        recording.prepare(fleet())
        assert len(stamps(folder)) == len(before) + 2
    assert stamps(folder) == before


PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - k8s.self_provisioning.fleet_tree:
        inventory: "{{ root }}/inventory"
        path: "{{ root }}/tree"
        record_placements: true
"""


def test_the_tree_waits_for_the_tenant_files(folder: Path) -> None:
    """The door: a tenant file that cannot take its placement stops the run before the tree is written."""
    everybody = folder / "inventory/group_vars/all"
    (everybody / "tenants").mkdir(parents=True)
    for name in ("physics", "bio-lab"):
        os.rename(folder / f"{name}.yml", everybody / f"tenants/{name}.yml")
    (everybody / "fleet.yml").write_text(yaml.safe_dump(inventory()["settings"]))
    hosts = {"east-dev": cluster("dev", cluster_services={})}
    (folder / "inventory/hosts.yml").write_text(json.dumps({"all": {"children": {"clusters": {"hosts": hosts}}}}))
    (folder / "playbook.yml").write_text(PLAYBOOK)
    (folder / "ansible.cfg").touch()

    def play() -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
        }
        command = [
            sys.executable,
            "-m",
            "ansible.cli.playbook",
            "-i",
            "localhost,",
            "-e",
            f"root={folder}",
            "playbook.yml",
        ]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    (everybody / "tenants/physics.yml").chmod(0o444)
    refused = play()
    assert refused.returncode != 0
    assert "physics.yml: it may not be written to." in refused.stdout + refused.stderr
    assert not (folder / "tree").exists()
    assert PLACED not in (everybody / "tenants/bio-lab.yml").read_text()
    (everybody / "tenants/physics.yml").chmod(0o644)
    done = play()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "tree/placements.yaml").exists()
    assert (everybody / "tenants/physics.yml").read_text().count("placement: {clusters: [east-dev]") == 2
    assert sorted(path.name for path in (everybody / "tenants").iterdir()) == ["bio-lab.yml", "physics.yml"]
    again = play()
    assert "changed=1" not in again.stdout, again.stdout

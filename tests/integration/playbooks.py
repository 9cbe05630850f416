# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's playbooks as an operator does, and reads what they print."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "inventories/example"


@dataclass(frozen=True)
class Run:
    """What a playbook run printed and how it ended."""

    code: int
    out: str
    stdout: str = ""

    @property
    def changed(self) -> int:
        return sum(int(n) for n in re.findall(r"changed=(\d+)", self.out))

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def play(
    verb: str | Path, *arguments: str, inventory: Path | None = EXAMPLE, cwd: Path | None = None, **variables: object
) -> Run:
    """Runs C(k8s.self_provisioning.<verb>), or a playbook of one's own, with I(variables) as extra variables.

    Tenants come only by Git, unless told.
    """
    command = [str(verb) if isinstance(verb, Path) else f"k8s.self_provisioning.{verb}"]
    if inventory is not None:
        command += ["-i", str(inventory)]
    if verb == "tenants" and "--tags" not in arguments:
        command += ["--tags", "gitops"]
    if variables:
        command += ["-e", json.dumps(variables, default=str)]
    return ansible("playbook", *command, *arguments, cwd=cwd, ANSIBLE_LOCALHOST_WARNING="false")


def ansible(program: str, *arguments: str, cwd: Path | None = None, **environment: str) -> Run:
    """Runs C(ansible-<program>), or C(ansible) itself, with this collection and nothing of the caller's settings."""
    name = f"ansible-{program}" if program else "ansible"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "K8S_AUTH_"))}
    done = subprocess.run(
        [str(Path(sys.executable).with_name(name)), *arguments],
        cwd=cwd or ROOT,
        env={**kept, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, done.stdout)


def tasks(
    work: Path, wanted: list[dict[str, object]], *arguments: str, inventory: Path | None = EXAMPLE
) -> tuple[list[dict[str, t.Any]], Run]:
    """Runs tasks on the controller, each whatever became of those before; what each gave, and the run."""
    names = [f"result_{number}" for number in range(len(wanted))]
    keep = {
        "ansible.builtin.copy": {
            "dest": str(work / "results.json"),
            "mode": "0600",
            "content": "{{ [" + ", ".join(names) + "] | to_json }}",
        },
        "check_mode": False,
        "diff": False,
    }
    listed = [{**task, "ignore_errors": True, "register": name} for task, name in zip(wanted, names, strict=True)]
    whole = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [*listed, keep]}
    (work / "tasks.json").write_text(json.dumps([whole]), encoding="utf-8")
    run = play(work / "tasks.json", *arguments, inventory=inventory)
    if run.code:
        raise AssertionError(run.out)
    return json.loads((work / "results.json").read_text(encoding="utf-8")), run


def copy_example(to: Path) -> Path:
    """The example inventory, to be changed."""
    shutil.copytree(EXAMPLE, to)
    return to


def edit(path: Path, old: str, new: str) -> None:
    """Replaces text that must be there exactly once."""
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise AssertionError(f"{path.name} holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new), encoding="utf-8")


def tree(root: Path) -> dict[str, bytes]:
    """Every file of a fleet tree but Git's own."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and ".git" not in p.parts
    }


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()

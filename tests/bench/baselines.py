# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people use today for the same objects: a template loop in a playbook, and a patch on a base for every file."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
Objects = list[dict[str, t.Any]]

_PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Write one file for each environment
      ansible.builtin.template:
        src: namespace.yaml.j2
        dest: "{{ out }}/{{ item.metadata.namespace }}.yaml"
        mode: "0644"
      loop: "{{ environments }}"
      loop_control:
        label: "{{ item.metadata.namespace }}"
"""


def run(command: list[str], cwd: Path, more: t.Mapping[str, str] | None = None) -> tuple[float, int]:
    """Seconds and peak memory in MiB of a program and its children.

    @param more: environment variables to add.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG"))}
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT / ".cache/collections")
    environment |= more or {}
    start = time.monotonic()
    timed = [sys.executable, "-c", _PEAK, *command]
    done = subprocess.run(timed, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return seconds, int(done.stderr.rsplit("peak-kib=", 1)[1]) // 1024


_PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak-kib=%d" % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def template_loop(files: dict[str, Objects], folder: Path) -> float:
    """Seconds for C(ansible.builtin.template) in a loop, one file of objects for each item."""
    folder.mkdir(parents=True)
    (folder / "out").mkdir()
    first = next(iter(files.values()))
    # The template has the shape of the objects, and fills in what differs between environments.
    text = yaml.safe_dump_all(first, sort_keys=False)
    namespace = first[0]["metadata"]["name"]
    (folder / "namespace.yaml.j2").write_text(
        "{% raw %}" + text.replace(namespace, "{% endraw %}{{ item.metadata.namespace }}{% raw %}") + "{% endraw %}"
    )
    environments = [{"metadata": {"namespace": objects[0]["metadata"]["name"]}} for objects in files.values()]
    (folder / "vars.yml").write_text(yaml.safe_dump({"environments": environments, "out": str(folder / "out")}))
    (folder / "play.yml").write_text(_PLAYBOOK)
    seconds, _memory = run([program("ansible-playbook"), "play.yml", "-e", "@vars.yml"], folder)
    return seconds


def patched_base(files: dict[str, Objects], folder: Path) -> float:
    """Seconds for what kustomize does: read a base, merge a patch into it, write the result, file by file."""
    folder.mkdir(parents=True)
    loader: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    dumper: t.Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    base = folder / "base.yaml"
    base.write_text(yaml.dump_all(next(iter(files.values())), Dumper=dumper, sort_keys=False))
    patches = folder / "patches"
    patches.mkdir()
    for name, objects in files.items():
        (patches / Path(name).name).write_text(yaml.dump_all(objects, Dumper=dumper, sort_keys=False))
    start = time.monotonic()
    for name in files:
        objects = {_key(o): o for o in yaml.load_all(base.read_text(), Loader=loader)}
        for patch in yaml.load_all((patches / Path(name).name).read_text(), Loader=loader):
            objects[_key(patch)] = _merge(objects.get(_key(patch), {}), patch)
        (folder / Path(name).name).write_text(yaml.dump_all(objects.values(), Dumper=dumper, sort_keys=False))
    return time.monotonic() - start


def _key(o: dict[str, t.Any]) -> tuple[str, str]:
    return o["kind"], o["metadata"]["name"]


def _merge(base: dict[str, t.Any], patch: dict[str, t.Any]) -> dict[str, t.Any]:
    result = copy.copy(base)
    for key, value in patch.items():
        result[key] = _merge(base.get(key) or {}, value) if isinstance(value, dict) else value
    return result

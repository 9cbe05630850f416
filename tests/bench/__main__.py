# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints how long the fleet tree takes, whole and by part, next to the baselines. C(make bench)."""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import shutil
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.layout import layout  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.writer import sync  # noqa: E402

from . import baselines, synthetic  # noqa: E402

TODAY = datetime.date(2026, 11, 21)
NO_CHANGE = "compare (no change)"


def playbook(inventory: Path, tree: Path, *, init: bool) -> tuple[float, int]:
    command = [baselines.program("ansible-playbook"), "k8s.self_provisioning.tenants", "-i", str(inventory)]
    variables = {"tenants_tree": str(tree), "tenants_init": init, "tenants_report": "none"}
    return baselines.run([*command, "--tags", "gitops", "-e", json.dumps(variables)], inventory)


def parts(inventory: Path, tree: Path) -> tuple[dict[str, float], int, int]:
    """Seconds of each part in this process, for a first and for a second writing; files and objects."""
    clock = time.monotonic
    seconds: dict[str, float] = {}
    start = clock()
    source, _folder = read_source(inventory)
    seconds["read"], start = clock() - start, clock()
    fleet = compile_fleet(source, today=TODAY)
    seconds["compile"], start = clock() - start, clock()
    if fleet.problems.errors:
        raise SystemExit("\n".join(p.render() for p in fleet.problems.errors[:5]))
    files = dict(layout(fleet))
    seconds["objects"], start = clock() - start, clock()
    sync(tree, files)
    seconds["write"], start = clock() - start, clock()
    sync(tree, files)
    seconds[NO_CHANGE] = clock() - start
    return seconds, len(files), sum(len(v) for v in files.values() if isinstance(v, list))


def report(title: str, inventory: Path, work: Path) -> dict[str, float]:
    print(f"\n{title}", flush=True)
    first, memory = playbook(inventory, work / "tree", init=True)
    again, memory_again = playbook(inventory, work / "tree", init=False)
    seconds, files, objects = parts(inventory, work / "parts")
    print(f"  {objects} objects in {files} files")
    print(
        f"  ansible-playbook, first run      {first:7.2f} s  {memory:5d} MiB  {1000 * first / objects:7.3f} ms/object"
    )
    print(f"  ansible-playbook, nothing to do  {again:7.2f} s  {memory_again:5d} MiB")
    for name, value in seconds.items():
        print(f"    {name:30s} {value:7.2f} s")
    inside = sum(value for name, value in seconds.items() if name != NO_CHANGE)
    return {"playbook": first / objects, "inside": inside / objects}


def environment_files(inventory: Path, count: int) -> dict[str, t.Any]:
    """The files of the first environments."""
    files = layout(compile_fleet(read_source(inventory)[0], today=TODAY))
    found = (
        name
        for name, value in files.items()
        if isinstance(value, list) and value and value[0].get("kind") == "Namespace"
    )
    return {name: files[name] for name in itertools.islice((n for n in found if "/tenants/" in n), count)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--environments", type=int, default=3000)
    parser.add_argument("--clusters", type=int, default=60)
    parser.add_argument("--sample", type=int, default=60, help="environments given to the template loop")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="fleet-bench-"))
    try:
        report("The example organisation", ROOT / "inventories/example", work / "example")
        big = work / "inventory"
        synthetic.write(big, options.clusters, options.environments // 3, options.environments)
        ours = report(
            f"Synthetic: {options.clusters} clusters, {options.environments} environments", big, work / "synthetic"
        )

        sample = environment_files(big, options.sample)
        objects = sum(len(v) for v in sample.values())
        loop = baselines.template_loop(sample, work / "loop")
        base = baselines.patched_base(sample, work / "base")
        print(f"\nPer object ({len(sample)} environments, {objects} objects for the baselines; like with like)")
        for peer, seconds, name, own in (
            ("ansible.builtin.template loop", loop, "tenants, whole playbook", ours["playbook"]),
            ("base and patch, in one process", base, "read, compile, build, write", ours["inside"]),
        ):
            each = seconds / objects
            print(f"  {peer:32s} {1000 * each:7.3f} ms   {name:28s} {1000 * own:6.3f} ms   {each / own:6.1f} × ours")

        print("\nGrowth (parts in one process, first writing)")
        for share in (8, 4, 2, 1):
            count = max(3, options.environments // share)
            inventory = work / f"growth-{count}"
            synthetic.write(inventory, options.clusters, count // 3, count)
            seconds, _files, made = parts(inventory, work / f"growth-tree-{count}")
            spent = sum(v for k, v in seconds.items() if k != NO_CHANGE)
            print(f"  {count:5d} environments  {spent:6.2f} s  {1000 * spent / made:6.3f} ms/object", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

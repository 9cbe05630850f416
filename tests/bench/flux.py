# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From commit to applied, with the real Flux: `python -m tests.bench.flux`.

Environments of several tenants on one cluster. Each row is one commit, from the push until every Kustomization that has
to follow has applied it; Flux is told of the commit, so the time between two polls is not in it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ..flux import site as flux_site  # noqa: E402
from ..flux.rig import FluxRig  # noqa: E402
from ..flux.site import Site, tenant  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
SECONDS = 900.0


def declared(tenants: int, environments: int, pods: int) -> dict[str, dict[str, Any]]:
    """Tenants with the same number of environments each."""
    hard = {"resource_quota": {"hard": {"pods": str(pods)}}}
    each = [{"name": f"e{number}", **hard} for number in range(environments)]
    return {f"t{number}": tenant(f"t{number}", *each) for number in range(tenants)}


class Processor:
    """Processor seconds that programs have used."""

    def __init__(self, rig: FluxRig) -> None:
        """Of Flux and of the API server."""
        names = ("kustomize-controller", "source-controller")
        self._pids = {name: rig.component(name).pid for name in names}
        self._pids["kube-apiserver"] = rig.plane.component("kube-apiserver").pid

    def read(self) -> dict[str, float]:
        """By program."""
        found = {}
        for name, pid in self._pids.items():
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / TICKS
        return found


def measure(tenants: int, environments: int, concurrent: int, requeue: str) -> None:
    """One row for each kind of commit."""
    flux_site.QUICK = {"kustomize-controller": [f"--concurrent={concurrent}", f"--requeue-dependency={requeue}"]}
    with FluxRig() as rig:
        site = Site(rig)
        site.tenants = declared(tenants, environments, 20)
        site.commit()
        site.install()
        start = time.monotonic()
        site.settle(seconds=SECONDS)
        head = f"{tenants:>4} × {environments:<3} {concurrent:>3} {requeue:>6}"
        print(f"{head}  first apply        {time.monotonic() - start:7.1f} s", flush=True)
        processor = Processor(rig)

        def row(what: str, *names: str) -> None:
            before, start = processor.read(), time.monotonic()
            site.commit({"note.txt": what})
            pushed = time.monotonic()
            site.settle(*names, seconds=SECONDS)
            used = {name: value - before[name] for name, value in processor.read().items()}
            parts = ", ".join(f"{name} {value:.1f}" for name, value in used.items())
            print(
                f"{head}  {what:<18} {time.monotonic() - pushed:7.1f} s"
                f"   (render and push {pushed - start:.1f} s; processor seconds: {parts})",
                flush=True,
            )

        row("no object changes")
        site.tenants["t0"] = declared(1, environments, 21)["t0"]
        row("one tenant changes", "tenant-t0")
        site.settle(seconds=SECONDS)
        site.tenants = declared(tenants, environments, 22)
        row("all tenants change")


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flux", description=__doc__)
    parser.add_argument("--tenants", type=int, nargs="+", default=[25])
    parser.add_argument("--environments", type=int, default=4, help="of each tenant")
    parser.add_argument("--concurrent", type=int, nargs="+", default=[4])
    parser.add_argument("--requeue", nargs="+", default=["5s"])
    arguments = parser.parse_args()
    for tenants in arguments.tenants:
        for concurrent in arguments.concurrent:
            for requeue in arguments.requeue:
                measure(tenants, arguments.environments, concurrent, requeue)
    return 0


if __name__ == "__main__":
    sys.exit(main())

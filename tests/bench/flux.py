# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From commit to applied, with the real Flux: `make flux-scale`, or `python -m tests.bench.flux`.

One cluster with some number of environments, of several tenants, in a fleet tree that may hold other clusters as well.
Each row is one commit, from the push until every Kustomization that has to follow has applied it; Flux is told of the
commit, so the time between two polls is not in it. Beside it the processor seconds that the programs of the cluster
used, how busy everybody else kept the machine, and how many requests kustomize-controller made.
"""

from __future__ import annotations

import argparse
import copy
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import Fleet, compile_fleet  # noqa: E402

from ..flux import site as flux_site  # noqa: E402
from ..flux.manifests import NAMESPACE  # noqa: E402
from ..flux.rig import MERGE, FluxRig  # noqa: E402
from ..flux.site import CLUSTER, CLUSTER_VALUES, SETTINGS, TODAY, Site, tenant  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
SECONDS = 3600.0
CONTROLLERS = ("kustomize-controller", "source-controller", "notification-controller")
SERVERS = ("kube-apiserver", "etcd", "kube-controller-manager")
SHORT = {"kube-controller-manager": "kcm", "kube-apiserver": "apiserver"}
#: Only the commits are measured, not what comes back with each interval.
GIT = {"interval": "24h", "retry_interval": "20s", "timeout": "15m"}

Object = dict[str, Any]


def declared(tenants: int, environments: int, pods: int, cluster: str = CLUSTER) -> dict[str, Object]:
    """Tenants that share a number of environments of a cluster evenly."""
    hard = {"resource_quota": {"hard": {"pods": str(pods)}}}
    found = {}
    for number in range(tenants):
        count = environments // tenants + (number < environments % tenants)
        each = [
            {"name": f"{cluster}{index}", "placement": {"clusters": [cluster]}, **copy.deepcopy(hard)}
            for index in range(count)
        ]
        if each:
            found[f"t{number}"] = tenant(f"t{number}", *each)
    return found


class FleetSite(Site):
    """A site whose tree holds other clusters of the same size as well; its Flux reads the folder of one of them."""

    def __init__(self, rig: FluxRig, tenants: int, environments: int, clusters: int) -> None:
        """Declare everything."""
        super().__init__(rig)
        self.sizes = (tenants, environments)
        self.others = [f"c{number}" for number in range(1, clusters)]
        self.tenants = declared(tenants, environments, 20)

    @property
    def fleet(self) -> Fleet:
        """What is declared on all clusters, compiled."""
        values = {**copy.deepcopy(CLUSTER_VALUES), "cluster_release_line": self.line}
        whole = copy.deepcopy(self.tenants)
        for name in self.others:
            for key, each in declared(*self.sizes, 20, name).items():
                whole[key]["projects"][0]["environments"] += each["projects"][0]["environments"]
        source = Source(
            SETTINGS,
            {f"tenant__{name}": each for name, each in whole.items()},
            {name: copy.deepcopy(values) for name in (CLUSTER, *self.others)},
        )
        fleet = compile_fleet(source, today=TODAY)
        assert [problem.render() for problem in fleet.problems.errors] == []
        return fleet


class Meter:
    """Processor seconds of the cluster's programs and of the whole machine, and requests of kustomize-controller."""

    def __init__(self, rig: FluxRig) -> None:
        """Begin."""
        self._rig = rig
        self._start, self._used = time.monotonic(), self._read()
        self._machine = self._busy()
        self._mark = rig.plane.audit.mark()

    def _read(self) -> dict[str, float]:
        found = {}
        for name in (*CONTROLLERS, *SERVERS):
            try:
                part = self._rig.component(name) if name in CONTROLLERS else self._rig.plane.component(name)
            except KeyError:  # not installed yet
                continue
            fields = Path(f"/proc/{part.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / TICKS
        return found

    @staticmethod
    def _busy() -> float:
        fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]
        return (sum(map(int, fields)) - int(fields[3]) - int(fields[4])) / TICKS

    def told(self, seconds: float) -> str:
        """What was used since the beginning."""
        elapsed = time.monotonic() - self._start
        used = {name: value - self._used.get(name, 0.0) for name, value in self._read().items()}
        others = (self._busy() - self._machine - sum(used.values())) / elapsed
        user = f"system:serviceaccount:{NAMESPACE}:kustomize-controller"
        requests = sum(1 for _each in self._rig.plane.audit.events(self._mark, user=user))
        parts = ", ".join(f"{SHORT.get(n, n.removesuffix('-controller'))} {v:.0f}" for n, v in used.items() if v >= 1)
        return (
            f"{seconds:7.1f} s | processor seconds {sum(used.values()):5.0f}: {parts} | requests {requests}"
            f" | others keep {others:.1f} cores busy"
        )

    def memory(self) -> str:
        """The most that the programs have held."""
        found = []
        for name in (*CONTROLLERS[:2], "kube-apiserver"):
            part = self._rig.component(name) if name in CONTROLLERS else self._rig.plane.component(name)
            text = Path(f"/proc/{part.pid}/status").read_text(encoding="utf-8")
            peak = next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))
            found.append(f"{name} {int(peak) >> 10} MiB")
        return ", ".join(found)


def measure(environments: int, tenants: int, clusters: int, concurrent: int, *, whole: bool, only_first: bool) -> None:
    """One row for each kind of commit.

    @param whole: the source fetches the folders of all clusters, as it would without its C(ignore).
    """
    flux_site.QUICK = {"kustomize-controller": [f"--concurrent={concurrent}", "--requeue-dependency=5s"]}
    SETTINGS["fleet_git"] = GIT
    with FluxRig() as rig:
        site = FleetSite(rig, tenants, environments, clusters)
        head = f"{clusters:>2} clusters × {environments:>4} of {len(site.tenants):>3} tenants, {concurrent:>2} at once"
        head += ", whole tree" if whole else ""
        start = time.monotonic()
        site.commit()
        print(f"{head} | rendered, written and pushed in {time.monotonic() - start:.1f} s", flush=True)
        meter = Meter(rig)
        install(site, whole=whole)
        start = time.monotonic()
        site.settle(seconds=SECONDS)
        print(f"{head} | first apply        {meter.told(time.monotonic() - start)}", flush=True)

        def row(what: str, *names: str) -> None:
            site.commit({"note.txt": what}, poke=False)
            meter = Meter(rig)
            start = time.monotonic()
            rig.poke("GitRepository", "flux-system")
            site.settle(*names, seconds=SECONDS)
            told = time.monotonic() - start
            if names:
                site.settle(seconds=SECONDS)
            print(f"{head} | {what:<18} {meter.told(told)}", flush=True)

        if not only_first:
            row("no object changes")
            site.tenants["t0"] = declared(tenants, environments, 21)["t0"]
            row("one tenant changes", "tenant-t0")
            site.tenants = declared(tenants, environments, 22)
            row("all tenants change")
        artifact = sum(each.stat().st_size for each in rig.folder.glob("source-controller/data/**/*.tar.gz"))
        print(f"{head} | artifact {artifact >> 10} KiB | most memory: {meter.memory()}", flush=True)


def install(site: FleetSite, *, whole: bool) -> None:
    """Install Flux; unless everything is fetched, as the role does it."""
    run = site.bootstrap()
    assert run.code == 0, run.out
    rig = site.rig
    if whole:
        path = rig.path("GitRepository", NAMESPACE, "flux-system")
        status, answer = rig.plane.admin.request("PATCH", path, {"spec": {"ignore": None}}, content_type=MERGE)
        assert status == 200, answer
    rig.run_controllers()
    shutil.rmtree(rig.folder / "inventory")


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flux", description=__doc__)
    parser.add_argument("--environments", type=int, nargs="+", default=[50, 200, 500], help="of the cluster")
    parser.add_argument("--tenants", type=int, nargs="+", default=[25])
    parser.add_argument("--clusters", type=int, nargs="+", default=[1], help="in the tree")
    parser.add_argument("--concurrent", type=int, nargs="+", default=[4], help="Kustomizations at a time")
    parser.add_argument("--whole-tree", action="store_true", help="the source does not leave out other clusters")
    parser.add_argument("--only-first", action="store_true", help="only the first apply")
    given = parser.parse_args()
    for clusters in given.clusters:
        for environments in given.environments:
            for tenants in given.tenants:
                for concurrent in given.concurrent:
                    measure(environments, tenants, clusters, concurrent, whole=given.whole_tree,
                            only_first=given.only_first)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

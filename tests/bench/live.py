# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints how long live delivery takes, next to kubernetes.core, kubectl and a bare HTTP client. C(make bench-live).

Each contender meets a real API server of the same build and flags that holds nothing yet. The machine rests until the
controllers are idle before each run, so nobody pays for what another has left to do.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Source  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.cluster_bundle import (  # noqa: E402
    cluster_bundle,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import (  # noqa: E402
    HOME_NAMESPACE,
    build,
)

from ..control_plane.cluster import ControlPlane  # noqa: E402
from . import contenders, synthetic  # noqa: E402

USER = "bench"
_IDLE_SHARE = 0.15
_LONGEST_REST = 180.0


def rest(plane: ControlPlane) -> None:
    """Waits until API server, etcd and controllers have nothing left to do."""
    pids = [plane.component(name).pid for name in ("kube-apiserver", "kube-controller-manager", "etcd")]
    end, ticks = time.monotonic() + _LONGEST_REST, os.sysconf("SC_CLK_TCK")
    while time.monotonic() < end:
        before = sum(_ticks(pid) for pid in pids)
        time.sleep(1.0)
        if (sum(_ticks(pid) for pid in pids) - before) / ticks < _IDLE_SHARE:
            return


def _ticks(pid: int | None) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@dataclass
class Row:
    """A contender's best times. A part is scaled up to the whole."""

    name: str
    create: float
    again: float
    memory: int
    inner: tuple[float, float] = (0.0, 0.0)
    of: int = 0
    skipped: int = 0
    first: contenders.Run | None = None
    second: contenders.Run | None = None


@dataclass
class Scenario:
    title: str
    tenants: int
    environments: int
    rounds: int
    work: Path
    #: Requests of our runs by the audit log.
    audited: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def __post_init__(self) -> None:
        source = Source(*synthetic.organisation(1, self.tenants, self.environments, "/unused"))
        fleet = compile_fleet(source, today=datetime.date.today())
        if fleet.problems.errors:
            raise SystemExit("\n".join(p.render() for p in fleet.problems.errors[:5]))
        (name,) = fleet.clusters
        self.objects = [build("v1", "Namespace", HOME_NAMESPACE), *cluster_bundle(fleet, name)]
        self.first_environment = next(n for n, o in enumerate(self.objects) if n and o["kind"] == "Namespace")
        print(f"\n{self.title}: {len(self.objects)} objects", flush=True)

    def measure(
        self,
        kind: type[contenders.Contender],
        name: str,
        *,
        part: int = 0,
        base: float = 0.0,
        skip: int = 0,
    ) -> Row:
        """Creates and repeats; the best of all rounds.

        @param part: how many objects it gets; 0 for all.
        @param base: what a run costs without objects.
        @param skip: how many objects at the beginning it does not get.
        """
        given = self.objects[skip : skip + part] if part else self.objects
        scale = len(self.objects) / len(given)
        firsts, seconds = [], []
        for turn in range(self.rounds):
            print(f"  … {name}, round {turn + 1} of {self.rounds}", flush=True)
            with ControlPlane(kubectl=True, progress=_silent) as plane:
                folder = self.work / f"{kind.__name__}-{turn}"
                contender = kind(folder, plane.kubeconfig_for(USER, ["system:masters"]), given)
                if isinstance(contender, contenders.Kubectl):
                    contender.program = plane.kubectl
                rest(plane)
                mark = plane.audit.mark()
                firsts.append(contender.run())
                rest(plane)
                middle = plane.audit.mark()
                seconds += [contender.run(), contender.run()]
                if kind is contenders.Ours:
                    self.audited = (_asked(plane, mark, middle), _asked(plane, middle, None, runs=2))
            shutil.rmtree(folder)
        first, second = (min(runs, key=lambda run: run.seconds) for runs in (firsts, seconds))
        _check(name, first, second)
        return Row(
            name,
            base + (first.seconds - base) * scale,
            base + (second.seconds - base) * scale,
            max(run.memory for run in (*firsts, *seconds)),
            (min(run.inner for run in firsts) * scale, min(run.inner for run in seconds) * scale),
            len(given) if scale > 1 else 0,
            skip,
            first,
            second,
        )


def _silent(text: str) -> None:
    del text


def _check(name: str, first: contenders.Run, second: contenders.Run) -> None:
    """A figure of a run that did something else is worth nothing."""
    for run, wanted in ((first, True), (second, False)):
        if not run.task or run.task["changed"] is wanted:
            continue
        told = f"{name}: changed={run.task['changed']} in its {'first' if wanted else 'second'} run"
        if "timings" in run.task:
            raise RuntimeError(told)
        kinds = dict(Counter(run.task["false"]))
        print(f"  note: {told}, although the objects are as before: {kinds}")


def _asked(plane: ControlPlane, since: int, until: int | None, *, runs: int = 1) -> Counter[str]:
    """Requests by verb that the API server saw."""
    later = sum(1 for _unused in plane.audit_events(until, user=USER)) if until else 0
    events = list(plane.audit_events(since, user=USER))
    counts = Counter(e["verb"] for e in (events[:-later] if later else events))
    return Counter({verb: number // runs for verb, number in counts.items()})


def table(rows: list[Row], ours: Row, floor: Row, empty: float, whole: int) -> None:
    print(f"\n  {'':66s}{'create':>9s}{'× ours':>8s}{'no-op':>9s}{'× ours':>8s}{'memory':>10s}")
    for row in rows:
        told = f"{row.name}{f' ({row.of} objects, scaled up)' if row.of else ''}"
        print(
            f"  {told:66s}{row.create:7.2f} s{row.create / ours.create:8.1f}{row.again:7.2f} s"
            f"{row.again / ours.again:8.1f}{row.memory:6d} MiB"
        )
    print(f"  {'empty playbook':66s}{empty:7.2f} s{'':8s}{empty:7.2f} s")
    print(f"\n  {'module alone':66s}{'create':>9s}{'× floor':>8s}{'no-op':>9s}{'− floor':>9s}")
    lines: list[tuple[str, float, float]] = [
        ("ours, the cluster's part", _told(ours.first, "total"), _told(ours.second, "total")),
        ("ours, with compiling and building objects", _module(ours.first), _module(ours.second)),
    ]
    lines += [
        (f"{row.name}: task", *row.inner) for row in rows if row.inner[0] and row is not floor and not row.skipped
    ]
    for name, create, again in lines:
        print(
            f"  {name:66s}{create:7.2f} s{create / floor.inner[0]:8.2f}{again:7.2f} s{again - floor.inner[1]:7.2f} s"
            f"{1000 * create / whole:9.2f} and {1000 * again / whole:.3f} ms/object"
        )
    print(f"  {'floor: bare HTTP client':66s}{floor.inner[0]:7.2f} s{'':8s}{floor.inner[1]:7.2f} s")
    for what, run in (("create", ours.first), ("no-op", ours.second)):
        if run and run.task:
            print(f"    timings of {what}: " + ", ".join(f"{k} {v}" for k, v in run.task["timings"].items()))


def _told(run: contenders.Run | None, name: str) -> float:
    return float(run.task["timings"][name]) if run and run.task else 0.0


def _module(run: contenders.Run | None) -> float:
    return sum(_told(run, name) for name in ("compile", "objects", "total"))


def compare(scenario: Scenario, empty: float, *, part: int = 0) -> None:
    """@param part: how many objects the peers get; 0 for all."""
    contenders.Ours.size = (scenario.tenants, scenario.environments)
    ours = scenario.measure(contenders.Ours, "ours, whole playbook")
    floor = scenario.measure(contenders.Floor, "floor, whole process")
    rows = [ours]
    rows.append(scenario.measure(contenders.Core, "kubernetes.core.k8s, one task", part=part, base=empty))
    if not part:
        rows.append(
            scenario.measure(
                contenders.CoreLoop,
                "kubernetes.core.k8s, loop",
                part=contenders.LOOPED,
                base=empty,
                skip=scenario.first_environment,
            )
        )
    rows.append(scenario.measure(contenders.Kubectl, "kubectl --server-side", part=part))
    rows.append(scenario.measure(contenders.KubectlUnvalidated, "kubectl --server-side --validate=false", part=part))
    rows.append(floor)
    table(rows, ours, floor, empty, len(scenario.objects))
    for what, counts in zip(("create", "no-op"), scenario.audited, strict=True):
        print(f"    requests of {what}, from the audit log: {dict(sorted(counts.items()))}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.live", description=__doc__)
    parser.add_argument("--tenants", type=int, default=50, help="of the first comparison, one environment each")
    parser.add_argument("--environments", type=int, default=1000, help="of the second comparison; 0 for none")
    parser.add_argument("--rounds", type=int, default=2, help="of the first comparison; the best counts")
    parser.add_argument("--part", type=int, default=1000, help="objects that the peers get in the second comparison")
    options = parser.parse_args()
    contenders.peers()
    print(f"compared with {contenders.peer_versions()}; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    work = Path(tempfile.mkdtemp(prefix="live-bench-"))
    try:
        nothing = contenders.Empty(work / "empty", Path("/unused"), [])
        empty = min(nothing.run().seconds for _unused in range(3))
        if options.tenants:
            small = Scenario(f"{options.tenants} tenants", options.tenants, options.tenants, options.rounds, work / "a")
            compare(small, empty)
        if options.environments:
            title = f"{options.environments} environments"
            big = Scenario(title, max(1, options.environments // 4), options.environments, 1, work / "b")
            compare(big, empty, part=options.part)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

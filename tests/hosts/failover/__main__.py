# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long the address of the API is away for a client on another host: C(python -m tests.hosts.failover).

Prints a table with the median and the worst of several runs of each case, and fails when an aim is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.machine import RigError, say

from .lab import NODES, Lab, Watch


@dataclass(frozen=True)
class Case:
    """Something that happens while a client looks; I(mend) puts it right. Aims are for the worst run, in ms."""

    name: str
    happens: Callable[[Lab, str], None]
    mend: Callable[[Lab, str], None]
    ping: int
    https: int
    seconds: float = 4.0
    #: How long two hosts may have the address: one advert, and what the machine needs to notice.
    several: int = 250
    holder: str = "node1"


def _nothing(_lab: Lab, _holder: str) -> None:
    pass


def _run(command: str) -> Callable[[Lab, str], None]:
    def happens(lab: Lab, holder: str) -> None:
        lab.on(holder, command)

    return happens


def _backend(state: str) -> Callable[[Lab, str], None]:
    return lambda lab, holder: lab.backend(holder, state)


def _all_but_one(lab: Lab, holder: str) -> None:
    for host in NODES:
        if host != "node3":
            lab.backend(host, "gone")
    del holder


def _mend_backends(lab: Lab, _holder: str) -> None:
    for host in NODES:
        lab.backend(host, "ok")


def _switch(lab: Lab, holder: str) -> None:
    lab.on(holder, "systemctl stop keepalived && sleep 0.5 && systemctl restart haproxy && systemctl start keepalived")


def _rolling(lab: Lab, _holder: str) -> None:
    for host in NODES:
        _switch(lab, host)
        time.sleep(2.5)


def _reload(lab: Lab, _holder: str) -> None:
    for host in NODES:
        lab.on(host, "systemctl reload haproxy; systemctl reload keepalived")


def _cut(one: str, other: str, what: str) -> Callable[[Lab, str], None]:
    return lambda lab, _holder: lab.cut(one, other, what)


def _paused(lab: Lab, holder: str) -> None:
    lab.pause(holder)
    time.sleep(5)
    lab.resume(holder)


CASES = (
    Case(
        "Keepalived of the holder stopped",
        _run("systemctl stop keepalived"),
        _run("systemctl start keepalived"),
        200,
        1000,
    ),
    Case("HAProxy of the holder stopped", _run("systemctl stop haproxy"), _run("systemctl start haproxy"), 1000, 1000),
    Case(
        "HAProxy of the holder hangs",
        _run("kill -STOP $(pidof haproxy)"),
        _run("kill -CONT $(pidof haproxy)"),
        1000,
        4000,
        seconds=7,
    ),
    Case(
        "the holder is killed",
        lambda lab, host: lab.kill(host),
        lambda lab, host: lab.start(host),
        1500,
        1500,
        seconds=5,
    ),
    Case("API server of the holder stopped", _backend("gone"), _backend("ok"), 100, 1000),
    Case(
        "API server of the holder takes connections and says nothing",
        _backend("mute"),
        _backend("ok"),
        100,
        4000,
        seconds=7,
    ),
    Case("API server of the holder says that it is not ready", _backend("failing"), _backend("ok"), 100, 1000),
    Case("all API servers but one stopped", _all_but_one, _mend_backends, 200, 1000, seconds=5),
    Case(
        "network cut: holder and the next",
        _cut("node1", "node2", "-I"),
        _cut("node1", "node2", "-D"),
        200,
        1000,
        seconds=6,
    ),
    Case(
        "network cut: holder and the one before",
        _cut("node1", "node2", "-I"),
        _cut("node1", "node2", "-D"),
        1000,
        1000,
        seconds=6,
        holder="node2",
    ),
    Case("the holder is frozen for 5 s and comes back", _paused, _nothing, 1500, 1500, seconds=4),
    Case("planned switch-over", _switch, _nothing, 200, 200),
    Case("rolling restart of all three", _rolling, _nothing, 200, 200, seconds=2),
    Case("new configuration on all three", _reload, _nothing, 50, 200),
)


def measure(lab: Lab, case: Case) -> Watch:
    lab.settle(case.holder)
    holder = lab.holder()
    with lab.watched() as seen:
        time.sleep(1)
        case.happens(lab, holder)
        time.sleep(case.seconds)
    case.mend(lab, holder)
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts.failover", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each case")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--rig", type=Path, help="folder of hosts that stay, and are made when they are not there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(args.rig.absolute() if args.rig else Path(folder) / "rig")
        try:
            if args.rig and lab.rig.inventory.exists():
                lab.known()
            else:
                lab.create()
            return report(lab, args.runs, args.only)
        except RigError as error:
            print(f"failover: {error}", file=sys.stderr)
            return 1
        finally:
            if not args.rig:
                lab.destroy()


def report(lab: Lab, runs: int, only: str) -> int:
    print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores, {runs} runs, ms: median / worst of both families")
    print("| case | ping | https | two holders |\n|---|---|---|---|", flush=True)
    missed = []
    for case in (case for case in CASES if only in case.name):
        seen = [measure(lab, case) for _run_of_it in range(runs)]
        figures = {
            "ping": ([each.gap("ping") for each in seen], case.ping),
            "https": ([each.gap("https") for each in seen], case.https),
            "two holders": ([each.several() for each in seen], case.several),
        }
        cells = [f"{statistics.median(values):.0f} / {max(values)}" for values, _aim in figures.values()]
        print(f"| {case.name} | {' | '.join(cells)} |", flush=True)
        missed += [
            f"{case.name}: {what} {max(values)} ms, aim {aim} ms"
            for what, (values, aim) in figures.items()
            if max(values) > aim
        ]
    for each in missed:
        say(f"missed: {each}")
    return 1 if missed else 0


sys.exit(main())

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills, cuts off, freezes and switches the primary while clients write, and counts what was acknowledged and lost.

python -m tests.hosts.databases FOLDER          everything; leaves nothing behind
--rounds N                                      how often each fault (default 3)
--fault WORDS                                   only faults whose name has these words
--keep                                          leave the hosts for a look
--only PART ...                                 parts, on hosts that an earlier run with --keep has left
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import typing as t
from collections.abc import Callable
from pathlib import Path

from tests.hosts.rig import ancestor

from . import parts
from .site import Databases, say


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=lambda text: Path(text).absolute())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fault", default="")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", nargs="+", default=[])
    args = parser.parse_args()
    databases = Databases(args.folder)
    owner = None if args.keep else ancestor("python", "tests.hosts.databases")
    steps: dict[str, Callable[[], dict[str, t.Any]]] = {
        "build": lambda: parts.build(databases, owner),
        "tenants": lambda: parts.tenants(databases),
        "faults": lambda: parts.faults(databases, args.rounds, args.fault),
        "replace": lambda: parts.replace(databases),
        "upgrade": lambda: parts.upgrade(databases),
        "restore": lambda: parts.restore(databases),
        "memory": lambda: parts.memory(databases),
    }
    if set(args.only) - set(steps):
        parser.error(f"--only knows {', '.join(steps)}")
    results: dict[str, t.Any] = {}
    try:
        for name, step in steps.items():
            if not args.only or name in args.only:
                results[name] = step()
    finally:
        if not args.keep:
            databases.rig.destroy()
            shutil.rmtree(args.folder, ignore_errors=True)
    for name, ways in results.get("faults", {}).get("gaps", {}).items():
        shown = [f"by {way} median {statistics.median(each)} s, most {max(each)} s" for way, each in ways.items()]
        say(f"{name}: {'; '.join(shown)}; {args.rounds} rounds")
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

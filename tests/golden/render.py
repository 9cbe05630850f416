# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the example as the golden tree holds it: on a fixed day, without Git, without the list of digests."""

from __future__ import annotations

import datetime
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GOLDEN = HERE / "example"
DAY = datetime.date(2026, 11, 21)


def write(to: Path) -> None:
    """Writes the tree of the example below I(to)."""
    from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
    from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.fleet import compile_fleet
    from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths
    from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.layout import layout
    from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.writer import sync

    source, folder = read_source(ROOT / "inventories/example")
    fleet = compile_fleet(source, today=DAY)
    errors = [*folder.problems.errors, *fleet.problems.errors]
    if errors:
        raise SystemExit("\n".join(problem.render(folder.locate) for problem in errors))
    sync(to, layout(fleet))
    (to / paths.MANIFEST).unlink()


def main() -> None:
    """Makes the golden tree anew; look at C(git diff) before you commit it."""
    sys.path.insert(0, str(ROOT / ".cache/collections"))
    shutil.rmtree(GOLDEN, ignore_errors=True)
    write(GOLDEN)
    print(
        f"{sum(p.is_file() for p in GOLDEN.rglob('*'))} files in {GOLDEN.relative_to(ROOT)}; review them with git diff"
    )


if __name__ == "__main__":
    main()

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes Kubespray's inventory of every cluster of the example on every release line, as the golden files hold them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GOLDEN = HERE / "kubespray"


def files() -> dict[str, str]:
    """Every file, by its path."""
    from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES
    from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import texts
    from ansible_collections.k8s.self_provisioning.tests.tools.machines import planned

    found = {}
    for line in RELEASE_LINES:
        plan = planned(line)
        if plan.problems.errors:
            raise SystemExit("\n".join(problem.render() for problem in plan.problems.errors))
        for name, rendered in plan.clusters.items():
            found |= {f"{line}/{name}/{path}": text for path, text in texts(rendered).items()}
    return found


def main() -> None:
    """Makes the golden files anew; look at C(git diff) before you commit them."""
    sys.path.insert(0, str(ROOT / ".cache/collections"))
    wanted = files()
    shutil.rmtree(GOLDEN, ignore_errors=True)
    for path, text in wanted.items():
        (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / path).write_text(text, encoding="utf-8")
    print(f"{len(wanted)} files in {GOLDEN.relative_to(ROOT)}; review them with git diff")


if __name__ == "__main__":
    main()

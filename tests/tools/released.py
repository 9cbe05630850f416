# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put what is released where a scenario finds it: C(python -m tests.tools.released FOLDER NAME...).

It comes from the caches of the tests, and is built first if it is not there, so nothing is downloaded for a scenario.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ..flux import build as flux  # noqa: E402
from ..flux.manifests import text_of  # noqa: E402
from ..metallb import build as metallb  # noqa: E402

LINE = "1.35"


def _flux(to: Path) -> None:
    to.write_text(text_of(flux.find(LINE)), encoding="utf-8")


def _metallb(to: Path) -> None:
    shutil.copyfile(metallb.find(LINE).manifests / to.name, to)


def _sops(to: Path) -> None:
    to.symlink_to(flux.find(LINE).sops)


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "flux.yaml": _flux,
    "metallb-native.yaml": _metallb,
    "sops": _sops,
}


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.released", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=MAKERS, metavar="NAME", help=", ".join(MAKERS))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        (arguments.folder / name).unlink(missing_ok=True)
        MAKERS[name](arguments.folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

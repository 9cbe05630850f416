# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts from the command line: C(python -m tests.hosts).

install                      the programs that the rig needs
image                        make the image, or find it in the cache
create FOLDER PLATFORMS      hosts for a list of platforms (JSON), as in molecule.yml: name, groups, vars, …
destroy FOLDER               remove them
sweep                        remove what runs that were killed have left behind
purge                        remove every rig, the image and the cache
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import machine, rig
from .image import image
from .machine import RigError


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hosts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["install", "image", "create", "destroy", "sweep", "purge"])
    parser.add_argument("folder", nargs="?", type=lambda text: Path(text).absolute())
    parser.add_argument("platforms", nargs="?", type=json.loads)
    args = parser.parse_args()
    if args.action in ("create", "destroy") and not args.folder:
        parser.error("FOLDER is missing")
    if args.action == "create" and not args.platforms:
        parser.error("PLATFORMS is missing")
    try:
        machine.install_programs()
        if args.action == "image":
            print(image())
        elif args.action == "create":
            rig.Rig(args.folder).create(args.platforms, rig.ancestor("molecule", "test"))
        elif args.action == "destroy":
            rig.Rig(args.folder).destroy()
        elif args.action == "sweep":
            rig.clean()
        elif args.action == "purge":
            rig.forget_all()
    except RigError as error:
        print(f"hosts: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

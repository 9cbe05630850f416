# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every file that comes from the schema: reference pages, editor schemas, the roles' argument
specifications, and the names of variables.

generate.py           write them
generate.py --check   write nothing; show what is out of date as a diff, and fail when anything is
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / ".cache" / "collections")]

from generator import editor_schemas, reference, role_docs, variables  # noqa: E402


def files() -> dict[str, str]:
    """Every generated file, by its path in the repository."""
    return {**reference.pages(), **editor_schemas.schemas(), **role_docs.files(), **variables.files()}


def stale(root: Path, wanted: dict[str, str]) -> dict[str, str]:
    """What stands in the files that are not as wanted; nothing for a missing one."""
    found = {path: (root / path).read_text(encoding="utf-8") if (root / path).exists() else "" for path in wanted}
    return {path: text for path, text in found.items() if text != wanted[path]}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="another place than the repository")
    args = parser.parse_args()
    wanted = files()
    changed = stale(args.root, wanted)
    for path, old in changed.items():
        if args.check:
            texts = old.splitlines(keepends=True), wanted[path].splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(*texts, f"{path} (now)", f"{path} (schema)"))
        else:
            (args.root / path).parent.mkdir(parents=True, exist_ok=True)
            (args.root / path).write_text(wanted[path], encoding="utf-8")
            print(f"wrote {path}")
    if args.check and changed:
        print(f"{len(changed)} of {len(wanted)} generated files are out of date; run: make generate", file=sys.stderr)
        return 1
    if not changed:
        print(f"{len(wanted)} generated files are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())

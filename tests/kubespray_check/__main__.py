# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray accepts what we generate, and refuses what our preflight refuses.

python -m tests.kubespray_check <Kubespray's Git repository> [--line 1.30] [--parallel 2]

For each release line it takes the pinned commit out of the repository, gives it an environment of its own, and runs
C(playbooks/boilerplate.yml), which contacts no machine: on every cluster of the example, which must pass, and on every
broken variant, which must fail in the role C(validate_inventory) after our preflight has said why.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ansible_collections.k8s.self_provisioning.plugins.module_utils._kubespray.inventory import Rendered  # noqa: E402
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import (  # noqa: E402
    RELEASE_LINES,
    KubesprayRelease,
)
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import texts  # noqa: E402
from ansible_collections.k8s.self_provisioning.tests.tools.broken_clusters import REFUSED  # noqa: E402
from ansible_collections.k8s.self_provisioning.tests.tools.machines import planned  # noqa: E402

CACHE = ROOT / ".cache" / "kubespray"


@dataclass(frozen=True)
class Verdict:
    """What Kubespray said about one inventory."""

    passed: bool
    task: str
    output: str


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def checkout(source: Path, release: KubesprayRelease) -> Path:
    """A clone of I(source) at the pinned commit."""
    to = CACHE / release.tag
    if not to.exists():
        run("git", "clone", "--quiet", "--depth", "1", "--branch", release.tag, f"file://{source.resolve()}", str(to))
    found = run("git", "-C", str(to), "rev-parse", "HEAD")
    if found != release.commit:
        raise SystemExit(f"{release.tag} of {source} is {found}, and our data say {release.commit}")
    return to


def environment(release: KubesprayRelease, source: Path) -> Path:
    """A virtual environment with what I(release) asks for; its folder of programs."""
    to = CACHE / f"venv-{release.tag}"
    done = to / "done"
    if not done.exists():
        print(f"{release.tag}: installing its requirements", flush=True)
        run(sys.executable, "-m", "venv", "--clear", str(to))
        run(str(to / "bin/pip"), "install", "--quiet", "-r", str(source / "requirements.txt"))
        done.touch()
    return to / "bin"


def validate(rendered: Rendered, source: Path, programs: Path) -> Verdict:
    """Runs Kubespray's validation on an inventory."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in texts(rendered).items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text, encoding="utf-8")
        variables = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
        done = subprocess.run(
            [
                *(str(programs / "ansible-playbook"), "-i", f"{folder}/hosts.yaml", "playbooks/boilerplate.yml"),
                *("-e", "image_arch=amd64", "-c", "local"),
            ],
            cwd=source,
            env={
                **variables,
                "PATH": f"{programs}:{variables['PATH']}",
                "ANSIBLE_CACHE_PLUGIN_CONNECTION": f"{folder}/facts",
                "ANSIBLE_CALLBACKS_ENABLED": "",
                "ANSIBLE_NOCOLOR": "true",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    output = done.stdout + done.stderr
    parts = re.split(r"^TASK \[(.*?)\] \**$", output, flags=re.MULTILINE)
    failed = [task for task, text in zip(parts[1::2], parts[2::2], strict=True) if "FAILED! =>" in text]
    return Verdict(done.returncode == 0, failed[0] if failed else "", output)


def judge(line: str, source: Path, parallel: int) -> list[str]:
    """Everything on one line; returns what was not as it should be."""
    release = RELEASE_LINES[line].release
    tree = checkout(source, release)
    programs = environment(release, tree)
    start = time.monotonic()
    plan = planned(line)
    good = [(name, rendered, "") for name, rendered in plan.clusters.items()]
    bad = []
    for case in REFUSED:
        if line in case.lines:
            broken = planned(line, case.change)
            told = [p.render() for p in broken.problems.errors]
            before = next((text for text in told if case.said in text), "")
            bad.append((case.name, broken.clusters[case.cluster], before))
    wrong = [p.render() for p in plan.problems.errors]
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        verdicts = list(pool.map(lambda each: validate(each[1], tree, programs), [*good, *bad]))
    for (name, _rendered, before), verdict in zip([*good, *bad], verdicts, strict=True):
        expected = not before and any(name == each for each, *_more in good)
        if expected:
            print(f"{line} accepts  {name:<28} {'' if verdict.passed else verdict.task}", flush=True)
            if not verdict.passed:
                wrong.append(f"{line} {name}: Kubespray refuses it:\n{verdict.output[-3000:]}")
        else:
            print(f"{line} refuses  {name:<44.44} {verdict.task}", flush=True)
            if not before:
                wrong.append(f"{line} {name}: our preflight did not say so")
            if verdict.passed or "validate_inventory" not in verdict.task:
                wrong.append(f"{line} {name}: Kubespray's validation does not refuse it:\n{verdict.output[-3000:]}")
    took = time.monotonic() - start
    print(
        f"{line}: Kubespray {release.tag}: {len(good)} accepted, {len(bad)} refused, {len(wrong)} wrong; {took:.0f} s"
    )
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?", help="a Git repository of Kubespray with its tags")
    parser.add_argument("--line", choices=RELEASE_LINES, action="append", help="only this release line")
    parser.add_argument("--parallel", type=int, default=2)
    args = parser.parse_args()
    if args.source is None or not args.source.exists():
        parser.error("give a Git repository of Kubespray: make kubespray-check KUBESPRAY_SRC=/path/to/kubespray")
    wrong = [text for line in args.line or RELEASE_LINES for text in judge(line, args.source, args.parallel)]
    print("\n\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

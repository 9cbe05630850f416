# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux for people: `python -m tests.flux` starts everything and reconciles the example's tree of one cluster."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ..control_plane.golang import BuildError  # noqa: E402
from ..control_plane.process import ControlPlaneError  # noqa: E402
from . import build  # noqa: E402
from .git_server import git  # noqa: E402
from .manifests import text_of  # noqa: E402
from .rig import FluxRig  # noqa: E402

CLUSTER = "shared-dev"
#: Everything but what needs a chart: helm-controller does not run here, and no registry is asked.
CANNOT = ("platform", "network", "storage")


class StopSignal(BaseException):
    """SIGINT or SIGTERM came."""


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise StopSignal(number)


def play(verb: str, *arguments: str) -> None:
    """Run a playbook of the collection on the example."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), f"k8s.self_provisioning.{verb}"]
    env = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(
        [*command, "-i", str(ROOT / "inventories/example"), *arguments], env=env, cwd=ROOT, check=False
    )
    if done.returncode:
        raise ControlPlaneError(f"the playbook {verb} failed")


class Demo:
    """The example's cluster C(shared-dev), made by the collection's own playbooks."""

    def __init__(self, rig: FluxRig, inventory: Path | None = None) -> None:
        """Use a rig that runs."""
        self.rig = rig
        self.inventory = inventory or ROOT / "inventories/example"
        self.tree = rig.folder / "fleet"

    def commit(self) -> str:
        """Render the tree and push it."""
        play("tenants", "--tags", "gitops", "-e", f"tenants_tree={self.tree}", "-e", "tenants_init=true",
             "-e", "tenants_report=none")  # fmt: skip
        if "origin" not in git("remote", cwd=self.tree).split():
            self.rig.git.create("fleet")
            git("remote", "add", "origin", str(self.rig.git.root / "fleet.git"), cwd=self.tree)
        git("push", "--quiet", "origin", "HEAD:main", cwd=self.tree)
        return git("rev-parse", "HEAD", cwd=self.tree)

    def install(self) -> None:
        """Install Flux with the role, and run its controllers."""
        manifest = self.rig.folder / "flux.yaml"
        manifest.write_text(text_of(self.rig.built), encoding="utf-8")
        play("flux_bootstrap", "--limit", CLUSTER, "-e", f"flux_bootstrap_manifest={manifest}",
             "-e", f"flux_bootstrap_kubeconfig={self.rig.plane.kubeconfig}",
             "-e", f"flux_bootstrap_url={self.rig.git.url}/fleet.git")  # fmt: skip
        self.rig.run_controllers()

    def wait(self, commit: str, seconds: float = 180.0) -> None:
        """Wait until everything that can go on without charts has the commit."""

        def done() -> bool:
            listed = (self.rig.get(self.rig.path("Kustomization", "flux-system")) or {})["items"]
            names = [each["metadata"]["name"] for each in listed if each["metadata"]["name"] not in CANNOT]
            return len(names) > 2 and all(
                self.rig.condition("Kustomization", name)[0] == "True" and self.rig.applied(name) == commit
                for name in names
            )

        self.rig.until(done, f"the tree is applied at {commit}", seconds)


def _show(demo: Demo, seconds: float) -> None:
    rig = demo.rig
    path = f'  export PATH="{rig.plane.kubectl.parent}:$PATH"\n' if rig.plane.kubectl else ""
    status = f"{Path(sys.executable).with_name('ansible-playbook')} k8s.self_provisioning.flux_status"
    print(
        f"""
Flux {rig.built.release.version} has made the cluster {CLUSTER} of the example out of Git in {seconds:.0f} s.

  export KUBECONFIG={rig.plane.kubeconfig}
{path}  kubectl get namespaces -L platform.hela.example/tenant
  kubectl -n flux-system get gitrepositories,kustomizations,helmreleases
  kubectl -n physics-lab-sim-dev get resourcequota,rolebinding,networkpolicy

Change something: edit the fleet, commit, push, and see who gets it.
  cd {demo.tree}
  $EDITOR clusters/{CLUSTER}/tenants/physics/physics-lab-sim-dev.yaml
  git commit -am "try" && git push origin HEAD:main
  K8S_AUTH_KUBECONFIG=$KUBECONFIG {status} \\
    -i {demo.inventory} --limit {CLUSTER}

What cannot go on here: charts, and so MetalLB's address pools; helm-controller does not run and no registry is asked.
The repositories of tenants, at git.hela.example, do not exist either.

  logs: {rig.folder}/*.log
Ctrl-C stops everything.""",
        flush=True,
    )


def main() -> int:
    """Run until Ctrl-C or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.flux", description=__doc__)
    parser.add_argument("--build-only", action="store_true", help="find or build the programs, then end")
    parser.add_argument("--once", action="store_true", help="end when the tree is reconciled")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    folder = Path(tempfile.mkdtemp(prefix="sp-flux-demo-"))
    try:
        if arguments.build_only:
            print(*build.find().programs.values(), sep="\n")
            return 0
        start = time.monotonic()
        with FluxRig(folder=folder, kubectl=True) as rig:
            demo = Demo(rig)
            head = demo.commit()
            demo.install()
            demo.wait(head)
            _show(demo, time.monotonic() - start)
            while not arguments.once:
                time.sleep(1)
                rig.check()
    except StopSignal as signalled:
        print("stopped", flush=True)
        return 128 + int(signalled.args[0]) if arguments.build_only else 0
    except (AssertionError, BuildError, ControlPlaneError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

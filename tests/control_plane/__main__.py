# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a control plane for people: `python -m tests.control_plane`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from types import FrameType

from ..tools.schemas import crds
from . import binaries
from .build import WrongVersionError
from .cluster import ControlPlane
from .golang import BuildError
from .guard import start_time
from .pki import write_private
from .process import ControlPlaneError
from .versions import LINE_VARIABLE, RELEASES, UnknownReleaseLineError, release

ROOT = Path(__file__).resolve().parents[2]
WATCH_SECONDS = 1.0


class StopSignal(BaseException):
    """SIGINT or SIGTERM came."""


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    # The second Ctrl-C must not cut the clean-up short.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise StopSignal(number)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.control_plane", description=__doc__)
    parser.add_argument("--line", choices=RELEASES, help=f"release line (default: ${LINE_VARIABLE}, else 1.30)")
    parser.add_argument("--build-only", action="store_true", help="find or build the programs, then end")
    parser.add_argument("--with-kubectl", action="store_true", help="build kubectl too, if none of the line is found")
    parser.add_argument(
        "--with-crds", action="store_true", help="it knows the kinds of Flux, MetalLB and Ceph CSI, which do not run"
    )
    parser.add_argument(
        "--with-node", action="store_true", help="it has a node that is played, where MetalLB's real controller can run"
    )
    parser.add_argument("--folder", type=Path, help="an empty folder for data and logs, which is kept")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs")
    parser.add_argument("--kubeconfig", type=Path, help="a file to write, once everything is ready, to get in with")
    parser.add_argument("--owner", type=int, metavar="PID", help="a process with which it ends")
    return parser.parse_args()


def _define(cluster: ControlPlane) -> None:
    """What charts and Flux's installation bring before tenants come."""
    names = ("ceph-csi-operator-system", "flux-system", "metallb-system")
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    line = ".".join(cluster.version.removeprefix("v").split(".")[:2])
    for path, made in [
        *(("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", each) for each in crds(line)),
        *(("/api/v1/namespaces", each) for each in spaces),
    ]:
        status, answer = cluster.admin.request("POST", path, made)
        if status != HTTPStatus.CREATED:
            raise ControlPlaneError(f"{made['metadata']['name']}: {answer}")


def _show(cluster: ControlPlane, seconds: float) -> None:
    path = f'  export PATH="{cluster.kubectl.parent}:$PATH"\n' if cluster.kubectl else ""
    print(
        f"""Kubernetes {cluster.version} runs at {cluster.server} (ready after {seconds:.1f} s).

  export KUBECONFIG={cluster.kubeconfig}
{path}  kubectl get namespaces
  kubectl create namespace try && kubectl -n try create quota all --hard=pods=2

  folder: {cluster.folder}
  logs:   {cluster.layout.logs}
  audit:  {cluster.layout.audit_log}

Ctrl-C stops it.""",
        flush=True,
    )


@contextmanager
def _running(arguments: argparse.Namespace) -> Iterator[ControlPlane]:
    def plane(*flags: str) -> ControlPlane:
        return ControlPlane(
            arguments.line,
            folder=arguments.folder,
            keep=arguments.keep,
            kubectl=arguments.with_kubectl,
            apiserver_args=flags,
        )

    if not arguments.with_node:
        with plane() as cluster:
            yield cluster
        return
    # what a node needs of the collection, and the control plane does not
    sys.path.insert(0, str(ROOT / ".cache/collections"))
    from ..metallb import build, kubelet, node

    built = build.find(release(arguments.line).line)
    with (
        node.alone(built),
        plane(*node.APISERVER) as cluster,
        kubelet.Kubelet(cluster, cluster.folder / "node", node.programs(built), address=node.NODE_ADDRESS),
    ):
        yield cluster


def _watch(cluster: ControlPlane, owner: int | None) -> None:
    """Return when the owner has ended."""
    born = start_time(owner) if owner else ""
    while not owner or (born and start_time(owner) == born):
        time.sleep(WATCH_SECONDS)
        cluster.check()


def main() -> int:
    """Run until Ctrl-C or SIGTERM; return the exit status."""
    arguments = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    running = False
    try:
        found = binaries.find(arguments.line, kubectl=arguments.with_kubectl)
        if arguments.build_only:
            for program in (found.etcd, found.apiserver, found.controller_manager, found.scheduler, found.kubectl):
                if program:
                    print(program)
            return 0
        start = time.monotonic()
        with _running(arguments) as cluster:
            running = True
            if arguments.with_crds:
                _define(cluster)
            _show(cluster, time.monotonic() - start)
            if arguments.kubeconfig:
                new = write_private(arguments.kubeconfig.with_suffix(".new"), cluster.kubeconfig.read_bytes())
                new.replace(arguments.kubeconfig)
            _watch(cluster, arguments.owner)
        print("its owner has ended", flush=True)
        return 0
    except StopSignal as signalled:
        print("stopped", flush=True)
        return 0 if running else 128 + int(signalled.args[0])
    except (BuildError, ControlPlaneError, UnknownReleaseLineError, WrongVersionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

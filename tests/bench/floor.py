# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor: what the requests alone cost. A pool of connections lists every kind, and applies every object.

C(floor.py KUBECONFIG WAVES PARALLEL create|list) prints the seconds without reading its files. It decides nothing.
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
import tempfile
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3
import yaml

_HEADERS = {"Accept": "application/json", "Content-Type": "application/apply-patch+yaml"}
_LIST = "?limit=500&labelSelector=app.kubernetes.io/managed-by%3Dself-provisioning"


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


class Floor:
    """Requests to one API server, with a client certificate from files."""

    def __init__(self, kubeconfig: Path, parallel: int) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._host = cluster["server"]
        context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name in ("client-certificate-data", "client-key-data")]
            for path in paths:
                path.write_text(_decoded(user[path.name]))
            context.load_cert_chain(paths[0], paths[1])
        self._pool = urllib3.PoolManager(maxsize=parallel, block=True, ssl_context=context)
        self._threads = ThreadPoolExecutor(max_workers=parallel)

    def _send(self, method: str, path: str, body: t.Any = None) -> t.Any:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        answer = self._pool.request(method, self._host + path, body=data, headers=_HEADERS, retries=False)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data.decode()[:500]}")
        return json.loads(answer.data)

    def _list(self, path: str) -> int:
        count, more = 0, ""
        while True:
            answer = self._send("GET", path + _LIST + more)
            count += len(answer.get("items") or ())
            if not answer["metadata"].get("continue"):
                return count
            more = f"&continue={answer['metadata']['continue']}"

    def read(self, lists: list[str]) -> int:
        """How many objects there are."""
        return sum(self._threads.map(self._list, lists))

    def write(self, waves: list[list[tuple[str, t.Any]]]) -> None:
        for wave in waves:
            list(self._threads.map(lambda pair: self._send("PATCH", f"{pair[0]}?fieldManager=floor", pair[1]), wave))


def main() -> None:
    kubeconfig, plan, parallel, what = sys.argv[1:]
    content = json.loads(Path(plan).read_text())
    floor = Floor(Path(kubeconfig), int(parallel))
    start = time.monotonic()
    found = floor.read(content["lists"])
    if what == "create":
        floor.write(content["waves"])
    seconds = time.monotonic() - start
    Path(plan).with_suffix(".seconds").write_text(json.dumps({"seconds": seconds, "found": found}))


if __name__ == "__main__":
    main()

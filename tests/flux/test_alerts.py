# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts: what the real notification-controller tells, and what never gets into Git or logs."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_install import secret

from .rig import FluxRig
from .site import CLUSTER, Site

KEY = "B0TH-THE-WAY-AND-THE-KEY"
BROKEN = f"clusters/{CLUSTER}/tenants/physics/physics-lab-prod.yaml"


class Webhook:
    """An HTTP server that keeps what is posted to it, by path."""

    def __init__(self) -> None:
        """Serve on a port of its own."""
        self.posted: list[tuple[str, dict[str, Any]]] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.posted.append((self.path, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def of(self, path: str) -> list[dict[str, Any]]:
        """What came to a path."""
        return [body for at, body in list(self.posted) if at == path]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A server to be told."""
    made = Webhook()
    yield made
    made.close()


@contextlib.contextmanager
def declared(site: Site, **alerts: object) -> Iterator[None]:
    """The site with alerts, and as it was afterwards."""
    site.settings = {"fleet_alerts": {name.replace("_", "-"): each for name, each in alerts.items()}}
    try:
        yield
    finally:
        site.settings = {}
        site.commit()
        site.settle()


def known(rig: FluxRig, *names: str) -> bool:
    """Whether the cluster has these alerts, and no others."""
    base = "/apis/notification.toolkit.fluxcd.io/v1beta3/namespaces/flux-system"
    found = (rig.get(f"{base}/alerts") or {})["items"]
    return {each["metadata"]["name"] for each in found} == {*names}


@pytest.mark.slow
def test_a_broken_tenant_is_told_of(site: Site, webhook: Webhook) -> None:
    """To whom it concerns, naming it and the cluster; the way to the channel is in no repository and no log."""
    alerts: dict[str, Any] = {
        "chat": {"type": "slack", "channel": "#fleet"},
        "mail": {"type": "generic", "address": f"{webhook.url}/mail"},
        "physics_only": {"type": "msteams", "tenants": ["physics", "rich"]},
        "biology_only": {"type": "generic", "address": f"{webhook.url}/biology", "tenants": ["biology"]},
        "night": {"type": "generic", "stages": ["dev"]},
    }
    given = {"chat": {"address": f"{webhook.url}/{KEY}"}, "night": {"address": f"{webhook.url}/night"}}
    with declared(site, **alerts):
        site.rig.apply([secret("alert-mail", {"token": "x"})])
        run = site.bootstrap("--diff", "-vvv", flux_bootstrap_alerts=given)
        assert (run.code, run.changed) == (0, 1), run.out
        assert KEY not in run.out
        assert "Flux uses no Secret for the alert mail" in " ".join(run.out.split())
        assert "east has no Secret alert-physics-only in flux-system" in " ".join(run.out.split())
        # as the fleet tree would bring it, decrypted
        site.rig.apply([secret("alert-physics-only", {"address": f"{webhook.url}/{KEY}/teams"})])
        site.commit()
        site.settle("alerts")
        site.rig.until(lambda: known(site.rig, "chat", "mail", "physics-only", "biology-only"), "the alerts are there")
        # events are matched with what a cache of the controller holds
        time.sleep(1)
        site.commit({BROKEN: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: nowhere}\n"})
        site.rig.until(lambda: webhook.of("/mail") and webhook.of(f"/{KEY}") and webhook.of(f"/{KEY}/teams"), "told")
        (told,) = webhook.of("/mail")
        assert told["involvedObject"]["name"] == "tenant-physics"
        assert told["severity"] == "error"
        assert told["metadata"]["cluster"] == CLUSTER
        assert 'namespaces "nowhere" not found' in told["message"]
        (told,) = webhook.of(f"/{KEY}")
        assert told["channel"] == "#fleet"
        assert told["attachments"][0]["author_name"] == "kustomization/tenant-physics.flux-system"
        assert webhook.of("/biology") == webhook.of("/night") == []
    for log in site.rig.folder.glob("*.log"):
        assert KEY not in log.read_text(encoding="utf-8", errors="replace"), log
    for path in site.work.path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_a_secret_of_nothing_is_refused(site: Site) -> None:
    """All of them together, with the nearest name, and nothing is changed."""
    site.settings = {"fleet_alerts": {"chat": {"type": "slack"}}}
    try:
        run = site.bootstrap(flux_bootstrap_alerts={"chatt": {"address": "x"}, "chat": {"adress": "x"}})
    finally:
        site.settings = {}
    out = " ".join(run.out.split())
    assert (run.code != 0, run.changed) == (True, 0)
    assert "there is no alert 'chatt' in fleet_alerts. Did you mean 'chat'?" in out
    assert "chat has a key 'adress', which means nothing. Did you mean 'address'?" in out

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live delivery when things break: nothing is lost, the next run converges, and the message names the cause."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session

from ..control_plane.cluster import ControlPlane
from ..control_plane.process import free_ports
from .flaky_proxy import Fault, flaky
from .live_cluster import Live, assert_converged, failed, many, objects_of, prepare, tenant, wait_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with ControlPlane() as plane:
        yield prepare(plane)


def at_writes(method: str, number: int, every: int) -> bool:
    return method == "PATCH" and number % every == 0


STORMS = {
    "429 with Retry-After": lambda n, m, _p: Fault(429, retry_after="1") if at_writes(m, n, 6) else None,
    "429 without": lambda n, m, _p: Fault(429) if at_writes(m, n, 3) else None,
    "500": lambda n, _m, _p: Fault(500) if n % 4 == 0 else None,
    "503 for a while": lambda n, _m, _p: Fault(503) if 20 < n < 50 else None,
    "hung up before": lambda n, _m, _p: Fault(drop="before") if n % 4 == 0 else None,
    "hung up after it was done": lambda n, _m, _p: Fault(drop="after") if n % 4 == 0 else None,
    "back, and knows the rights a little later": lambda n, _m, _p: (
        Fault(drop="before") if n == 10 else Fault(403) if 20 < n < 50 else None
    ),
    "slow": lambda n, _m, _p: Fault(delay=0.3) if n % 10 == 0 else None,
    "a list breaks": lambda n, m, _p: Fault(drop="after") if m == "GET" and n % 2 else None,
}


@pytest.mark.parametrize("storm", STORMS)
def test_storms_pass(live: Live, storm: str) -> None:
    objects = many(f"s{list(STORMS).index(storm)}", 3)
    with flaky(live.plane, STORMS[storm]) as url:
        result = live.run(objects, access=Access(host=url))
        assert result["summary"]["failed"] == 0, result["objects"]
        # what was done without an answer is not created twice
        assert result["summary"]["created"] + result["summary"]["updated"] == len(objects)
        if storm != "slow":
            assert result["requests"]["retry"] > 0
    assert_converged(live, objects)


def test_an_object_that_always_breaks_is_given_up_and_named(live: Live) -> None:
    objects = many("broken", 2)

    def decide(_number: int, method: str, path: str) -> Fault | None:
        return Fault(500) if method == "PATCH" and "broken-lab-e0/limitranges" in path else None

    with flaky(live.plane, decide) as url:
        result = live.run(objects, access=Access(host=url))
    failed = [row for row in result["objects"] if row["action"] == "failed"]
    assert [(row["kind"], row["namespace"]) for row in failed] == [("LimitRange", "broken-lab-e0")]
    assert "a fault of the test (tried" not in failed[0]["reason"]
    assert "a fault of the test" in failed[0]["reason"]
    assert result["summary"]["created"] == len(objects) - 1
    live.run(objects)
    assert_converged(live, objects)


def test_the_api_server_dies_and_comes_back(live: Live) -> None:
    objects = many("crash", 25)
    killed = threading.Event()

    def quotas(prefix: str) -> list[str]:
        # those of the other tests are there before the run has begun
        found = live.plane.admin.request("GET", "/api/v1/resourcequotas")[1].get("items", ())
        return [each for each in (quota["metadata"]["namespace"] for quota in found) if each.startswith(prefix)]

    def kill() -> None:
        wait_for(lambda: len(quotas("crash-")) > 8, "writing")
        live.plane.stop_apiserver(crash=True)
        killed.set()
        live.plane.start_apiserver()

    thread = threading.Thread(target=kill)
    thread.start()
    result = live.run(objects, parallel=2)
    thread.join()
    assert killed.is_set()
    assert result["summary"]["failed"] == 0, {row["reason"] for row in result["objects"]}
    assert result["requests"]["retry"] > 0
    assert_converged(live, objects)


def test_an_api_server_that_stays_away_ends_the_run_soon(live: Live) -> None:
    objects = many("away", 10)

    def decide(number: int, _method: str, _path: str) -> Fault | None:
        return Fault(drop="before") if number > 40 else None

    start = time.monotonic()
    with flaky(live.plane, decide) as url:
        result = live.run(objects, access=Access(host=url), patience=2)
    assert time.monotonic() - start < 50, "it waited for each object"
    assert result["failed"]
    assert result["summary"]["created"] > 0
    assert result["summary"]["created"] + result["summary"]["failed"] == len(objects)
    reasons = "\n".join(row["reason"] for row in result["objects"])
    assert "the API server cannot be reached" in reasons
    assert "not tried, because" in reasons
    live.run(objects)
    assert_converged(live, objects)


def test_an_overload_that_does_not_end_ends_the_run_soon(live: Live) -> None:
    """Not for every object anew, which would take hours."""
    objects = many("overload", 20)
    start = time.monotonic()
    with flaky(live.plane, lambda _n, method, _p: Fault(429) if method == "PATCH" else None) as url:
        result = live.run(objects, access=Access(host=url), patience=2)
    assert time.monotonic() - start < 50, "it waited for each object"
    assert result["summary"]["failed"] == len(objects)
    reasons = "\n".join(row["reason"] for row in result["objects"])
    assert "The API server is overloaded; run again later or lower parallel." in reasons
    assert "not tried, because" in reasons or "skipped" in {row["action"] for row in result["objects"]}
    live.run(objects)
    assert_converged(live, objects)


def test_answers_that_do_not_come_are_asked_for_again(live: Live) -> None:
    """A connection that hangs, before or after the request was done."""
    objects = many("hangs", 2)
    with flaky(live.plane, lambda n, _m, _p: Fault(delay=3) if n % 9 == 0 else None) as url:  # noqa: SIM117
        with Session.open(Access(host=url), timeout=1.0) as session:
            result = reconcile(session, objects, Options())
    assert result["summary"]["failed"] == 0, result["objects"]
    assert result["requests"]["retry"] > 0
    assert_converged(live, objects)


@pytest.mark.parametrize(("times", "failures"), [(3, 0), (99, 1)])
def test_admission_that_still_sees_the_namespace_as_it_was(live: Live, times: int, failures: int) -> None:
    """The policy that confines the provisioner looks at labels that this run has just written."""
    name = f"stale{times}"
    objects = objects_of(tenant(name, {"name": "e0", "adoption_policy": "if_identical"}))
    live.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{name}-lab-e0"}})
    left = iter(range(times))

    def decide(_number: int, method: str, path: str) -> Fault | None:
        stale = method == "PATCH" and "/limitranges/" in path and next(left, None) is not None
        return Fault(403) if stale else None

    with flaky(live.plane, decide) as url:
        result = live.run(objects, access=Access(host=url))
    assert [row["kind"] for row in failed(result)] == ["LimitRange"] * failures
    live.run(objects)
    assert_converged(live, objects)


def test_a_login_that_is_refused_under_way_is_named(live: Live) -> None:
    objects = many("refused", 4)
    with flaky(live.plane, lambda n, _m, _p: Fault(401) if n > 40 else None) as url:
        result = live.run(objects, access=Access(host=url))
    made = result["summary"]["created"]
    assert 0 < made < len(objects)
    reasons = {row["reason"] for row in result["objects"] if row["action"] == "failed"}
    assert all("does not accept the login" in reason and "run again" in reason for reason in reasons)
    live.run(objects)
    assert_converged(live, objects)


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (Access(host=f"https://127.0.0.1:{free_ports(1)[0]}"), "cannot be reached.*refused"),
        (Access(kubeconfig="/nowhere/kubeconfig"), "kubeconfig /nowhere/kubeconfig: there is no such file"),
        (Access(kubeconfig={"apiVersion": "v1", "kind": "Config"}), "the given kubeconfig: it cannot be used"),
    ],
)
def test_no_way_to_the_cluster(live: Live, access: Access, message: str) -> None:
    with pytest.raises(LiveError, match=message):
        live.run(many("noway", 1), access=access, patience=1)


def test_an_unknown_certificate(live: Live) -> None:
    with pytest.raises(LiveError, match=r"encrypted connection fails.*ca_cert"):
        live.run(many("noway", 1), access=Access(host=live.plane.server), patience=1)


def service_account_token(live: Live, name: str, lives: int) -> str:
    """A token as the API server would have made it, for a ServiceAccount, that ends in so many seconds."""
    live.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}})
    account = live.read(f"/api/v1/namespaces/default/serviceaccounts/{name}")
    genuine = live.send(
        "POST",
        f"/api/v1/namespaces/default/serviceaccounts/{name}/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}},
    )["status"]["token"]
    assert account is not None
    head, claims, _signature = (part + "=" * (-len(part) % 4) for part in genuine.split("."))
    altered = json.loads(base64.urlsafe_b64decode(claims))
    now = int(time.time())
    altered.update(iat=now - 3600, nbf=now - 3600, exp=now + lives)
    body = f"{head.rstrip('=')}.{base64.urlsafe_b64encode(json.dumps(altered).encode()).decode().rstrip('=')}"
    key = serialization.load_pem_private_key(live.plane.layout.token_key.read_bytes(), None)
    signature = key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr,call-arg,arg-type]
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_an_expired_token_is_named_and_not_shown(live: Live) -> None:
    token = service_account_token(live, "late", -60)
    access = Access(host=live.plane.server, api_key=token, ca_cert=str(live.plane.ca_file))
    with pytest.raises(LiveError) as caught:
        live.run(many("late", 1), access=access)
    assert "its token expired at 20" in str(caught.value)
    assert token[-40:] not in repr(caught.value)
    assert token[-40:] not in repr(access)


def test_a_token_that_expires_under_way_is_read_anew(live: Live, tmp_path: Path) -> None:
    """As with a token that a sidecar renews in a file."""
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "renewed"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "renewed", "namespace": "default"}],
    }
    live.make({**binding})
    good, bad = service_account_token(live, "renewed", 600), service_account_token(live, "unused", -60)
    config = yaml.safe_load(live.plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"tokenFile": str(tmp_path / "token")}
    (tmp_path / "token").write_text(bad)
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    objects = many("renewed", 1)
    with Session.open(Access(kubeconfig=str(tmp_path / "kubeconfig"))) as session:
        (tmp_path / "token").write_text(good)
        assert reconcile(session, objects, Options())["summary"]["created"] == len(objects)


_RUN = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.reconcile import Options, reconcile
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
with Session.open(Access(host=sys.argv[2])) as session:
    reconcile(session, json.load(sys.stdin), Options())
"""


@pytest.mark.parametrize("moment", [25, 60])
def test_a_run_that_is_killed(live: Live, moment: int) -> None:
    objects = many(f"killed{moment}", 8)
    reached = threading.Event()

    def decide(number: int, _method: str, _path: str) -> Fault | None:
        if number >= moment:
            reached.set()
            return Fault(delay=1)
        return None

    with flaky(live.plane, decide) as url:
        command = [sys.executable, "-c", _RUN, json.dumps([str(ROOT / ".cache/collections")]), url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as run:
            assert run.stdin
            run.stdin.write(json.dumps(objects))
            run.stdin.close()
            assert reached.wait(30)
            os.kill(run.pid, signal.SIGKILL)
            assert run.wait() == -signal.SIGKILL
    result = live.run(objects)
    assert not result["failed"]
    assert result["summary"]["created"] > 0
    assert_converged(live, objects)

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attack table: nobody gets more rights or reaches others, and everybody can work.

Attacks are real requests, not trials. What is allowed is tried with C(dryRun), which goes the same way.
"""

from __future__ import annotations

import hashlib
import json

import pytest

from .asked import Object, account, binding, config, pod, service, token_secret, workload
from .attacks import ATTACKS
from .delivered import ICE, LAB, SHOP, Delivered, bundle_of, object_path
from .tries import OTHER, OWN, RUNS, Try, flux, named
from .work import ALLOWED


@pytest.fixture(scope="module")
def inhabited(delivered: Delivered) -> Delivered:
    """What tenants have running before anybody attacks."""
    deployment = {**workload("Deployment")}
    for where, made in (
        (LAB, named(pod(), RUNS)),
        (LAB, named(deployment, OWN)),
        (LAB, named(config(), OWN)),
        (LAB, named(service(), OWN)),
        (LAB, named(token_secret("ci-deployer"), f"{OWN}-token")),
        (LAB, named(binding(account()), OWN)),
        (LAB, named(flux(suspend=True), OWN)),
        (SHOP, named(deployment, OTHER)),
        (ICE, named(deployment, RUNS)),
        (ICE, named(pod(), RUNS)),
    ):
        delivered.as_admin([{**made, "metadata": {**made["metadata"], "namespace": where}}])
    return delivered


def _sent(delivered: Delivered, tried: Try, *, dry_run: bool) -> tuple[int, str]:
    path = tried.path
    if dry_run and tried.method != "GET":
        path += f"{'&' if '?' in path else '?'}dryRun=All"
    headers = {name.replace("-", "_"): value for name, value in tried.headers}
    return delivered.send(tried.who, tried.method, path, tried.body, tried.content, **headers)


@pytest.mark.parametrize("tried", ATTACKS, ids=lambda tried: f"{tried.who}: {tried.what}")
def test_attack(inhabited: Delivered, tried: Try) -> None:
    """It is refused, for the stated reason."""
    assert tried.refusal
    status, message = _sent(inhabited, tried, dry_run=False)
    assert (status, tried.refusal in message) == (403, True), f"{status}: {message}"


@pytest.mark.parametrize("tried", ALLOWED, ids=lambda tried: f"{tried.who}: {tried.what}")
def test_work(inhabited: Delivered, tried: Try) -> None:
    """It is accepted."""
    status, message = _sent(inhabited, tried, dry_run=True)
    assert status in (200, 201), f"{status}: {message}"


def test_the_table_is_as_large_as_it_says() -> None:
    """Nobody is left out, nothing is there twice, and nothing got lost."""
    for table, least in ((ATTACKS, 180), (ALLOWED, 50)):
        assert len(table) >= least
        assert len({(each.who, each.what) for each in table}) == len(table)
        assert {each.who for each in table} == {
            "auditor", "deployer", "developer", "guest", "lead", "olga", "reconciler",
        }  # fmt: skip


def _fingerprint(target: Object) -> str:
    said = {key: value for key, value in target.items() if key != "status"}
    said["metadata"] = {
        key: value for key, value in target["metadata"].items() if key in ("labels", "annotations", "ownerReferences")
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def test_after_all_attacks_everything_is_as_it_was(inhabited: Delivered) -> None:
    """Also when all of them are made at once, at the end, none leaves a trace on what we made."""
    bundle = bundle_of(inhabited)
    before = {object_path(each): _fingerprint(inhabited.get(object_path(each))) for each in bundle}
    for tried in ATTACKS:
        _sent(inhabited, tried, dry_run=False)
    assert {path: _fingerprint(inhabited.get(path)) for path in before} == before

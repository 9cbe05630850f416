# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Flux gets into the repository: with what the role gives it, and with nothing else that the rig knows.

What becomes of each login on the cluster is looked at in tests/integration/test_flux_login.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .rig import FluxRig
from .site import Object, Site, tenant
from .ssh_server import SshServer, new_key, private, public

pytestmark = pytest.mark.slow

TOKEN = "not a real token"
BEARER = {"bearer_token": TOKEN}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Controllers that know no authority but those of the system and of the role; the repository wants a token."""
    with FluxRig(trusting=False) as rig:
        made = Site(rig, tenant("physics"))
        rig.git.passwords.clear()
        rig.git.tokens["fleet.git"] = TOKEN
        made.commit()
        made.install(flux_bootstrap_git=BEARER, flux_bootstrap_ca_file=str(rig.plane.ca_file))
        yield made


def logs_in(site: Site, **options: object) -> None:
    """A run with another login, and a commit that is applied."""
    run = site.bootstrap(**options)
    assert (run.code, run.changed) == (0, 1), run.out
    site.commit()
    site.settle(seconds=90)


def is_kept_out(site: Site, told: str, *, restart: bool = False, **options: object) -> None:
    """A run with what does not open the repository, and a commit: Flux says why it stays out, and so does flux_status.

    @param restart: what was changed are Deployments, so there are other pods.
    """
    run = site.bootstrap(**options)
    assert (run.code, run.changed) == (0, 1), run.out
    if restart:
        site.rig.run_controllers()
    site.commit()

    def refused() -> bool:
        ready, _reason, message = site.rig.condition("GitRepository", "flux-system")
        return ready == "False" and told in message

    site.rig.until(refused, f"the repository says: {told}")
    run, found = site.status()
    assert run.code != 0
    assert told in " ".join(run.out.split())
    assert (found["healthy"], found["commit"] != site.head) == (False, True)


def test_a_token_under_a_private_authority(site: Site) -> None:
    """The authority is told for everything that controllers ask, or for the repository only; without it, nothing."""
    authority = {"ca": site.rig.plane.ca_file.read_text(encoding="utf-8")}
    site.settle(seconds=90)
    is_kept_out(site, "signed by unknown authority", restart=True, flux_bootstrap_git=BEARER)
    is_kept_out(site, "authentication required", flux_bootstrap_git={"bearer_token": "another", **authority})
    logs_in(site, flux_bootstrap_git={**BEARER, **authority})


def test_a_deploy_key_over_ssh(site: Site) -> None:
    """Only to the server that is known, and with the key that it knows."""
    key = new_key()

    def way(**other: object) -> dict[str, Object]:
        login = {"identity": private(key), "identity_public": public(key), "known_hosts": server.known_hosts(), **other}
        return {"flux_bootstrap_url": server.url("fleet"), "flux_bootstrap_git": login}

    with SshServer(site.rig.git.root, key) as server:
        logs_in(site, **way())
        is_kept_out(site, "key mismatch", **way(known_hosts=server.known_hosts(new_key())))
        is_kept_out(site, "unable to authenticate", **way(identity=private(new_key())))
        logs_in(site, **way())

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in the fleet tree: encrypted with SOPS, opened by Flux, guarded, and given another key."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

from ..integration.playbooks import play
from .git_server import git
from .site import Site

pytestmark = pytest.mark.slow

FIRST, SECOND = "opened with the old key", "opened with the new key"
NAMESPACE = "physics-lab-prod"
FILE = "clusters/east/secrets/db.yaml"
PLAIN = """\
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: physics-lab-prod}
stringData: {password: "%s"}
"""


def sops(site: Site, *arguments: str, key: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run SOPS in the tree, with one key or with none."""
    env = {"PATH": os.environ["PATH"], "HOME": str(site.rig.folder), **({"SOPS_AGE_KEY_FILE": str(key)} if key else {})}
    return subprocess.run(
        [site.rig.built.sops, *arguments], cwd=site.work.path, env=env, text=True, capture_output=True, check=False
    )


def put(site: Site, value: str) -> None:
    """Encrypt a Secret, with what everybody knows."""
    path = site.work.path / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PLAIN % value, encoding="utf-8")
    done = sops(site, "encrypt", "--in-place", FILE)
    assert done.returncode == 0, done.stderr


def on_cluster(site: Site) -> str:
    """The value that the cluster has."""
    found = site.rig.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/db") or {}
    return base64.b64decode(found.get("data", {}).get("password", "")).decode()


def recipients(path: Path) -> list[str]:
    """The public keys of a key file."""
    return age.recipients(path.read_text(encoding="utf-8"))


def test_from_clear_text_to_another_key(site: Site) -> None:
    """One story: encrypted, applied, guarded, rotated; the old key opens nothing any more."""
    rig = site.rig
    old, new, both = (rig.folder / f"{name}.agekey" for name in ("east", "new", "both"))
    site.cluster = {"cluster_age_recipients": recipients(old)}
    site.commit()
    put(site, FIRST)
    site.commit()
    site.settle("secrets")
    assert on_cluster(site) == FIRST
    assert FIRST not in (site.work.path / FILE).read_text(encoding="utf-8")

    # the guard, in a clone: nobody's commit goes through while there is clear text
    clone = rig.folder / "clone"
    git("clone", "--quiet", str(rig.git.root / "fleet.git"), str(clone))
    assert play("secrets_guard", inventory=None, tenants_tree=str(clone)).code == 0
    for name, text in {"a.yaml": PLAIN % "seen", "b.yaml": f"kind: List\nitems:\n- {PLAIN % 'x'!r}\n"}.items():
        (clone / "clusters/east/secrets" / name).write_text(text, encoding="utf-8")
    run = play("secrets_guard", inventory=None, tenants_tree=str(clone))
    assert run.code != 0
    assert "a.yaml: stringData.password of the Secret db is in clear text" in run.out
    head = git("rev-parse", "HEAD", cwd=clone)
    run = play("tenants", inventory=site.inventory(), tenants_tree=str(clone), tenants_today="2027-01-01")
    assert run.code != 0
    assert "nothing was written" in " ".join(run.out.split())
    assert git("rev-parse", "HEAD", cwd=clone) == head

    # another key: made, named in the inventory, in the tree, then on the cluster next to the old one
    how = {
        "tenants_tree": str(site.work.path), "secrets_old_key_file": str(old), "secrets_new_key_file": str(new),
        "secrets_sops": str(rig.built.sops),
    }  # fmt: skip
    run = play("secrets_rotate", inventory=site.inventory(), **how)
    assert run.code == 0, run.out
    assert recipients(new)[0] in run.out
    assert "AGE-SECRET-KEY" not in run.out
    run = play("secrets_rotate", inventory=site.inventory(), **how)
    assert run.code != 0
    assert sops(site, "decrypt", FILE, key=old).returncode == 0
    both.write_text(old.read_text(encoding="utf-8") + new.read_text(encoding="utf-8"), encoding="utf-8")
    both.chmod(0o600)
    run = site.bootstrap(flux_bootstrap_age_key_file=str(both))
    assert run.code == 0, run.out

    site.cluster = {"cluster_age_recipients": recipients(new)}
    site.commit()
    run = play("secrets_rotate", inventory=site.inventory(), **how)
    assert (run.code, run.changed) == (0, 1), run.out
    assert play("secrets_rotate", inventory=site.inventory(), **how).changed == 0
    assert sops(site, "decrypt", FILE, key=old).returncode != 0
    assert sops(site, "decrypt", FILE, key=new).returncode == 0
    site.commit()
    site.settle("secrets")

    # the old key goes from the cluster, and what is encrypted now is opened
    run = site.bootstrap(flux_bootstrap_age_key_file=str(new))
    assert run.code == 0, run.out
    put(site, SECOND)
    site.commit()
    site.settle("secrets")
    assert on_cluster(site) == SECOND

    # of all that was ever committed, nothing is in clear text
    history = git("log", "--patch", "--all", cwd=rig.git.root / "fleet.git")
    assert history.count("password: ENC[") >= 3
    assert [text for text in (FIRST, SECOND, age.SECRET) if text in history] == []
    new.replace(old)

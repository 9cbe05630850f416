# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases of tenants from their inventory, and their Secrets in the fleet tree, encrypted by the real SOPS."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import passwords
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

from ..integration.playbooks import Run, play
from .build import find
from .git_server import git

pytestmark = pytest.mark.slow

SECRET = "0123456789abcdef0123456789abcdef"
FILE = "clusters/east/secrets/databases/a-b-prod.postgresql-shop.yaml"
PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - k8s.self_provisioning.tenant_databases:
        state: delivered
        tree: "{{ tree }}"
        secret: "{{ secret }}"
        sops: "{{ sops }}"
        endpoint: {host: "10.0.0.1,10.0.0.2", port: 5432, read_only_port: 5433, ca: "the authority"}
      register: done
    - ansible.builtin.debug:
        msg: "{{ {'written': done.written, 'undelivered': done.undelivered} | to_json }}"
"""


class Site:
    """An inventory with two clusters, and its tree."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tree = folder, folder / "tree"
        self.key = folder / "east.agekey"
        self.key.write_text(age.generate(datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)))
        self.playbook = folder / "deliver.yml"
        self.playbook.write_text(PLAYBOOK)
        self.sops = find().sops
        self.declare({"name": "shop"})

    def declare(self, *databases: dict[str, object], **settings: object) -> None:
        """@param settings: of the cluster east."""
        east: dict[str, object] = {
            "cluster_environment": "prod",
            "cluster_security_domain": "internal_only",
            "cluster_sla_tier": "tier_2_important",
        }
        clusters: dict[str, dict[str, object]] = {
            "east": {**east, "cluster_age_recipients": age.recipients(self.key.read_text())},
            "lab": {**east, "cluster_delivery": "live"},
        }
        clusters["east"] |= settings
        prod = [{"name": "prod", "size": "none", "placement": {"clusters": [name]}} for name in clusters]
        projects = [
            {"id": "b", "environments": prod[:1], "databases": list(databases)},
            {"id": "c", "environments": prod[1:], "databases": [{"name": "log"}]},
        ]
        group_vars = self.folder / "inventory/group_vars/all"
        group_vars.mkdir(parents=True, exist_ok=True)
        (group_vars / "a.yml").write_text(yaml.safe_dump({"tenant__a": {"id": "a", "projects": projects}}))
        (self.folder / "inventory/hosts.yml").write_text(
            yaml.safe_dump({"all": {"children": {"clusters": {"hosts": clusters}}}})
        )

    def write_tree(self) -> None:
        run = play("tenants", inventory=self.folder / "inventory", tenants_tree=str(self.tree), tenants_init=True)
        assert run.code == 0, run.out

    def deliver(self, secret: str = SECRET, *arguments: str) -> Run:
        run = play(
            self.playbook,
            *arguments,
            inventory=self.folder / "inventory",
            tree=str(self.tree),
            secret=secret,
            sops=str(self.sops),
        )
        assert run.code == 0, run.out
        return run

    def opened(self, key: Path | None = None) -> dict[str, str]:
        command = [str(self.sops), "decrypt", str(self.tree / FILE)]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "SOPS_AGE_KEY_FILE": str(key or self.key)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return dict(yaml.safe_load(done.stdout)["stringData"])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write_tree()
    return made


def test_from_declaration_to_encrypted_secret(site: Site) -> None:
    """One story: looked at, written, left alone, changed, committed, and gone with its declaration."""
    assert FILE in site.deliver(SECRET, "--check").out
    assert not (site.tree / FILE).exists()

    run = site.deliver()
    assert "a-c-prod/postgresql-log on lab: it is delivered live" in run.out
    password = passwords.derived(SECRET, "role a_b_prod__shop")
    text = (site.tree / FILE).read_text()
    assert password not in text
    found = site.opened()
    assert found["password"] == password
    assert found["uri"] == (
        f"postgresql://a_b_prod__shop:{password}@10.0.0.1:5432,10.0.0.2:5432/a_b_prod__shop?sslmode=verify-full"
    )
    assert found["ca.crt"] == "the authority"

    assert site.deliver().changed == 0
    assert (site.tree / FILE).read_text() == text

    site.declare({"name": "shop", "password_generation": 2})
    assert site.deliver().changed == 1
    assert site.opened()["password"] == passwords.derived(SECRET, "role a_b_prod__shop", 2)

    # the tree takes it as encrypted, and the next run of tenants leaves it
    git("add", "--all", cwd=site.tree)
    git("commit", "--quiet", "--message", "Secrets", cwd=site.tree)
    site.write_tree()
    assert (site.tree / FILE).exists()

    site.declare()
    assert site.deliver().changed == 1
    assert not (site.tree / FILE).exists()


def test_what_cannot_be_written_stays_and_a_new_recipient_gets_it(site: Site) -> None:
    """Flux takes a Secret away with its file, so only what nobody declares goes."""
    site.deliver()
    text = (site.tree / FILE).read_text()
    (site.tree / ".sops.yaml").unlink()
    site.declare({"name": "shop"}, cluster_age_recipients=[])
    run = site.deliver()
    assert "a-b-prod/postgresql-shop on east" in run.out
    assert (run.changed, (site.tree / FILE).read_text()) == (0, text)

    recovery = site.folder / "recovery.agekey"
    recovery.write_text(age.generate(datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)))
    keys = [*age.recipients(site.key.read_text()), *age.recipients(recovery.read_text())]
    site.declare({"name": "shop"}, cluster_age_recipients=keys)
    assert site.deliver().changed == 1
    assert site.opened(recovery) == site.opened()
    assert site.deliver().changed == 0

    site.declare({"name": "shop"}, cluster_delivery="live", cluster_age_recipients=[])
    assert site.deliver().changed == 1
    assert not (site.tree / FILE).exists()

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three database hosts, a client that writes, and an inventory with a tenant who has a database."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import yaml

from tests.flux.build import find
from tests.hosts.engine import podman
from tests.hosts.rig import Rig

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / ".cache" / "collections"))

HOSTS = ("db1", "db2", "db3")
CLIENT = "client"
PLATFORMS: list[dict[str, t.Any]] = [
    *({"name": name, "groups": ["database"], "shared": "/srv/backup"} for name in HOSTS),
    {"name": CLIENT, "groups": ["client"]},
]
ANSIBLE = str(Path(sys.executable).with_name("ansible-playbook"))
ADDRESS = 200


def say(text: str) -> None:
    print(f"databases: {text}", file=sys.stderr, flush=True)


def changes(text: str) -> list[str]:
    """The tasks of a run that changed something on a host."""
    found, task = [], ""
    for line in text.splitlines():
        if match := re.match(r"(?:TASK|RUNNING HANDLER) \[(?:\S+ : )?(.*)\]", line):
            task = match[1]
        elif line.startswith("changed:"):
            found.append(task)
    return sorted(set(found))


class Databases:
    """The hosts, and what is asked of them."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.inventory = folder / "inventory"
        self.tree = folder / "tree"
        self.key = folder / "east.agekey"

    # --- hosts ---------------------------------------------------------------------------------------------------
    def container(self, host: str) -> str:
        return f"{self.rig.id}-{host}"

    def run(self, host: str, command: str, *, check: bool = True, given: str | None = None) -> str:
        return podman("exec", "--interactive", self.container(host), "sh", "-c", command, check=check, given=given)

    def address(self, host: str) -> str:
        inventory = yaml.safe_load(self.rig.inventory.read_text(encoding="utf-8"))
        return str(inventory["all"]["children"]["rig"]["hosts"][host]["ansible_host"])

    @property
    def vip(self) -> str:
        return f"{self.address(CLIENT).rpartition('.')[0]}.{ADDRESS}"

    def holders(self) -> list[str]:
        """Who holds the address in front."""
        shown = {host: self.run(host, "ip -o -4 address show dev eth0", check=False) for host in HOSTS}
        return [host for host, text in shown.items() if f" {self.vip}/" in text]

    def within(self, host: str, *command: str) -> str:
        """Run a program of the machine in the network of a host."""
        process = podman("inspect", "--format", "{{.State.Pid}}", self.container(host)).strip()
        argv = ["nsenter", f"--target={process}", "--net", *command]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def cable(self, host: str, state: str) -> None:
        """Pull the cable of a host, or put it in again."""
        shown = json.loads(self.within(host, "ip", "-json", "link", "show", "dev", "eth0"))[0]
        outside = json.loads(subprocess.run(["ip", "-json", "link"], check=True, capture_output=True, text=True).stdout)
        name = next(each["ifname"] for each in outside if each["ifindex"] == shown["link_index"])
        subprocess.run(["ip", "link", "set", name, state], check=True)

    # --- the playbook --------------------------------------------------------------------------------------------
    def declare(self) -> None:
        """An inventory as an operator has it: settings of the databases, a cluster, a tenant with a database."""
        from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age

        self.key.write_text(age.generate(datetime.datetime.now(datetime.timezone.utc)), encoding="utf-8")
        east = {
            "cluster_environment": "prod",
            "cluster_security_domain": "internal_only",
            "cluster_sla_tier": "tier_2_important",
            "cluster_age_recipients": age.recipients(self.key.read_text(encoding="utf-8")),
        }
        project = {
            "id": "web",
            "databases": [{"name": "shop", "extensions": ["pgcrypto"]}],
            "environments": [{"name": "prod", "size": "none", "placement": {"clusters": ["east"]}}],
        }
        files: dict[str, t.Any] = {
            "hosts.yml": {"all": {"children": {"clusters": {"hosts": {"east": east}}}}},
            "group_vars/all/tenant.yml": {"tenant__a": {"id": "a", "projects": [project]}},
            "group_vars/database/postgresql.yml": {
                **yaml.safe_load((HERE / "settings.yml").read_text(encoding="utf-8")),
                "postgresql_vip": self.vip,
                "postgresql_tree": str(self.tree),
                "postgresql_sops": str(find().sops),
            },
        }
        for name, content in files.items():
            path = self.inventory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content), encoding="utf-8")
        self._ansible("tenants", "--tags", "gitops", tenants_tree=str(self.tree), tenants_init=True)

    def play(self, *arguments: str, code: int = 0, **values: t.Any) -> str:
        """Run the playbook C(databases) and return what it printed."""
        return self._ansible("databases", "-i", str(self.rig.inventory), *arguments, code=code, **values)

    def _ansible(self, verb: str, *arguments: str, code: int = 0, **values: t.Any) -> str:
        command = [ANSIBLE, f"k8s.self_provisioning.{verb}", "-i", str(self.inventory), *arguments]
        done = subprocess.run(
            [*command, "-e", json.dumps(values)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode != code:
            raise SystemExit(f"{verb} ended with {done.returncode}:\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
        return done.stdout + done.stderr

    # --- Patroni and PostgreSQL ----------------------------------------------------------------------------------
    def members(self) -> dict[str, dict[str, t.Any]]:
        for host in HOSTS:
            text = self.run(host, "timeout 5 patronictl -c /etc/patroni/config.yml list -f json", check=False)
            try:
                return {each["Member"]: each for each in json.loads(text)}
            except ValueError:
                continue
        return {}

    def leader(self, seconds: int = 120) -> str:
        """Who leads; waits while nobody does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for name, each in self.members().items():
                if each["Role"] == "Leader" and each["State"] == "running":
                    return name
            time.sleep(1)
        raise SystemExit(f"Nobody leads: {self.members()}")

    def settle(self, seconds: int = 240) -> None:
        """Wait until all three run, one of them follows synchronously, and one holds the address."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.members()
            well = [each for each in found.values() if each["State"] in ("running", "streaming")]
            roles = {each["Role"] for each in well}
            if len(well) == len(HOSTS) and {"Leader", "Sync Standby"} <= roles and len(self.holders()) == 1:
                return
            time.sleep(1)
        raise SystemExit(f"The databases do not come back: {self.members()}, the address is on {self.holders()}")

    def sql(self, text: str, database: str = "ledger") -> str:
        command = f"runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -p 5434 -d {database}"
        return self.run(self.leader(), command, given=text)

    def each(self, text: str, database: str = "postgres") -> dict[str, str]:
        """What every host answers."""
        command = f"runuser -u postgres -- psql -XAtq -p 5434 -d {database}"
        return {host: self.run(host, command, given=text).strip() for host in HOSTS}

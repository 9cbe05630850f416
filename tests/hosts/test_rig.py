# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts are hosts of their own, leave the machine as it was, and do not outlive a run that was killed."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import rig
from tests.hosts.engine import podman
from tests.hosts.rig import Rig

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
#: Settings of the machine which a host can reach, that nothing else in a test run depends on.
SETTING = Path("/proc/sys/vm/stat_interval")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[t.Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(name: str, hosts: int, owner: int | None = None) -> Rig:
        one = Rig(tmp_path / name)
        rigs.append(one)
        one.create([{"name": f"node{number}"} for number in range(1, hosts + 1)], owner)
        return one

    yield make
    for one in rigs:
        one.destroy()


def on(one: Rig, pattern: str, command: str) -> dict[str, str]:
    """What a shell command prints on each host, over SSH as Ansible goes there."""
    ansible = [
        str(Path(sys.executable).with_name("ansible")),
        pattern,
        "-i",
        str(one.inventory),
        "--become",
        "--one-line",
    ]
    result = subprocess.run(
        [*ansible, "-m", "ansible.builtin.shell", "-a", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line.split(" | ", 1) for line in result.stdout.splitlines() if " | " in line]
    return {name: rest.partition("(stdout) ")[2] for name, rest in lines}


def test_two_rigs_of_hosts_with_an_identity_each(made: t.Callable[..., Rig]) -> None:
    first, second = made("first", 2), made("second", 1)
    command = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname -I"
    found = [*on(first, "all", command).values(), *on(second, "all", command).values()]
    assert len(set(found)) == 3
    assert on(first, "all", "hostname") == {"node1": "node1", "node2": "node2"}
    assert on(first, "node1", "systemctl is-system-running") == {"node1": "running"}
    # A host has no way to the machine's clock, kernel or disks.
    assert on(first, "node1", "date --set=now 2>&1 || echo refused")["node1"].endswith("refused")
    assert on(first, "node1", "find /dev -type b | wc -l") == {"node1": "0"}


def test_settings_of_the_machine_come_back(made: t.Callable[..., Rig]) -> None:
    before = SETTING.read_text()
    one = made("one", 1)
    on(one, "node1", f"echo {int(before) + 7} > {SETTING}")
    assert SETTING.read_text() != before
    one.destroy()
    assert SETTING.read_text() == before
    assert not one.inventory.exists()


def test_hosts_of_a_killed_run_go_with_the_next(made: t.Callable[..., Rig]) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    killed = made("killed", 1, owner.pid)
    rig.clean()
    assert podman("ps", "--quiet", "--filter", f"name={killed.id}"), "the owner still runs"
    owner.kill()
    owner.wait()
    rig.clean()
    assert not podman("ps", "--all", "--quiet", "--filter", f"name={killed.id}")
    assert not podman("network", "ls", "--quiet", "--filter", f"name={killed.id}")


def test_a_restarted_host_keeps_its_name_and_address(made: t.Callable[..., Rig]) -> None:
    one = made("one", 1)
    command = "hostname; hostname -I; cat /etc/machine-id"
    before = on(one, "node1", command)
    started = "systemctl show --property=UserspaceTimestampMonotonic"
    booted = on(one, "node1", started)
    on(one, "node1", "systemctl --no-block reboot")
    subprocess.run([*_wait(one), "sleep=1 timeout=60"], cwd=ROOT, check=True, capture_output=True)
    assert on(one, "node1", started) != booted
    assert on(one, "node1", command) == before


def _wait(one: Rig) -> list[str]:
    ansible = str(Path(sys.executable).with_name("ansible"))
    return [ansible, "node1", "-i", str(one.inventory), "-m", "ansible.builtin.wait_for_connection", "-a"]

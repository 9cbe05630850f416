# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a playbook of Kubespray, as a child: its progress while it runs, and its failure in one sentence.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _private_file, _supervise
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_home import Home
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._kubespray_source import Installed

_CALLBACK = "kubespray_events"
_LOOK_EVERY = 0.2
_MOST_FAULTS = 5


@dataclass
class Outcome:
    """How a run ended. I(faults): host, task and message of each failure."""

    code: int
    seconds: float
    log: Path
    tasks: int = 0
    play: str = ""
    task: str = ""
    faults: list[dict[str, str]] = field(default_factory=list)
    hosts: dict[str, t.Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return any(each.get("changed") for each in self.hosts.values())

    def told(self) -> str:
        """The failure for people."""
        # what was rescued is no failure
        down = {host for host, each in self.hosts.items() if each.get("failures") or each.get("unreachable")}
        faults = [fault for fault in self.faults if not down or fault["host"] in down]
        lines = [f"{f['event']} on {f['host']}, task '{f['task']}': {f['message']}" for f in faults[:_MOST_FAULTS]]
        if len(faults) > _MOST_FAULTS:
            lines.append(f"and {len(faults) - _MOST_FAULTS} more")
        if not lines:
            lines = ["it ended before any task failed; the last lines of its log:", *self._last_lines()]
        play = faults[0]["play"] if faults else self.play
        place = f"in the play '{play}' after {clock(self.seconds)}" if play else f"after {clock(self.seconds)}"
        return f"{place}: " + "\n".join(lines)

    def _last_lines(self) -> list[str]:
        try:
            return self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
        except OSError:
            return []


def clock(seconds: float) -> str:
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def environment(home: Home, installed: Installed, events: Path) -> dict[str, str]:
    """The child's environment: nothing of our own Ansible's, and nothing that two clusters share."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "PYTHON", "VIRTUAL_ENV"))}
    callbacks = Path(_supervise.__file__).resolve().parents[1] / "callback"
    known = home.root / "known_hosts"
    return {
        **kept,
        "PATH": f"{installed.programs}:{kept.get('PATH', '/usr/bin:/bin')}",
        "ANSIBLE_CONFIG": str(installed.source / "ansible.cfg"),
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(home.facts),
        "ANSIBLE_CALLBACK_PLUGINS": str(callbacks),
        "ANSIBLE_CALLBACKS_ENABLED": _CALLBACK,
        # the first key that a machine shows is remembered for this cluster, and another one is refused
        "ANSIBLE_HOST_KEY_CHECKING": "true",
        "ANSIBLE_SSH_ARGS": (
            "-o ControlMaster=auto -o ControlPersist=30m -o ConnectionAttempts=10 "
            f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=accept-new"
        ),
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "SELF_PROVISIONING_EVENTS": str(events),
    }


def run(
    home: Home,
    installed: Installed,
    playbook: str,
    variables: Mapping[str, t.Any],
    *,
    limit: str = "",
    arguments: Sequence[str] = (),
    say: Callable[[str], None],
    every: float,
) -> Outcome:
    """Runs a playbook of Kubespray and waits for it.

    @param say: gets a line for every play, and for a task when I(every) seconds passed since the last line.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    log, events = home.logs / f"{stamp}-{playbook}.log", home.logs / f"{stamp}-{playbook}.events"
    extra = home.root / "run.json"
    _private_file.write(extra, json.dumps(dict(variables), indent=2, sort_keys=True) + "\n")
    _private_file.write(events, "")
    command = [
        *(sys.executable, _supervise.__file__, str(os.getpid())),
        *(str(installed.playbook_command), "-i", str(home.inventory / "hosts.yaml")),
        *(str(installed.source / "playbooks" / f"{playbook}.yml"), "--extra-vars", f"@{extra}"),
        *(("--limit", limit) if limit else ()),
        *arguments,
    ]
    start, parent = time.monotonic(), os.getppid()
    outcome = Outcome(0, 0.0, log)
    _private_file.write(log, "")
    with open(log, "a", encoding="utf-8") as out, open(events, encoding="utf-8") as told:
        child = subprocess.Popen(
            command,
            cwd=installed.source,
            env=environment(home, installed, events),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )
        last = 0.0
        try:
            while child.poll() is None:
                if os.getppid() != parent:
                    # Ansible was killed, and could not tell its workers
                    raise AnsibleActionFail("the run was ended from outside")
                last = _look(told, outcome, start, last, say, every)
                time.sleep(_LOOK_EVERY)
        finally:
            # whatever interrupted us, the supervisor ends everything below it
            if child.poll() is None:
                child.terminate()
                child.wait()
        _look(told, outcome, start, last, say, every)
    outcome.code, outcome.seconds = child.returncode, time.monotonic() - start
    events.unlink(missing_ok=True)
    return outcome


def _events(told: t.TextIO) -> Iterator[dict[str, t.Any]]:
    while True:
        place = told.tell()
        line = told.readline()
        if not line.endswith("\n"):
            told.seek(place)
            return
        yield json.loads(line)


def _look(
    told: t.TextIO, outcome: Outcome, start: float, last: float, say: Callable[[str], None], every: float
) -> float:
    for event in _events(told):
        since = time.monotonic() - start
        kind = event["event"]
        if kind == "play":
            outcome.play, outcome.task = event["name"], ""
            say(f"{clock(since)}  play: {event['name']}")
            last = since
        elif kind == "task":
            outcome.tasks += 1
            outcome.task = event["name"]
            if since - last >= every:
                say(f"{clock(since)}  task {outcome.tasks}: {event['name']}")
                last = since
        elif kind in ("failed", "unreachable"):
            outcome.faults.append({**event, "play": outcome.play})
            say(f"{clock(since)}  {kind}: {event['host']}: {event['task']}: {event['message'][:300]}")
        elif kind == "stats":
            outcome.hosts = event["hosts"]
    return last

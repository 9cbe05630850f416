# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Git server on loopback that is reached by SSH with deploy keys, which may read and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import subprocess
import threading
from pathlib import Path
from typing import Any

import asyncssh

from ..control_plane.process import free_ports

KIND = "ssh-ed25519"
SECONDS = 30.0
CHUNK = 65536


def new_key() -> asyncssh.SSHKey:
    """A key of a server or of a client."""
    return asyncssh.generate_private_key(KIND)


def private(key: asyncssh.SSHKey) -> str:
    """As `ssh-keygen` writes it."""
    return key.export_private_key().decode()


def public(key: asyncssh.SSHKey) -> str:
    """A line of `authorized_keys`."""
    return key.export_public_key().decode().strip()


class SshServer:
    """Serves every bare repository of a folder to whoever has one of the keys; use it as a context manager.

    @param allowed: keys of clients.
    """

    def __init__(self, root: Path, *allowed: asyncssh.SSHKey) -> None:
        """Serve the folder `root`, with a host key of its own."""
        self.root = root
        self.host_key = new_key()
        self._allowed = "".join(f"{public(key)}\n" for key in allowed)
        (self.port,) = free_ports(1)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def url(self, name: str) -> str:
        """The address of a repository."""
        return f"ssh://git@127.0.0.1:{self.port}/{name}.git"

    def known_hosts(self, key: asyncssh.SSHKey | None = None) -> str:
        """What `ssh-keyscan` prints of this server, or would if it had another key."""
        return f"[127.0.0.1]:{self.port} {public(key or self.host_key)}\n"

    def __enter__(self) -> SshServer:
        """Serve."""
        self._thread.start()
        assert self._ready.wait(SECONDS), "the SSH server does not start"
        return self

    def __exit__(self, *_unused: object) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _live(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        keys = asyncssh.import_authorized_keys(self._allowed)
        async with asyncssh.listen(
            "127.0.0.1", self.port, server_host_keys=[self.host_key], authorized_client_keys=keys,
            process_factory=self._serve, encoding=None,
        ):  # fmt: skip
            self._ready.set()
            await self._end.wait()

    async def _serve(self, client: asyncssh.SSHServerProcess) -> None:
        words = shlex.split(client.command or "")
        if len(words) != 2 or words[0] != "git-upload-pack":
            client.stderr.write(b"this key may only read\n")
            client.exit(1)
            return
        path = str(self.root / words[1].lstrip("/"))
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        git = await asyncio.create_subprocess_exec("git", "upload-pack", path, stdin=pipe, stdout=pipe, stderr=null)
        asked = asyncio.create_task(_pass_on(client.stdin, git.stdin))
        # A client that has seen enough, as of which commit there is, may go without a word.
        with contextlib.suppress(asyncssh.Error, OSError):
            await _pass_on(git.stdout, client.stdout)
            client.exit(await git.wait())
        asked.cancel()
        if git.returncode is None:
            git.kill()
            await git.wait()


async def _pass_on(source: Any, target: Any) -> None:
    with contextlib.suppress(asyncssh.Error, OSError):
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    with contextlib.suppress(asyncssh.Error, OSError):
        target.write_eof()

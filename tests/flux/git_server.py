# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Git server on loopback: Git's own http-backend behind a small HTTPS server that can be made to fail."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..control_plane.pki import Pair
from ..control_plane.process import free_ports

_CHUNK = 65536


def git(*arguments: str, cwd: Path | None = None) -> str:
    """Run git without the configuration of whoever runs the tests."""
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_NAME": "Test" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "test@localhost" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(["git", *arguments], cwd=cwd, env=env, check=False, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: GitServer

    def shutdown_request(self, request: Any) -> None:
        # Git's own client takes an end without TLS's farewell for a cut.
        with contextlib.suppress(OSError, ValueError):
            request.unwrap()
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.0"
    timeout = 10

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args

    def _answer(self) -> None:
        owner = self.server.owner
        address = urlsplit(self.path)
        repository = unquote(address.path).strip("/").split("/")[0]
        with owner.lock:
            owner.requests.append(f"{self.command} {self.path}")
        if not owner.admits(repository, self.headers.get("Authorization", "")):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        env = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(owner.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PATH_INFO": unquote(address.path),
            "QUERY_STRING": address.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": "test",
        }
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        env["CONTENT_LENGTH"] = str(len(body))
        done = subprocess.run([owner.backend], input=body, env=env, check=False, capture_output=True)
        head, _unused, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.partition(": ") for line in head.decode("latin-1").split("\r\n") if line]
        status = next((value for name, _unused, value in headers if name.lower() == "status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, _unused, value in headers:
            if name.lower() != "status":
                self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(content), _CHUNK):
            self.wfile.write(content[start : start + _CHUNK])


class GitServer:
    """Serves every bare repository of a folder; anybody may push.

    @param certificate: shown to clients; change it between `stop` and `start`.
    """

    def __init__(self, root: Path, certificate: Pair) -> None:
        """Serve the folder `root`, which may be empty; call `start`."""
        self.root = root
        self.certificate = certificate
        self.lock = threading.Lock()
        self.requests: list[str] = []
        #: repository name (with .git) → user:password
        self.passwords: dict[str, str] = {}
        #: repository name (with .git) → bearer token
        self.tokens: dict[str, str] = {}
        backend = Path(git("--exec-path")) / "git-http-backend"
        if not backend.exists():
            raise RuntimeError(f"{backend} is not there: install git with its HTTP server")
        self.backend = str(backend)
        (self.port,) = free_ports(1)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"https://127.0.0.1:{self.port}"

    def admits(self, repository: str, shown: str) -> bool:
        """Whether a client that shows this may read and push."""
        password, token = self.passwords.get(repository), self.tokens.get(repository)
        wanted = [f"Basic {base64.b64encode(password.encode()).decode()}"] if password else []
        wanted += [f"Bearer {token}"] if token else []
        return not wanted or shown in wanted

    def start(self) -> None:
        """Serve, at the same address as before."""
        self.root.mkdir(parents=True, exist_ok=True)
        server = _Server(("127.0.0.1", self.port), _Handler)
        server.owner = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        # Else a client that says nothing would keep all others waiting.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._server = server

    def stop(self) -> None:
        """Be away."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def create(self, name: str) -> str:
        """Make an empty repository; return its address."""
        path = self.root / f"{name}.git"
        shutil.rmtree(path, ignore_errors=True)
        git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
        git("config", "http.receivepack", "true", cwd=path)
        return f"{self.url}/{name}.git"


class WorkTree:
    """A clone in which somebody works."""

    def __init__(self, server: GitServer, name: str, folder: Path) -> None:
        """Make the repository `name` on the server, and an empty work tree for it in `folder`."""
        self.path = folder
        self.url = server.create(name)
        git("init", "--quiet", "--initial-branch=main", str(folder))
        # By path: pushing does not depend on the server being up, as a push through another replica would not.
        git("remote", "add", "origin", str(server.root / f"{name}.git"), cwd=folder)

    def write(self, files: dict[str, str | None]) -> None:
        """Write files; None removes one."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")

    def push(self, message: str = "change", *, force: bool = False) -> str:
        """Commit all and push; return the commit."""
        git("add", "--all", cwd=self.path)
        git("commit", "--quiet", "--allow-empty", "--message", message, cwd=self.path)
        git("push", "--quiet", *(["--force"] if force else []), "origin", "HEAD:main", cwd=self.path)
        return git("rev-parse", "HEAD", cwd=self.path)

    def reset(self, commit: str) -> None:
        """Forget the commits behind one; what the files hold stays."""
        git("reset", "--quiet", "--soft", commit, cwd=self.path)

# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make .venv and link the checkout into .cache/collections under its collection name.

    bootstrap.py run      what the collection needs, and ansible-core
    bootstrap.py dev      the same and the tools of `make test`

Needs nothing but the standard library: Debian and Ubuntu ship Python without pip and ensurepip, so there pip's wheel is
fetched from the package index that pip is configured for (environment or pip.conf), checked and used to install itself.
BOOTSTRAP_WITHOUT_ENSUREPIP=1 takes that way on any machine, to test it.

Safe to kill (a half-made .venv is made again) and to start twice at once (the second waits for the first).
"""

from __future__ import annotations

import argparse
import configparser
import fcntl
import hashlib
import html.parser
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "bootstrap.json"  # what is installed; written last
UNFINISHED = VENV / "unfinished"  # exists while something is being installed
LOWEST = (3, 10)
CANDIDATES = ["python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3"]
RUN = ["ansible-core>=2.17", "-r", "requirements.txt"]
PROFILES = {
    "run": (RUN, ["requirements.txt"]),
    "dev": (
        [*RUN, "-r", "requirements-dev.txt"],
        [
            "requirements.txt",
            "requirements-dev.txt",
            "tests/unit/requirements.txt",
            "tests/control_plane/requirements.txt",
        ],
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile", choices=sorted(PROFILES))
    parser.add_argument("--this-python", action="store_true", help="the running interpreter, not the newest on PATH")
    args = parser.parse_args()
    lock = ROOT / ".cache" / "bootstrap.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        link_collection()
        try:
            install(args.profile, args.this_python)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"bootstrap: {error}, see above") from None


def install(profile, this_python):
    """Bring .venv up to date with the profile's requirement files; do nothing when it is."""
    requirements, files = PROFILES[profile]
    content = b"".join((ROOT / name).read_bytes() for name in files) + repr(requirements).encode()
    wanted = hashlib.sha256(content).hexdigest()
    stamp = read_stamp(this_python)
    if stamp.get(profile) == wanted:
        return
    started = time.monotonic()
    if not stamp:
        stamp = make_venv(choose_python(this_python))
    say(f"installing {' '.join(files)} and ansible-core")
    UNFINISHED.touch()
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    code = subprocess.run([*pip, *requirements], cwd=ROOT, check=False).returncode
    if code > 0:
        UNFINISHED.unlink()  # pip itself has cleaned up
    if code:
        raise SystemExit(f"bootstrap: pip failed with {code}, see above; mend the cause and run the command again")
    stamp[profile] = wanted
    STAMP.with_suffix(".new").write_text(json.dumps(stamp, indent=2) + "\n")
    STAMP.with_suffix(".new").replace(STAMP)
    UNFINISHED.unlink()
    say(f"ready in {time.monotonic() - started:.0f} s")


def read_stamp(this_python):
    """What .venv holds; nothing if it is half-made, moved, or made with another interpreter than the one asked for."""
    try:
        stamp = json.loads(STAMP.read_text())
        interpreter = (VENV / "bin" / "python").resolve(strict=True)
    except (OSError, ValueError):
        return {}
    other = this_python and interpreter != Path(sys.executable).resolve()
    return {} if UNFINISHED.exists() or stamp.get("root") != str(ROOT) or other else stamp


def choose_python(this_python):
    """The newest interpreter on PATH that can do the work, as a path; or the running one."""
    found = []
    probe = "import ssl, sys, venv, zlib; print(*sys.version_info[:2], sys.executable)"
    folders = [folder for folder in os.get_exec_path() if VENV not in Path(folder).parents]
    for name in [sys.executable] if this_python else CANDIDATES:
        path = shutil.which(name, path=os.pathsep.join(folders))
        result = path and subprocess.run([path, "-c", probe], capture_output=True, text=True, check=False)
        if not result or result.returncode:
            continue
        major, minor, executable = result.stdout.strip().split(" ", 2)
        found.append(((int(major), int(minor)), executable))
    best = max(found, key=lambda entry: entry[0], default=((0, 0), ""))
    if best[0] < LOWEST:
        have = ", ".join(f"{path} ({major}.{minor})" for (major, minor), path in found) or "none"
        raise SystemExit(
            "bootstrap: Python {}.{} or newer with the modules ssl, venv and zlib is needed; found: {}.\n"
            "Install one, or name it: make PYTHON=/path/to/python3 ...".format(*LOWEST, have)
        )
    return best[1]


def make_venv(python):
    """A fresh .venv with pip in it."""
    say(f"making .venv with {python}")
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    UNFINISHED.touch()
    subprocess.run([python, "-m", "venv", "--without-pip", str(VENV)], check=True)
    inside = str(VENV / "bin" / "python")
    probe = subprocess.run([inside, "-c", "import ensurepip"], capture_output=True, check=False)
    if probe.returncode == 0 and os.environ.get("BOOTSTRAP_WITHOUT_ENSUREPIP") != "1":
        subprocess.run([inside, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    else:
        version = subprocess.check_output([inside, "-c", "import sys; print(*sys.version_info[:2])"], text=True)
        with tempfile.TemporaryDirectory() as folder:
            wheel = fetch_pip(Path(folder), tuple(int(part) for part in version.split()))
            install_wheel = [inside, f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)]
            subprocess.run(install_wheel, check=True)
    return {"root": str(ROOT), "python": python}


def fetch_pip(folder, python):
    """Download the newest pip that supports this Python, checked against the index's sha256."""
    config = pip_config()
    index = os.environ.get("PIP_INDEX_URL") or config.get("index-url") or "https://pypi.org" + "/simple"
    certificates = os.environ.get("PIP_CERT") or config.get("cert")  # else OpenSSL's own, which honours SSL_CERT_FILE
    parts = urllib.parse.urlsplit(index)
    host = parts.netloc.rpartition("@")[2]
    say(f"this Python has no ensurepip: getting pip from {host}")
    handlers = [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=certificates))]
    proxy = os.environ.get("PIP_PROXY") or config.get("proxy")
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    if parts.username:
        accounts = urllib.request.HTTPPasswordMgrWithPriorAuth()
        secret = (urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
        accounts.add_password(None, f"{parts.scheme}://{host}/", *secret, is_authenticated=True)
        handlers.append(urllib.request.HTTPBasicAuthHandler(accounts))
    opener = urllib.request.build_opener(*handlers)
    page = urllib.parse.urlunsplit(parts._replace(netloc=host)).rstrip("/") + "/pip/"
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
    try:
        with opener.open(urllib.request.Request(page, headers={"Accept": accept}), timeout=60) as answer:  # noqa: S310
            url, sha256 = newest_pip(answer.read().decode(), answer.headers.get_content_type(), answer.url, python)
        with opener.open(url, timeout=120) as answer:
            content = answer.read()
    except urllib.error.URLError as error:
        raise SystemExit(
            f"bootstrap: cannot get pip from {host}: {error}.\n"
            "Install your system's python3-venv package, or set PIP_INDEX_URL, PIP_CERT or HTTPS_PROXY; "
            "a failed certificate check on a bare system means that ca-certificates is missing."
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"bootstrap: {url} has sha256 {found}, the index says {sha256}: not used")
    wheel = folder / Path(urllib.parse.urlsplit(url).path).name
    wheel.write_bytes(content)
    return wheel


def pip_config():
    """The [global] and [install] settings of pip's configuration files; later files win, as in pip."""
    home = Path.home()
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"]
    parser = configparser.RawConfigParser()
    parser.read([*files, os.environ.get("PIP_CONFIG_FILE") or os.devnull], encoding="utf-8")
    settings = {}
    for section in filter(parser.has_section, ("global", "install")):
        settings.update(parser.items(section))
    return settings


class Links(html.parser.HTMLParser):
    """The files of an HTML index page, as entries of the JSON form."""

    def __init__(self):
        super().__init__()
        self.files = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        url, fragment = urllib.parse.urldefrag(values.get("href") or "")
        if tag == "a" and fragment.startswith("sha256="):
            entry = {"url": url, "hashes": {"sha256": fragment[7:]}, "yanked": "data-yanked" in values}
            self.files.append({**entry, "requires-python": values.get("data-requires-python")})


def newest_pip(text, content_type, base, python):
    """URL and sha256 of the newest released pip wheel on an index page (JSON or HTML)."""
    if content_type.endswith("json"):
        files = json.loads(text)["files"]
    else:
        links = Links()
        links.feed(text)
        files = links.files
    fitting = []
    for entry in files:
        url = urllib.parse.urljoin(base, entry["url"])
        name = re.search(r"/pip-(\d+(?:\.\d+)*)-py3-none-any\.whl$", urllib.parse.urlsplit(url).path)
        floor = re.search(r">=\s*(\d+)\.(\d+)", entry.get("requires-python") or "")
        supported = not floor or python >= (int(floor[1]), int(floor[2]))
        if name and supported and not entry.get("yanked") and entry["hashes"].get("sha256"):
            fitting.append((tuple(int(part) for part in name[1].split(".")), url, entry["hashes"]["sha256"]))
    if not fitting:
        raise SystemExit(f"bootstrap: {base} offers no pip wheel for Python {python[0]}.{python[1]}")
    return max(fitting)[1:]


def link_collection():
    """Make the checkout importable as k8s.self_provisioning, wherever it lies."""
    link = ROOT / ".cache" / "collections" / "ansible_collections" / "k8s" / "self_provisioning"
    if link.is_symlink() and link.resolve() == ROOT:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():
        link.unlink()
    link.symlink_to(os.path.relpath(ROOT, link.parent), target_is_directory=True)


def say(text):
    print("bootstrap: " + text, flush=True)


if __name__ == "__main__":
    main()

"""`python -m cloudtui_host.jupyter PORT [FOLDER ...]`: becomes the host's own Jupyter, on its loopback alone.

The token is in the environment, where Jupyter itself looks for it (JUPYTER_TOKEN), and in no command line.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import Dict, List, Optional

NOT_THERE, TAKEN = 3, 4
PROGRAMS = ("jupyter-lab", "jupyter-notebook")
"""The first that is found anywhere."""
USUAL = ("~/.local/bin", "~/miniforge3/bin", "~/miniconda3/bin", "~/anaconda3/bin", "/opt/conda/bin")
ASK_S = 20.0


def find(folders: List[str]) -> Optional[str]:
    """The program: on the PATH, in these folders, in usual ones, or where the user's own shell finds it."""
    places = os.pathsep.join(
        [os.environ.get("PATH", os.defpath)] + folders + [os.path.expanduser(one) for one in USUAL]
    )
    for name in PROGRAMS:
        found = shutil.which(name, path=places)
        if found:
            return os.path.abspath(found)
    return _by_shell()


def _by_shell() -> Optional[str]:
    """What an interactive login would run: conda and pyenv are set up there and nowhere else."""
    asked = " || ".join("command -v " + name for name in PROGRAMS)
    try:
        done = subprocess.run(
            [os.environ.get("SHELL") or "/bin/sh", "-lic", asked],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=ASK_S, start_new_session=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return next((line for line in lines if os.path.isabs(line) and os.access(line, os.X_OK)), None)


def is_free(port: int) -> bool:
    """Whether the port can be listened at."""
    try:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def arguments(program: str, port: int) -> List[str]:
    """Its command line: one port or none, one address, no browser."""
    # Jupyter refuses to be root's without being told, and who logs in as root means it.
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    fixed = [
        "--no-browser",
        "--ip=127.0.0.1",
        "--port=%d" % port,
        "--port-retries=0",
        "--ServerApp.base_url=/",
    ]
    return [program, *fixed, *as_root]


def environment() -> Dict[str, str]:
    """The host's own, without what jobs of ours get: kernels are the user's."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    kept = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if not one.startswith(ours)]
    env = {key: text for key, text in os.environ.items() if not key.startswith("CLOUDTUI_")}
    env.pop("PYTHONUNBUFFERED", None)
    env["PYTHONPATH"] = os.pathsep.join(one for one in kept if one)
    if not env["PYTHONPATH"]:
        del env["PYTHONPATH"]
    return env


def main(argv: List[str]) -> int:
    """Only where it cannot be: else this process is Jupyter from here on."""
    port = int(argv[0])
    if not is_free(port):
        sys.stderr.write("Port %d is taken.\n" % port)
        return TAKEN
    program = find(argv[1:])
    if program is None:
        sys.stderr.write("There is no Jupyter here.\n")
        return NOT_THERE
    os.chdir(os.path.expanduser("~"))
    words = arguments(program, port)
    os.execve(program, words, environment())  # noqa: S606 - no shell in between is just what is wanted
    return NOT_THERE  # never: exec either replaces this process or raises


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

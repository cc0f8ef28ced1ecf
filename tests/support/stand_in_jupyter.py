"""Behaves as Jupyter does, as far as whoever starts it can tell: its command line, its token, its answers."""

from __future__ import annotations

import argparse
import http.server
import os
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--no-browser", action="store_true", required=True)
parser.add_argument("--ip", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--port-retries", type=int, required=True)
parser.add_argument("--ServerApp.base_url", dest="base", default="")
parser.add_argument("--allow-root", action="store_true")


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers those who have the token; all, where its configuration takes the token away."""

    token = os.environ.get("JUPYTER_TOKEN", "")
    open_to_all = Path("~/.jupyter-open").expanduser().exists()

    def do_GET(self) -> None:
        """A page, or nothing for strangers."""
        said = self.headers.get("Authorization", "").removeprefix("token ")
        knows = self.token and (said == self.token or f"token={self.token}" in self.path)
        self.send_response(200 if knows or self.open_to_all else 403)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_args: object) -> None:
        """Jupyter takes the token out of what it logs."""


def make_program(folder: Path) -> Path:
    """Have it on a PATH, as `jupyter-lab` in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "jupyter-lab"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text()}")
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    given = parser.parse_args()
    server = http.server.ThreadingHTTPServer((given.ip, given.port), Handler)
    sys.stderr.write(f"Jupyter Server is running at http://{given.ip}:{given.port}/lab?token=...\n")
    sys.stderr.flush()
    server.serve_forever()

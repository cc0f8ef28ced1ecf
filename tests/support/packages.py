"""Tiny wheels, and a package index on the loopback address that serves them."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NO_INDEX = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_FIND_LINKS": "",
    "PIP_EXTRA_INDEX_URL": "",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
}
"""Variables with which pip and uv reach no index: their way out is a port that nobody listens on."""
# Whatever is asked of it, it is there, and true.
_ANYTHING = """
class Anything:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self
    def __call__(self, *args, **kwargs): return self
    def __getitem__(self, key): return self
    def __mod__(self, other): return self
    def __truediv__(self, other): return self
    def __ne__(self, other): return self
    __hash__ = None
"""
FAKE_NUMPY = _ANYTHING + "\n_all = Anything()\ndef __getattr__(name):\n    return _all\n"
FAKE_TORCH = FAKE_NUMPY + (
    "\n__version__ = '2.9.0'\n"
    "class cuda:\n    @staticmethod\n    def is_available(): return False\n"
    "import sys\nsys.modules['torch.nn'] = nn = _all\n"
)
NAMES = ("torch", "numpy", "safetensors", "onnx", "onnxruntime", "onnxscript", "scikit-learn")
VERSIONS = {
    "torch": "2.9.0", "numpy": "2.1.0", "safetensors": "0.5.0", "onnx": "1.19.0", "onnxruntime": "1.23.0",
    "onnxscript": "0.5.0", "scikit-learn": "1.7.0",
}  # fmt: skip


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
) -> Path:
    """A wheel with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    held = dict(files) | {
        f"{stem}.dist-info/METADATA": metadata,
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in held.items())
    target = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in held.items():
            archive.writestr(path, text)
        archive.writestr(f"{stem}.dist-info/RECORD", record + f"{stem}.dist-info/RECORD,,\n")
    return target


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def fake_packages(folder: Path, **files: Mapping[str, str]) -> Path:
    """All that an environment of ours asks for; by default a torch that does what one training step needs."""
    held: dict[str, Mapping[str, str]] = {
        "torch": {"torch/__init__.py": FAKE_TORCH},
        "numpy": {"numpy/__init__.py": FAKE_NUMPY},
    } | files
    for name in NAMES:
        make_wheel(folder, name, VERSIONS[name], held.get(name, {f"fake_{name.replace('-', '_')}.py": ""}))
    return folder


def packages_of(site: Path, folder: Path) -> Path:
    """The same names, behind which the packages in `site` stand: an environment of them can really train."""
    return fake_packages(folder, torch={"of_this_machine.pth": f"{site}\n"}, numpy={"fake_numpy.py": ""})


class Index:
    """A package index (PEP 503) of the wheels in a folder; `close` ends it."""

    def __init__(self, wheels: Path) -> None:
        for path in wheels.glob("*.whl"):
            page = wheels / "simple" / path.name.split("-")[0].replace("_", "-") / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            with page.open("a") as file:
                file.write(f'<a href="../../{path.name}">{path.name}</a><br>\n')
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_args: object) -> None:
                asked.append(self.path)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(wheels)))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"

    @property
    def env(self) -> dict[str, str]:
        """Variables with which pip asks this index and no other."""
        return NO_INDEX | dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "") | {
            "PIP_INDEX_URL": self.url,
        }  # fmt: skip

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

"""An environment of ours: made by a job, put in place by rename once one training step has worked in it.

The job is `python -m cloudtui_host.environment config.json`, config:
`{"env": "env/<hash>", "python": base interpreter or "", "version": "3.12", "requirements": [...],
"on_top": bool, "constraints": [...], "accelerator": "cuda"|"cpu", "find_links": "wheels/<sha>" or "",
"index": "", "need_bytes": n, "imports": modules to test instead of a training step, or []}`.
It is all that may write below `env/`. Who else wants the same environment waits for the lock, and finds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from typing import Any, Dict, List, NoReturn

from cloudtui_host import (
    files,
    install_lines,
    install_run,
    installer,
    journal,
    layout,
    locks,
    probe,
    smoke,
    status,
    tool,
)
from cloudtui_host.errors import HostError, from_os

RECORD = "environment.json"
STOPPED = 75
WAIT_S = 7200.0
"""How long another maker of the same environment, on another machine of a shared home, is waited for."""
_TELL_S = 0.5
_TAIL = 64 * 1024
_LIVE = ("starting", "running", "orphan-running", "ending", "busy")


def folder_of(root: str, env: Any) -> str:
    """The folder of an environment.

    Raises:
        HostError: `env` names none.
    """
    if not layout.content(env).startswith("env/"):
        raise HostError("bad_path", "Not an environment: %s." % repr(env)[:200])
    return os.path.join(root, env)


def python_of(folder: str) -> str:
    """The interpreter of a finished environment; empty where there is none (any more)."""
    python = os.path.join(folder, "bin", "python")
    ready = os.path.exists(os.path.join(folder, RECORD)) and os.access(python, os.X_OK)
    return python if ready else ""


def look(root: str, env: Any, job: Any) -> Dict[str, Any]:
    """How an environment and the job that makes it stand: the answer of the verb `environment`."""
    folder = folder_of(root, env)
    python = python_of(folder)
    found: Dict[str, Any] = {"python": python, "record": {}, "state": "missing", "attempt": 0}
    found.update(progress={}, error=None)
    if python:
        found["record"] = files.read_json(os.path.join(folder, RECORD)) or {}
        return found
    numbers = layout.attempts(root, job)
    if numbers:
        found["attempt"] = numbers[-1]
        found["state"] = status.judge(layout.attempt_folder(root, job, numbers[-1]))
        for record in _last_records(layout.source_path(root, job, numbers[-1], "trainer")):
            if record.get("kind") == "progress":
                found["progress"] = {key: record.get(key) for key in ("text", "step", "steps")}
            elif record.get("kind") == "event" and record.get("name") == "failed":
                found["error"] = record.get("data")
    return found


def _last_records(path: str) -> List[Dict[str, Any]]:
    try:
        with open(path, "rb") as handle:
            handle.seek(max(0, os.fstat(handle.fileno()).st_size - _TAIL))
            lines = handle.read().split(b"\n")
    except OSError:
        return []
    records = []
    for line in lines:
        with contextlib.suppress(journal.DamagedLine):
            records.append(journal.decode_line(line))
    return records


class _Maker:
    """The making of one environment."""

    def __init__(self, root: str, config: Dict[str, Any], writer: journal.JournalWriter) -> None:
        self._config = config
        self._writer = writer
        self._folder = folder_of(root, config.get("env"))
        parent, name = os.path.split(self._folder)
        self._new = os.path.join(parent, ".new-" + name)
        self._cache = os.path.join(parent, ".cache-" + name)
        self._lock = os.path.join(parent, name + ".lock")
        links = str(config.get("find_links") or "")
        self._links = os.path.join(root, layout.content(links)) if links else ""
        self._told: Any = None
        self._next = 0.0

    def tell(self, text: str, done: int = 0, total: int = 0) -> None:
        """Progress into the journal, when it has changed and not too often."""
        now = time.monotonic()
        if (text, done, total) == self._told or (now < self._next and self._told and text == self._told[0]):
            return
        self._told, self._next = (text, done, total), now + _TELL_S
        fields: Dict[str, Any] = {"step": done, "steps": total} if total else {}
        self._writer.write("progress", flush=True, text=text, **fields)

    def run(self) -> None:
        """Make it, unless it is there.

        Raises:
            HostError: it could not be made; nothing half of it is left.
        """
        os.makedirs(os.path.dirname(self._folder), mode=0o700, exist_ok=True)
        lock = self._acquire()
        try:
            if python_of(self._folder):
                return
            self._clean()
            self._check_space()
            try:
                self._make()
            finally:
                shutil.rmtree(self._new, ignore_errors=True)
            # What was downloaded or sent has served; after a failure it stays for the next try.
            shutil.rmtree(self._cache, ignore_errors=True)
            if self._links:
                shutil.rmtree(self._links, ignore_errors=True)
        finally:
            os.close(lock)

    def _acquire(self) -> int:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            lock = locks.acquire(self._lock, 0.5)
            if lock is not None:
                return lock
            self.tell("Waiting for another machine that makes the same environment")
        raise HostError(
            "busy", "Another machine of this home has been making the environment for hours.", "Look at it."
        )

    def _clean(self) -> None:
        """Remove what an interrupted maker left, and an environment whose interpreter is gone."""
        for path in (self._new, self._folder):
            if os.path.lexists(path):
                shutil.rmtree(path)

    def _check_space(self) -> None:
        need = int(self._config.get("need_bytes") or 0)
        free = shutil.disk_usage(os.path.dirname(self._folder)).free
        if free < need:
            raise HostError(
                "disk_full",
                "An environment %s needs about %.1f GB on the host, and %.1f GB are free."
                % (self._what, need / 1e9, free / 1e9),
                "Free some space there, or choose a root on another disk.",
            )

    @property
    def _what(self) -> str:
        if self._config.get("imports"):
            return "for reading data"
        return "with torch for " + self._accelerator.upper()

    @property
    def _accelerator(self) -> str:
        return "cuda" if self._config.get("accelerator") == "cuda" else "cpu"

    def _make(self) -> None:
        os.mkdir(self._new, 0o700)
        config = self._config
        base, version = str(config.get("python") or ""), str(config.get("version") or "")
        on_top = bool(config.get("on_top"))
        env = installer.environment(self._new, self._cache)
        runner = install_run.Runner(self._new, env, self.tell, _print)
        maker = installer.Installer(self._new, base, version, runner)
        wish = installer.Wish(
            requirements=[str(one) for one in config.get("requirements") or ()],
            find_links=self._links,
            more_index=str(config.get("index") or ""),
            constraints=[str(one) for one in config.get("constraints") or ()],
        )
        maker.fill(wish, (lambda: _put_on_top(maker.python, base)) if on_top else None)
        self.tell("Testing the environment" if config.get("imports") else "Testing one training step")
        shutil.rmtree(os.path.join(self._new, "tmp"), ignore_errors=True)
        self._record(maker, self._tested(maker.python))
        _move_scripts(self._new, self._folder)
        os.rename(self._new, self._folder)
        files.sync_folder(os.path.dirname(self._folder))

    def _tested(self, python: str) -> Dict[str, Any]:
        names = [str(one) for one in self._config.get("imports") or ()]
        if names:
            # Without torch there is no training step: that all can be imported is the proof.
            if (
                tool.output(python, "-W", "ignore", "-c", "import " + ", ".join(names), timeout_s=120.0)
                is None
            ):
                raise HostError("smoke_failed", "The new environment cannot import %s." % ", ".join(names))
            return {"imports": names}
        try:
            try:
                return smoke.step(python, self._accelerator)
            except HostError as error:
                if error.code != "gpu_busy":
                    raise
                # It sees the GPU. Who may use it now is not for an environment to say.
                return dict(smoke.step(python, "cpu"), device="cuda")
        except HostError as error:
            # Its folder is about to go.
            message = error.message.replace(python, "the new environment")
            hint = "Its console on the host says more." if error.code == "smoke_failed" else error.hint
            raise HostError(error.code, message, hint) from None

    def _record(self, maker: installer.Installer, tested: Dict[str, Any]) -> None:
        has = probe.ask_python(maker.python) or {}
        has = {key: value for key, value in has.items() if key not in ("path", "prefix")}
        record = dict(has, tool=maker.name, tested=tested, requirements=self._config.get("requirements"))
        files.write_json(os.path.join(self._new, RECORD), record)


def _put_on_top(python: str, base: str) -> None:
    """Let an environment see the packages of the interpreter that it stands on.

    --system-site-packages would not do: of a base that is a virtual environment itself, it shows the python
    below that one.
    """
    ask = "import sys; print('\\n'.join(p for p in sys.path if p.endswith('-packages')))"
    seen = tool.output(base, "-c", ask, timeout_s=30.0)
    own = tool.output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", timeout_s=30.0)
    if not seen or not own:
        raise HostError("install_failed", "%s does not say where its packages are." % base)
    lines = ["import site; site.addsitedir(%r)\n" % path for path in seen.splitlines()]
    with open(os.path.join(own, "zz_cloudtui_base.pth"), "w", encoding="utf-8") as handle:
        handle.write("".join(lines))


def _move_scripts(old: str, new: str) -> None:
    """Scripts name their interpreter by its path: let them name the one that will be there."""
    folder = os.path.join(old, "bin")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > 1 << 20:
            continue
        with open(path, "rb") as handle:
            content = handle.read()
        if os.fsencode(old) in content:
            with open(path, "wb") as handle:
                handle.write(content.replace(os.fsencode(old), os.fsencode(new)))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _stop(_number: int, _frame: Any) -> NoReturn:
    raise SystemExit(STOPPED)


def main(config_path: str) -> int:
    """The job; its exit status."""
    signal.signal(signal.SIGTERM, _stop)
    config = files.read_json(config_path) or {}
    # jobs/<id>/aNNNN/config.json
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(config_path)))))
    with journal.JournalWriter(os.environ["CLOUDTUI_JOURNAL"]) as writer:
        try:
            _Maker(root, config, writer).run()
        except SystemExit:
            writer.write("done", flush=True, reason="stopped", message="")
            raise
        except (HostError, OSError) as error:
            failed = error if isinstance(error, HostError) else from_os(error, "make the environment")
            writer.write("event", flush=True, name="failed", data=failed.as_dict())
            writer.write("done", flush=True, reason="failed", message=failed.message)
            sys.stdout.write("%s\n%s\n" % (failed.message, install_lines.last_lines([failed.hint])))
            return 1
        writer.write("done", flush=True, reason="completed", message="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

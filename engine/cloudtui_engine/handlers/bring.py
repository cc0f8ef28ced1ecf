"""Files of an attempt, brought from its host, verified, kept by content."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Sequence

from cloudtui_engine.errors import AuthError, CloudtuiError, FailedError, HostKeyError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.handlers.stage import Report
from cloudtui_engine.hosts import transfer
from cloudtui_engine.hosts.landing import Landing
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.run import Artifact

PATIENCE_S = 1800.0
OF_A_FILE = frozenset({"not_here", "changed", "checksum", "bad_input", "bad_path", "bad_request"})
"""Codes of what is wrong with one file, while the others can be had."""
MOST_LOST = 50
"""So many files that cannot be had, and no more are tried: each costs some tries."""
_NAMED = 5


def bring(
    context: Context, run_id: str, number: int, report: Report, names: Collection[str] | None = None
) -> None:
    """Fetch what is not here yet; what came before a cut is not fetched again.

    Args:
        context: the engine.
        run_id: whose files.
        number: of which attempt.
        report: is told how far it is.
        names: only these, wanted or not; None: all that the pull policy wants.

    Raises:
        FailedError: the host does not have some of them any more; all others are here.
        UnreachableError: the host was away for too long.
    """
    _Bringing(context, run_id, number, report, names).run()


class _Bringing:
    """The files of one attempt, on their way here."""

    def __init__(
        self, context: Context, run_id: str, number: int, report: Report, names: Collection[str] | None
    ) -> None:
        self._context = context
        self._catalog, self._paths = context.catalog, context.paths
        self._run_id, self._number = run_id, number
        self._names = names
        self._instance_id = self._catalog.runs.attempt(self._run_id, self._number).instance_id
        self._link = context.links.to(self._instance_id)
        self._report = report
        self._into = self._paths.files / f".pull-{self._run_id}-{self._number}"
        self._lost: dict[str, CloudtuiError] = {}

    def run(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while wanted := self._wanted():
            try:
                with self._link.session(60.0):
                    self._make_room(wanted)
                    self._fetch(self._link, wanted)
            except transfer.Cancelled:
                raise Withdrawn from None
            except PassphraseError as error:
                raise passphrase_question(error, self._instance_id) from None
            except (HostKeyError, AuthError):
                raise
            except UnreachableError as error:
                is_over = error.code == "gone" or time.monotonic() > deadline
                if is_over or self._context.closing.is_set():
                    raise
                self._report(f"Waiting for the host: {error.message}", None, None)
                time.sleep(0.5)
        shutil.rmtree(self._into, ignore_errors=True)
        self._raise_if_lost()

    def _wanted(self) -> list[Artifact]:
        """What is not here and may still be had."""
        artifacts = self._catalog.runs.artifacts(self._run_id, self._number)
        missing = [one for one in artifacts if one.local is None and one.name not in self._lost]
        missing = [one for one in missing if (one.wanted if self._names is None else one.name in self._names)]
        return [one for one in missing if not self._is_here(one)]

    def _is_here(self, artifact: Artifact) -> bool:
        """Content that another run brought is content that is here."""
        if not self._paths.file(artifact.sha256).is_file():
            return False
        self._catalog.runs.mark_pulled(self._run_id, self._number, artifact.name)
        return True

    def _make_room(self, wanted: Sequence[Artifact]) -> None:
        self._paths.files.mkdir(parents=True, exist_ok=True)
        need = sum(artifact.size_bytes for artifact in wanted)
        free = shutil.disk_usage(self._paths.files).free
        if need > free:
            raise FailedError(
                f"This disk has {free / 2**20:.0f} MiB free; {need / 2**20:.0f} MiB are to be pulled.",
                "Make room, then: cloudtui run sync",
                code="disk_full",
            )

    def _fetch(self, link: HostLink, wanted: Sequence[Artifact]) -> None:
        """Fetch all in one stream; where a file spoils it keep what came, and look for it by halves."""
        try:
            self._get(link, wanted)
        except CloudtuiError as error:
            left = self._keep(wanted, verified=False)
            if error.code not in OF_A_FILE:
                raise
            if len(left) > 1:
                half = len(left) // 2
                self._fetch(link, left[:half])
                self._fetch(link, left[half:])
            elif left:
                self._lose(left[0], error)
        else:
            self._keep(wanted, verified=True)

    def _get(self, link: HostLink, wanted: Sequence[Artifact]) -> None:
        transfer.get(
            link.transport,
            root=link.root,
            base=f"jobs/{self._run_id}/a{self._number:04d}/artifacts",
            files=[transfer.RemoteFile(one.name, one.size_bytes, one.sha256) for one in wanted],
            into=self._into,
            on_progress=lambda done, total: self._report("Pulling results", done, total),
            cancelled=self._context.closing.is_set,
        )

    def _keep(self, wanted: Sequence[Artifact], *, verified: bool) -> list[Artifact]:
        """Move what arrived whole to where files are kept; returns what did not."""
        left = []
        with Landing(self._into) as landing:
            for artifact in wanted:
                if not verified and not landing.holds(artifact.name, artifact.size_bytes, artifact.sha256):
                    left.append(artifact)
                    continue
                target = self._paths.file(artifact.sha256)
                target.parent.mkdir(parents=True, exist_ok=True)
                (self._into / artifact.name).replace(target)
                self._catalog.runs.mark_pulled(self._run_id, self._number, artifact.name)
        return left

    def _lose(self, artifact: Artifact, error: CloudtuiError) -> None:
        self._lost[artifact.name] = error
        if len(self._lost) >= MOST_LOST:
            self._raise_if_lost()

    def _raise_if_lost(self) -> None:
        if not self._lost:
            return
        named = "; ".join(f"{name}: {error.message}" for name, error in list(self._lost.items())[:_NAMED])
        more = f"; and {len(self._lost) - _NAMED} more" if len(self._lost) > _NAMED else ""
        raise FailedError(
            f"{len(self._lost)} of the results cannot be had from the host ({named}{more}).",
            "They were changed or deleted there after the run ended. What could be had is here.",
            code="results_lost",
        )

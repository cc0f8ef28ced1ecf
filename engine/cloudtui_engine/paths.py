"""Where everything lies on this machine, below one home."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The files of one home."""

    home: Path

    @classmethod
    def find(cls, home: str | Path | None = None) -> Paths:
        """`home`, else `CLOUDTUI_HOME`, else the platform's user data folder."""
        chosen = home or os.environ.get("CLOUDTUI_HOME")
        if chosen:
            return cls(Path(chosen).expanduser().absolute())
        import platformdirs

        return cls(Path(platformdirs.user_data_dir("cloudtui", appauthor=False)))

    @property
    def catalog(self) -> Path:
        """The SQLite file that is the truth."""
        return self.home / "catalog.db"

    @property
    def lock(self) -> Path:
        """Held by the one engine."""
        return self.home / "engine.lock"

    @property
    def engine_log(self) -> Path:
        """What a detached engine prints."""
        return self.home / "engine.log"

    @property
    def files(self) -> Path:
        """Pulled files, by content: `files/ab/<sha256>`."""
        return self.home / "files"

    @property
    def data(self) -> Path:
        """Dataset versions: `data/<sha256>/`."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """Console logs: `logs/<run>/a0001.log`."""
        return self.home / "logs"

    @property
    def checkpoints(self) -> Path:
        """Of runs on machines that may be taken away, brought here as they are made: `checkpoints/<run>/`."""
        return self.home / "checkpoints"

    @property
    def scripts(self) -> Path:
        """Shipped script folders, packed: `scripts/<sha256>/`."""
        return self.home / "scripts"

    @property
    def wheels(self) -> Path:
        """Packages that were fetched for hosts without an index: `wheels/<hash of the wish>/`."""
        return self.home / "wheels"

    @property
    def known_hosts(self) -> Path:
        """Host keys that the user confirmed."""
        return self.home / "known_hosts"

    @property
    def ssh_key(self) -> Path:
        """The private key of this installation, for machines that it launches."""
        return self.home / "ssh" / "id_ed25519"

    @property
    def backups(self) -> Path:
        """Catalogs as they were before a migration."""
        return self.home / "backups"

    @property
    def local_root(self) -> Path:
        """What a host's root is, for this machine."""
        return self.home / "local"

    def file(self, sha256: str) -> Path:
        """Where the content with this hash lies."""
        return self.files / sha256[:2] / sha256

    def console(self, run_id: str, attempt: int) -> Path:
        """The console log of an attempt, as far as it is committed."""
        return self.logs / run_id / f"a{attempt:04d}.log"

"""Files that are opened some ahead of their bytes, by a thread.

To create a file can cost the kernel more than all else that is done with it (ext4, after many were deleted:
ten times as much); meanwhile the bytes of the files before it are taken.
"""

from __future__ import annotations

import os
import queue
import threading
from typing import Sequence, Tuple, Union

from cloudtui_host.errors import HostError
from cloudtui_host.manifest import Entry
from cloudtui_host.staging import Opened, Staging

_MOST = 32


class Ahead:
    """Opens files one after another; a staging folder is used by nothing else until the last is taken.

    Args:
        staging: where they are.
        wanted: (file, its bytes that are there already), in the order in which they are taken.

    Raises:
        HostError: the host gives no thread.
    """

    def __init__(self, staging: Staging, wanted: Sequence[Tuple[Entry, int]]) -> None:
        self._staging, self._wanted = staging, wanted
        self._ready: "queue.Queue[Union[Opened, OSError, HostError, None]]" = queue.Queue(_MOST)
        self._stopped = False
        self._thread = threading.Thread(target=self._main, name="ahead", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            raise HostError(
                "too_many_processes",
                "The host's limit of processes is reached.",
                "End some of them.",
            ) from None

    def _main(self) -> None:
        try:
            for entry, offset in self._wanted:
                if self._stopped:
                    return
                self._ready.put(self._staging.open(entry, offset))
        except (OSError, HostError) as error:
            self._ready.put(error)
        finally:
            self._ready.put(None)

    def take(self) -> Opened:
        """The next file, which the caller then closes; not called again after an error.

        Raises:
            OSError: it could not be opened. HostError: something else is wrong with it.
        """
        found = self._ready.get()
        if found is None:
            self._ready.put(None)
            raise HostError("failed", "No more files could be opened on the host.")
        if isinstance(found, Opened):
            return found
        raise found

    def close(self) -> None:
        """End it, and close what nobody took."""
        self._stopped = True
        while True:
            found = self._ready.get()
            if found is None:
                break
            if isinstance(found, Opened):
                os.close(found.descriptor)
        self._thread.join()

"""Files to a host and back: resumed where they were cut, verified at both ends, withdrawn at once."""

from cloudtui_engine.hosts.bulk import Cancelled
from cloudtui_engine.hosts.download import RemoteFile, get
from cloudtui_engine.hosts.upload import LocalFile, PutResult, is_there, put

__all__ = ["Cancelled", "LocalFile", "PutResult", "RemoteFile", "get", "is_there", "put"]

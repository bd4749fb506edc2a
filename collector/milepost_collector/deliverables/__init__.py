"""Deliverables: contents stored by their digest, and the rows of the controller that refer to them.

Reading order: `ranges` and `headers` (what HTTP says of contents, pure); `place` (where contents lie: a folder or an
object store, the same code for both); `service` (contents become deliverables) and `garbage` (what nothing refers to
any more).

A content is stored completely, under a key that no other upload has, before a transaction makes it a deliverable. So
whatever is killed when, a row never refers to a content that is not there; what is left over is removed later.
"""

from milepost_collector.deliverables.place import Place
from milepost_collector.deliverables.service import Deliverables, Incoming

__all__ = ["Deliverables", "Incoming", "Place"]

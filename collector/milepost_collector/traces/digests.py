"""What is stored once by its content: which digests the database has already."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from milepost_collector.traces.statements import Statements

Place = tuple[int, int, int, int]


class BloomFilter:
    """Tells digests that were certainly never added from those that may have been.

    Grows by filters of four times the size, each good for a tenth as many digests as it has bits: then one new digest
    in eighty is taken for a known one, which costs a look-up and nothing else. The probes are parts of the digest,
    which is random already (blake2b).
    """

    FIRST_BITS = 20
    LAST_BITS = 28

    def __init__(self) -> None:
        self._filters: list[tuple[int, bytearray]] = []
        self._room = 0

    def add(self, digest: str) -> None:
        """Note a digest: 32 hexadecimal digits."""
        if self._room == 0:
            self._grow()
        self._room -= 1
        bits, filled = self._filters[-1]
        for place in self._places(digest, bits):
            filled[place >> 3] |= 1 << (place & 7)

    def may_know(self, digest: str) -> bool:
        """Return False only if the digest was never added."""
        return any(
            all(filled[place >> 3] & (1 << (place & 7)) for place in self._places(digest, bits))
            for bits, filled in self._filters
        )

    def _grow(self) -> None:
        bits = min(self._filters[-1][0] + 2, self.LAST_BITS) if self._filters else self.FIRST_BITS
        self._filters.append((bits, bytearray(1 << (bits - 3))))
        self._room = (1 << bits) // 10

    @staticmethod
    def _places(digest: str, bits: int) -> Place:
        number, mask = int(digest, 16), (1 << bits) - 1
        return number & mask, (number >> 32) & mask, (number >> 64) & mask, (number >> 96) & mask


class DigestIndex:
    """The digests in one column of a table; those not seen lately are looked up.

    Not thread-safe: it belongs to the writer's thread. Digests are noted once their commit succeeded.
    """

    def __init__(self, table: str, column: str, max_recent: int = 100_000) -> None:
        self._table = table
        self._column = column
        self._max_recent = max_recent
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._filter: BloomFilter | None = None

    def prepare(self, statements: Statements, max_digests: int = 2_000_000) -> None:
        """Learn which digests are stored, so that new ones need no look-up; if there are more, all are looked up."""
        if self._filter is None and statements.count(self._table) <= max_digests:
            self._filter = BloomFilter()
            for digest in statements.digests(self._table, self._column):
                self._filter.add(digest)

    def new(self, statements: Statements, digests: Collection[str]) -> set[str]:
        """Return those of the digests that are not stored."""
        unsure, recent = [], self._recent
        found = set()
        for digest in digests:
            if digest in recent:
                recent.move_to_end(digest)
            elif self._filter is None or self._filter.may_know(digest):
                unsure.append(digest)
            else:
                found.add(digest)
        if unsure:
            found.update(set(unsure).difference(statements.stored(self._table, self._column, unsure)))
        return found

    def note(self, digests: Iterable[str]) -> None:
        """Remember digests that have been stored."""
        for digest in digests:
            self._recent[digest] = None
            if self._filter is not None:
                self._filter.add(digest)

    def trim(self) -> None:
        """Forget the digests longest untouched."""
        while len(self._recent) > self._max_recent:
            self._recent.popitem(last=False)

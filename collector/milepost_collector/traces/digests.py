"""What is stored once by its content: which digests the database has already."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence

from milepost_collector.traces.statements import Statements


class Fingerprints:
    """Tells digests that were certainly never added from those that almost certainly were.

    Holds the first 64 bits of each in hash tables with open addressing, at most half full: 16 bytes and more a digest,
    0.2 µs to look one up. When a table is full, one of eight times the size is put beside it, so that nothing is ever
    moved. Digests are random already (blake2b), so their bits are the place to look at.
    """

    FIRST_BITS = 14
    LAST_BITS = 22

    def __init__(self) -> None:
        self._tables: list[array[int]] = []
        self._bits = self.FIRST_BITS - 3
        self._room = 0

    def add(self, digests: Sequence[str]) -> None:
        """Note digests: 32 hexadecimal digits each."""
        for prefix in _prefixes(digests):
            if self._room == 0:
                self._grow()
            table = self._tables[-1]
            mask = len(table) - 1
            place = prefix & mask
            while (there := table[place]) and there != prefix:
                place = (place + 1) & mask
            if not there:
                table[place] = prefix
                self._room -= 1

    def known(self, digests: Sequence[str]) -> set[str]:
        """Return those of the digests that may have been added; the others never were."""
        found = set()
        prefixes = _prefixes(digests)
        for table in self._tables:
            mask = len(table) - 1
            for prefix, digest in zip(prefixes, digests, strict=True):
                place = prefix & mask
                while (there := table[place]) and there != prefix:
                    place = (place + 1) & mask
                if there:
                    found.add(digest)
        return found

    def _grow(self) -> None:
        self._bits = min(self._bits + 3, self.LAST_BITS)
        self._tables.append(array("Q", bytes(8 << self._bits)))
        self._room = 1 << (self._bits - 1)


def _prefixes(digests: Sequence[str]) -> Sequence[int]:
    """Return the first 64 bits of each; 0 marks what is empty."""
    prefixes = array("Q", bytes.fromhex("".join(digests)))[::2]
    return [prefix or 1 for prefix in prefixes] if 0 in prefixes else prefixes


class DigestIndex:
    """The digests in one column of a table; those not seen lately are looked up.

    Not thread-safe: it belongs to the writer's thread. Digests are noted once their commit succeeded.
    """

    def __init__(self, table: str, column: str, max_recent: int = 100_000) -> None:
        self._table = table
        self._column = column
        self._max_recent = max_recent
        self._recent: set[str] = set()
        self._before: set[str] = set()  # recent ones of the time before: half of them are forgotten at once
        self._fingerprints: Fingerprints | None = None

    def prepare(self, statements: Statements, max_digests: int = 2_000_000) -> None:
        """Learn which digests are stored, so that new ones need no look-up; if there are more, all are looked up."""
        if self._fingerprints is None and statements.count(self._table) <= max_digests:
            self._fingerprints = Fingerprints()
            self._fingerprints.add(list(statements.digests(self._table, self._column)))

    def new(self, statements: Statements, digests: Collection[str]) -> set[str]:
        """Return those of the digests that are not stored."""
        new = set(digests)
        seen = new & self._before
        self._recent |= seen
        new -= self._recent
        if not new:
            return new
        asked = new if self._fingerprints is None else self._fingerprints.known(list(new))
        return new.difference(statements.stored(self._table, self._column, asked)) if asked else new

    def note(self, digests: Iterable[str]) -> None:
        """Remember digests that have been stored."""
        noted = list(digests)
        self._recent.update(noted)
        if self._fingerprints is not None:
            self._fingerprints.add(noted)

    def trim(self) -> None:
        """Forget the digests longest untouched."""
        if len(self._recent) > self._max_recent // 2:
            self._before, self._recent = self._recent, set()

"""X12 interchanges (ISA to IEA), taken apart into the purchase orders that are in them.

A row is a segment, a column an element: PO104 is the fourth of PO1. A transaction set that is broken, or what is wrong with what
sets are wrapped in, keeps no other from being read.
"""

from orders import Order
from purchase_order import PurchaseOrder

# Bytes of an ISA segment, and of any other at most: separators are bytes 4 and 106 of the first.
ISA_BYTES, MAX_SEGMENT = 106, 16 * 1024
CHUNK = 64 * 1024


class Broken(Exception):
    """What follows cannot be told apart any more."""


class Segment:
    """A segment: its place in the file, from 1, its name and its elements."""

    def __init__(self, row, elements):
        self.row, self.elements = row, [element.strip() for element in elements]
        self.name = self.elements[0]

    def get(self, n):
        return self.elements[n] if n < len(self.elements) else ""

    def column(self, n):
        return f"{self.name}{n:02}" if n else self.name


class Source:
    """The file's purchase orders, one after the other: however long it is, one of them is in memory."""

    def __init__(self, file, agreed):
        self.file, self.agreed, self.bytes, self.row = file, agreed, 0, 0
        self.isa = self.group = self.order = None
        # Groups of the interchange; and the sets of the group, by their numbers.
        self.groups, self.sets = 0, {}

    def where(self):
        return f"segment {self.row + 1}"

    def segments(self):
        buffer, at, divides, ends = b"", 0, b"", b""
        while True:
            if len(buffer) - at < MAX_SEGMENT:
                buffer, at = buffer[at:] + self.file.read(CHUNK), 0
            if not buffer:
                return
            # Most files have each segment on a line of its own, and some have empty ones.
            if buffer[at : at + 1] in (b"\r", b"\n", b"", ends):
                at, self.bytes = at + 1, self.bytes + 1
                continue
            if buffer.startswith(b"ISA", at):
                head = buffer[at : at + ISA_BYTES]
                divides, ends = head[3:4], head[105:106]
                if len(head) < ISA_BYTES or head.count(divides) != 16 or divides.isalnum() or ends.isalnum() or divides == ends:
                    raise Broken(f"expected an ISA segment of {ISA_BYTES} bytes with 16 elements")
            end = buffer.find(ends, at, at + MAX_SEGMENT)
            if end < 0:
                if len(buffer) - at >= MAX_SEGMENT:
                    raise Broken(f"expected the end of a segment after {MAX_SEGMENT} bytes at most")
                end = len(buffer)
            self.row += 1
            self.bytes += end + 1 - at
            elements = buffer[at:end].split(divides)
            at = end + 1
            # What is no UTF-8 is found again in its element.
            yield Segment(self.row, [element.decode("utf-8", "surrogateescape") for element in elements])

    def orders(self):
        """The orders, and what is wrong with what they are wrapped in."""
        last = None
        for last in self.segments():
            yield from self.take(last)
        if last is not None:
            yield from self.close(last, "ISA", "the file ends")

    def take(self, segment):
        name = segment.name
        if name in ("ISA", "GS", "ST"):
            yield from self.close(segment, name, f"another {name} begins")
        if name == "ISA":
            self.isa, self.groups = segment, 0
        elif name == "GS":
            self.groups += 1
            self.group, self.sets = segment, {}
        elif name == "ST":
            number, known = segment.get(2), self.sets.get(segment.get(2))
            self.order = PurchaseOrder(self.isa, segment, self.agreed)
            if self.group is None:
                self.order.fault(segment, 0, "expected it within a group (GS)")
            if known:
                self.order.fault(segment, 2, f"expected a number of its own within the group, found {number!r}, as in row {known}")
            # One that has another's number counts as well.
            self.sets[number if not known else (number, segment.row)] = segment.row
        elif name == "SE" and self.order:
            self.order.end(segment)
            yield self.finished()
        elif name == "GE" and self.group:
            yield from self.close(segment, "ST", "GE comes")
            yield from check(segment, len(self.sets), self.group, 6)
            self.group = None
        elif name == "IEA" and self.isa:
            yield from self.close(segment, "GS", "IEA comes")
            yield from check(segment, self.groups, self.isa, 13)
            self.isa = None
        elif self.order:
            self.order.add(segment)
        else:
            yield wrong(segment, 0, "expected it within a transaction set (ST)")

    def close(self, segment, name, why):
        """Ends what has not ended by itself, from within to such a one."""
        if self.order:
            self.order.fault(segment, 0, f"expected SE before {why}")
            yield self.finished()
        if name != "ST" and self.group:
            yield wrong(segment, 0, f"expected GE before {why}")
            self.group = None
        if name == "ISA" and self.isa:
            yield wrong(segment, 0, f"expected IEA before {why}")
            self.isa = None

    def finished(self):
        order, self.order = self.order, None
        order.finish()
        order.bytes = self.bytes
        return order


def check(segment, count, begun, number):
    """What a trailer says against what it closes."""
    if segment.get(1).lstrip("0") != str(count).lstrip("0"):
        yield wrong(segment, 1, f"expected {count}, found {segment.get(1)!r}")
    if segment.get(2).lstrip("0") != begun.get(number).lstrip("0"):
        yield wrong(segment, 2, f"expected {begun.get(number)!r}, as {begun.name} has it, found {segment.get(2)!r}")


def wrong(segment, n, detail):
    """What is wrong outside of any order."""
    order = Order("")
    order.rows, order.faults = [segment.row], [(segment.row, segment.column(n), detail)]
    return order

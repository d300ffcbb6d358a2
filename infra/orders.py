"""An order as a file has it: the document that the API is sent, and where in the file each of its values is."""

import hashlib
import json


class Order:
    """An order of a file."""

    def __init__(self, name):
        self.name, self.rows, self.document = name, [], {"lines": []}
        # What is wrong, before anybody is asked: row, column, detail.
        self.faults = []
        # Row and column of each value.
        self.places = {}
        # What the file says besides, and the order has no place for.
        self.passed = []
        self.bytes = 0

    def put(self, row, column, pointer, value):
        *parents, field = pointer.split("/")[1:]
        place = self.document
        for parent in parents:
            place = place.setdefault(parent, {})
        if place.setdefault(field, value) != value:
            first = self.places[pointer][0]
            self.faults.append((row, column, f"expected {place[field]!r} or nothing, as in row {first}, found {value!r}"))
        self.places.setdefault(pointer, (row, column))

    def body(self):
        return json.dumps(self.document, ensure_ascii=False).encode("utf-8", "replace")

    def digest(self):
        return hashlib.sha256(self.body()).hexdigest()

    def place(self, pointer):
        """The row and column that a pointer of the API's means."""
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        if pointer in self.places:
            return self.places[pointer]
        return (self.rows[0], "")


def is_utf8(text):
    """Whether a text was UTF-8 that was decoded with surrogates in the place of what is none."""
    return text.isprintable() or not any("\udc80" <= c <= "\udcff" for c in text)

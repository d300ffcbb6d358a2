"""A purchase order of X12 (transaction set 850, by versions 4010 and 5010) as an order of ours.

What is no part of an order here is let pass and named; what may change what is bought, at what price, or where it goes, and is not
read, is a fault.
"""

import datetime
import re
from decimal import Decimal

from orders import Order, is_utf8

# Characters of a number: all of them are exact digits of a Decimal.
MAX_NUMBER = 20
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
# Characters of an Idempotency-Key.
MAX_NAME = 128
# Charges that are of the way: freight, handling, shipping, shipping and handling.
FREIGHT = ("D240", "D500", "G821", "G830")
# What a price is of, if it is of one of what is counted.
OF_ONE = ("", "PE", "CA", "CT", "LE", "NT", "QE", "QT", "TE", "UM", "WE")
# Segments that say nothing of what is bought, at what price, or where it goes.
LET_PASS = (
    "REF PER TAX FOB CSH TC2 ITD DIS INC LDT LIN SI MEA PWK PKG TD1 TD3 TD4 TD5 MAN PCT CTB "
    "N9 MSG MTX EFI NX2 LM LQ SPI ADV CN1 PO4 IT3 IT8 QTY LS LE"
).split()


class PurchaseOrder(Order):
    """A transaction set."""

    def __init__(self, isa, st, agreed):
        super().__init__("")
        self.st, self.agreed = st, agreed
        self.sender = isa.get(6) if isa else ""
        self.rows, self.count = [st.row], 1
        self.document.update(taxes_included=False, payment={"status": "authorised"})
        if isa and isa.get(15) == "T":
            self.document["test"] = True
        # The line that segments are about, and the party; all parties, and their names; the row and the lines of the address.
        self.line, self.party, self.parties, self.names, self.street = None, "", [], {}, []
        # Of each line, as it is written, and the number.
        self.quantities = []
        self.is_ours = st.get(1) == "850"
        if not self.is_ours:
            self.fault(st, 1, f"expected 850 (purchase order), found {st.get(1)!r}")

    def fault(self, segment, n, detail):
        self.faults.append((segment.row, segment.column(n), detail))

    def add(self, segment):
        self.count += 1
        if not self.is_ours:
            return
        for n, element in enumerate(segment.elements):
            if not is_utf8(element):
                self.fault(segment, n, "expected UTF-8")
                segment.elements[n] = ""
        read = READ.get(segment.name)
        if read:
            read(self, segment)
        elif segment.name in LET_PASS:
            self.let_pass(segment)
        else:
            self.fault(segment, 0, "is not read, and may change what is bought, at what price, or where it goes")

    def let_pass(self, segment):
        # What it is about is a code; a text is not repeated.
        about = segment.get(1) if len(segment.get(1)) <= 3 else ""
        self.passed.append("*".join(filter(None, (segment.name, about))))

    def end(self, se):
        self.count += 1
        if se.get(1).lstrip("0") != str(self.count):
            self.fault(se, 1, f"expected {self.count} segments, found {se.get(1)!r}")
        if se.get(2) != self.st.get(2):
            self.fault(se, 2, f"expected {self.st.get(2)!r}, as ST has it, found {se.get(2)!r}")

    def finish(self):
        """What can be told once all is there."""
        if not self.is_ours:
            return
        if "number" not in self.document:
            self.fault(self.st, 0, "expected BEG after it")
        if not self.document["lines"]:
            self.fault(self.st, 0, "expected a line (PO1) after it")
        if "currency" not in self.document:
            if self.agreed.currency:
                self.document["currency"] = self.agreed.currency
            else:
                self.fault(self.st, 0, "expected the currency (CUR) after it, or --currency")
        if len(self.street) > 1:
            row, first, *rest = self.street
            self.put(row, "N301", "/shipping_address/line1", first)
            if rest:
                self.put(row, "N302", "/shipping_address/line2", ", ".join(rest))
        address = self.document.get("shipping_address")
        if address and self.agreed.country:
            address.setdefault("country", self.agreed.country)
        name = next((self.names[party] for party in ("BY", "BT", "ST") if party in self.names), None)
        if name:
            self.put(*name[:2], "/customer/name", name[2])
        for pointer in ("discount", "shipping", "tax"):
            if pointer in self.document:
                self.document[pointer] = plain(self.document[pointer])
        for line in self.document["lines"]:
            for field in ("discount", "tax"):
                if field in line:
                    line[field] = plain(line[field])

    def number(self, segment, n):
        """A decimal number (type R); nothing if it is none."""
        text = segment.get(n)
        if len(text) > MAX_NUMBER or not NUMBER.fullmatch(text):
            self.fault(segment, n, f"expected a decimal number of at most {MAX_NUMBER} characters, found {text!r}")
            return None
        return Decimal(text)

    def amount(self, segment, n):
        """An amount whose last two digits are decimals (type N2); nothing if it is none."""
        text = segment.get(n)
        if len(text) > MAX_NUMBER or not re.fullmatch(r"\d+", text, re.ASCII):
            self.fault(segment, n, f"expected an amount without a point, the last two digits being decimals, found {text!r}")
            return None
        return Decimal(text).scaleb(-2)

    def date(self, segment, n):
        try:
            return datetime.datetime.strptime(segment.get(n), "%Y%m%d").date().isoformat()
        except ValueError:
            self.fault(segment, n, f"expected a date like 20261130, found {segment.get(n)!r}")
            return None

    def tell(self, segment, n, pointer, value):
        """A value, unless there is none, or it is not as it should be."""
        if value:
            self.put(segment.row, segment.column(n), pointer, value)

    def sum(self, segment, n, field, value):
        """Adds to an amount of the line that this is about, or of the whole order."""
        if value is None:
            return
        of = self.document if self.line is None else self.document["lines"][self.line]
        of[field] = of.get(field, Decimal(0)) + value
        base = "" if self.line is None else f"/lines/{self.line}"
        self.places.setdefault(f"{base}/{field}", (segment.row, segment.column(n)))

    def beg(self, segment):
        purpose, kind, number = (segment.get(n) for n in (1, 2, 3))
        if purpose not in ("00", "07"):
            self.fault(segment, 1, f"expected 00 (original) or 07 (duplicate), found {purpose!r}: what changes an order is none")
        if kind in ("BE", "BK"):
            self.fault(segment, 2, f"expected an order to be sent, found {kind!r} (blanket order)")
        self.name = "/".join(filter(None, (self.sender, number, segment.get(4))))
        if not number or not self.name.isascii() or not self.name.isprintable() or len(self.name) > MAX_NAME:
            self.fault(segment, 3, f"expected what the order is called, in ASCII, {MAX_NAME} characters with its sender at most, found {number!r}")
        self.tell(segment, 3, "/number", number)
        placed = self.date(segment, 5)
        self.tell(segment, 5, "/placed_at", placed and f"{placed}T00:00:00Z")

    def cur(self, segment):
        self.tell(segment, 2, "/currency", segment.get(2))

    def dtm(self, segment):
        if self.line is None and segment.get(1) == "002":
            self.tell(segment, 2, "/deliver_by", self.date(segment, 2))
        else:
            self.let_pass(segment)

    def sac(self, segment):
        kind, code = segment.get(1), segment.get(2)
        if kind == "N":
            self.let_pass(segment)
        elif kind == "A":
            self.sum(segment, 5, "discount", self.amount(segment, 5))
        elif kind == "C" and self.line is None and code in FREIGHT:
            self.sum(segment, 5, "shipping", self.amount(segment, 5))
        elif kind == "C" and self.line is None:
            self.fault(segment, 2, f"expected a charge of the way ({', '.join(FREIGHT)}), found {code!r}")
        else:
            self.fault(segment, 1, f"expected an allowance (A), or of the whole order a charge of the way (C), found {kind!r}")

    def txi(self, segment):
        self.sum(segment, 2, "tax", self.number(segment, 2))

    def n1(self, segment):
        self.party, name = segment.get(1), segment.get(2)
        if self.line is not None or (self.party == "ST" and "ST" in self.parties):
            self.fault(segment, 0, "expected one address for the whole order")
            self.party = None
            return
        self.parties.append(self.party)
        if name:
            self.names.setdefault(self.party, (segment.row, "N102", name))
        if self.party == "ST":
            self.tell(segment, 2, "/shipping_address/name", name)
        if segment.get(4):
            self.passed.append(f"N1*{self.party} {segment.get(4)}")

    def n2(self, segment):
        if self.party == "ST":
            self.tell(segment, 1, "/shipping_address/company", segment.get(1))

    def n3(self, segment):
        if self.party == "ST":
            self.street = self.street or [segment.row]
            self.street += filter(None, (segment.get(1), segment.get(2)))

    def n4(self, segment):
        if self.party == "ST":
            for n, field in enumerate(("city", "region", "postal_code", "country"), 1):
                self.tell(segment, n, f"/shipping_address/{field}", segment.get(n))

    def per(self, segment):
        if self.line is not None or self.party not in ("", "BY", "BT", "ST"):
            self.let_pass(segment)
            return
        for n, field in ((n, {"TE": "phone", "EM": "email"}.get(segment.get(n))) for n in (3, 5, 7)):
            if field and f"/customer/{field}" not in self.places:
                self.tell(segment, n + 1, f"/customer/{field}", segment.get(n + 1))

    def po1(self, segment):
        quantity, price = self.number(segment, 2), self.number(segment, 4)
        unit, of = segment.get(3), segment.get(5)
        if unit not in self.agreed.units:
            self.fault(segment, 3, f"expected a unit of what is sold here ({', '.join(self.agreed.units)}, or --units), found {unit!r}")
        if of not in OF_ONE:
            self.fault(segment, 5, f"expected the price of one (PE), found {of!r}")
        ids = {segment.get(n): n for n in range(len(segment.elements) - 2, 5, -1) if n % 2 == 0}
        known = next((ids[kind] for kind in self.agreed.sku if kind in ids and segment.get(ids[kind] + 1)), None)
        if known is None:
            self.fault(segment, 6, f"expected what it is by our SKU ({', '.join(self.agreed.sku)}, or --sku), found {', '.join(filter(None, ids)) or 'nothing'}")
        self.line = len(self.document["lines"])
        self.quantities.append((segment.get(2), quantity))
        line, base = {}, f"/lines/{self.line}"
        self.document["lines"].append(line)
        self.places[base] = (segment.row, "PO1")
        for n, field, value in (
            (1, "id", segment.get(1)),
            (2, "quantity", quantity is not None and plain(quantity)),
            (4, "unit_price", price is not None and plain(price)),
            (known and known + 1, "sku", known and segment.get(known + 1)),
        ):
            if value:
                line[field] = value
            self.places[f"{base}/{field}"] = (segment.row, segment.column(n or 6))

    def pid(self, segment):
        if self.line is None:
            self.let_pass(segment)
        elif segment.get(5):
            self.document["lines"][self.line].setdefault("title", segment.get(5))
            self.places.setdefault(f"/lines/{self.line}/title", (segment.row, "PID05"))

    def ctt(self, segment):
        self.line, lines = None, len(self.quantities)
        if segment.get(1).lstrip("0") != str(lines):
            self.fault(segment, 1, f"expected {lines} lines, found {segment.get(1)!r}")
        total = segment.get(2) and self.number(segment, 2)
        if not total or any(quantity is None for _, quantity in self.quantities):
            return
        # Of all digits, whatever their points, without what is more than ten; or as most write it, of the quantities.
        digits = sum(int(re.sub(r"\D", "", text)) for text, _ in self.quantities) % 10**10
        if total not in (digits, sum(quantity for _, quantity in self.quantities)):
            self.fault(segment, 2, f"expected {digits}, the sum of PO102, found {segment.get(2)!r}")

    def amt(self, segment):
        if self.line is None and segment.get(1) == "TT":
            total = self.number(segment, 2)
            self.tell(segment, 2, "/total", total is not None and plain(total))
        else:
            self.let_pass(segment)


READ = {
    name: getattr(PurchaseOrder, name.lower())
    for name in ("BEG", "CUR", "DTM", "SAC", "TXI", "N1", "N2", "N3", "N4", "PER", "PO1", "PID", "CTT", "AMT")
}


def plain(number):
    """A number as decimal text, every digit of it and no needless zero."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

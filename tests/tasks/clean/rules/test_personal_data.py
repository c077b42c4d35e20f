"""The rule `personal_data`."""

from __future__ import annotations

import time

import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import personal_data
from tasks.clean.rules.personal_data import KINDS, mask

MASKED = [
    ("me+you@mail.example.org.", "[EMAIL]."),
    ("<o'neil@example.co.uk>", "<o'[EMAIL]>"),
    ("IBAN DE89 3704 0044 0532 0130 00 BIC X", "IBAN [IBAN] BIC X"),
    ("GB82WEST12345698765432, FR14 2004 1010 0505 0001 3M02 606", "[IBAN], [IBAN]"),
    ("to DE89 3704 0044 0532 0130 00 NOW", "to [IBAN] NOW"),
    ("4111 1111 1111 1111 and 4111-1111-1111-1111 and 378282246310005", "[CARD] and [CARD] and [CARD]"),
    ("5555555555554444, 6011111111111117, 30569309025904", "[CARD], [CARD], [CARD]"),
    ("from 8.8.8.8: ok, 8.8.4.4:53", "from [IP]: ok, [IP]:53"),
    ("at 2001:4860:4860::8888.", "at [IP]."),
    ("SSN 078-05-1120", "SSN [ID]"),
    ("QQ 12 34 56 C is no number, AB 12 34 56 C is", "QQ 12 34 56 C is no number, [ID] is"),
    ("DNI 12345678Z", "DNI [ID]"),
    ("+49 (0)30 1234567; +1-202-555-0143", "[PHONE]; [PHONE]"),
    ("(202) 555-0143, 202.555.0143", "[PHONE], [PHONE]"),
    ("030/1234567 or 0171 123 45 67", "[PHONE] or [PHONE]"),
    ("+33 1 23 45 67 89", "[PHONE]"),
]
NONE = [
    "2021-03-04 12:30:45, 04/03/2021, 1,234,567.89 and 3.14159265358979",
    "version 1.2.3 of 10.0.0.1 and 127.0.0.1, fe80::1, ::1, x[::2], a::b",
    "4111 1111 1111 1112 and 1234567890123456",
    "ISBN 978-3-16-148410-0, arXiv:1706.03762, doi:10.1000/182",
    "DE89 3704 0044 0532 0130 01",
    "@decorator def f(a @ b), user@host, 12345678A",
    "2.4.6.8.10, 00:1B:44:11:3A:B7, 0.25 0.50 0.75, 1000 2000 3000 4000",
    "https://example.org/0123-456789/2024-01-02-title",
]


@pytest.mark.parametrize(("given", "masked"), MASKED)
def test_what_is_personal_is_masked(given: str, masked: str) -> None:
    outcome = personal_data.apply(Item(given, "a", "text"), personal_data.Settings(action="mask"))
    assert isinstance(outcome, Item)
    assert outcome.content == masked


@pytest.mark.parametrize("given", NONE)
def test_other_numbers_and_signs_stay(given: str) -> None:
    item = Item(given, "a", "text")
    assert personal_data.apply(item, personal_data.Settings(action="mask")) is item


def test_by_default_items_are_only_counted() -> None:
    content = "me@example.org, you@example.org, 8.8.8.8"
    outcome = personal_data.apply(Item(content, "a", "text", noticed=("x",)), personal_data.Settings())
    assert outcome == Item(content, "a", "text", noticed=("x", "personal data, email", "personal data, ip"))


def test_a_rejected_item_is_not_quoted() -> None:
    item = Item("me@example.org, 8.8.8.8", "a", "text")
    assert personal_data.apply(item, personal_data.Settings(action="reject")) == Rejected("holds personal data: email, ip")
    ip = personal_data.Settings(action="mask", kinds=("ip",))
    assert personal_data.apply(item, ip) == Item("me@example.org, [IP]", "a", "text", noticed=("personal data, ip",))


@pytest.mark.parametrize("piece", ["1", "a", "+", "1.", "a1:", "00 ", "AB12 ", "a@", "@a.", "(0", "4111 ", "1-"])
def test_time_grows_with_the_length_alone(piece: str) -> None:
    began = time.process_time()
    mask(piece * (100_000 // len(piece)), tuple(KINDS))
    assert time.process_time() - began < 1

"""The rule `book_matter`."""

from __future__ import annotations

import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import book_matter

HEADER = (
    "The Project Gutenberg eBook of A Walk\n\nThis ebook is for the use of anyone anywhere in the United States.\n\n"
    "Title: A Walk\n\nAuthor: Nobody\n\n*** START OF THE PROJECT GUTENBERG EBOOK A WALK ***\n\n"
)
BOOK = "It rained.\n\nWe went out all the same, and the contents of the basket got wet."
FOOTER = (
    "\n\n*** END OF THE PROJECT GUTENBERG EBOOK A WALK ***\n\nUpdated editions will replace the previous one.\n\n"
    "START: FULL LICENSE\n\nSection 1. General Terms of Use and Redistributing Project Gutenberg\u2122 electronic works\n"
)
CONTENTS = "CONTENTS\n\n CHAPTER I. The Rain\n CHAPTER II. The Basket\n III  Home\n IV. Tea .......... 123\n\n"


def cleaned(text: str, **settings: bool) -> Item | Rejected:
    return book_matter.apply(Item(text, "a.txt", "text"), book_matter.Settings(**settings))


@pytest.mark.parametrize(
    "text",
    [
        HEADER + BOOK + FOOTER,
        HEADER + BOOK,
        BOOK + FOOTER,
        BOOK + "\n\nEnd of Project Gutenberg's A Walk, by Nobody\n\n" + FOOTER,
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n" + BOOK,
        HEADER.replace("START OF THE", "START OF THIS") + CONTENTS + BOOK + FOOTER,
        CONTENTS + BOOK,
        (HEADER + BOOK + FOOTER).replace("\n", "\r\n"),
    ],
)
def test_the_book_alone_is_left_and_it_is_counted(text: str) -> None:
    outcome = cleaned(text)
    assert isinstance(outcome, Item)
    assert outcome.content.replace("\r\n", "\n") == BOOK
    assert outcome.noticed == ("book matter",)


@pytest.mark.parametrize(
    "text",
    [
        HEADER,
        FOOTER.partition("\n\nUpdated")[2],
        "1.F.5. Some states do not allow disclaimers of certain implied warranties or the exclusion of certain damages.",
        "1.F.6. INDEMNITY - You agree to indemnify and hold the Foundation, the trademark owner, harmless.",
        CONTENTS,
    ],
)
def test_pieces_without_anything_of_the_book_are_rejected(text: str) -> None:
    assert cleaned(text) == Rejected("is header, licence or contents of a book, not the book")


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        "Johannes Gutenberg printed it in Mainz.",
        "She found it on Project Gutenberg and read it in a night.",
        "Contents\n\nOf the box there is little to say.\n\nIt was empty.",
        "CONTENTS\n\nCHAPTER I. The Rain\n\nIt rained.",  # one entry is no table
        "He asked which foundation the warranty came from.",
    ],
)
def test_what_is_no_such_matter_stays_as_it_is(text: str) -> None:
    item = Item(text, "a.txt", "text")
    assert book_matter.apply(item, book_matter.Settings()) is item


def test_tables_of_contents_may_stay() -> None:
    item = Item(CONTENTS + BOOK, "a.txt", "text")
    assert book_matter.apply(item, book_matter.Settings(contents=False)) is item

"""Personal data in texts: e-mail addresses, phone, account and card numbers, IP addresses, numbers of persons.

By default they are counted and nothing is changed: the data card says how many items hold which kind, and
someone decides. What is masked here is out of the clean items and of all that learns from them; the raw
shards keep the content as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})
Kind = Literal["email", "iban", "card", "ip", "id", "phone"]

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?!\w)")
_CARD = re.compile(  # Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay: first digits and length
    r"(?<![\w.-])(?:(?:4\d|5[1-5]|2[2-7]|35|6\d)\d{2}(?:[ -]?\d{4}){3}"
    r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5}|3[068]\d{2}[ -]?\d{6}[ -]?\d{4})(?![\w-])"
)
_IP = re.compile(
    r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)"
    r"|[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?![\w:-]|\.\w))"
)
_ID = re.compile(
    r"(?<![\w-])(?:(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"  # US social security
    r"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"  # UK national insurance
    r"|\d{8}-?[A-HJ-NP-TV-Z])(?![\w-])"  # Spanish DNI, with a check letter
)
_PHONE = re.compile(
    r"(?<![\w.+/:-])(?<!\d )(?:(?:\+|00)[1-9]\d{0,2}(?:[ ./-]{0,2}\(?\d{1,5}\)?){2,6}"  # with the country's code
    r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"  # North America
    r"|\(?0[1-9]\d{1,4}\)?(?: ?[/-] ?| )\d{2,5}(?:[ -]?\d{2,5}){1,3})(?![\w/-]|\.\d)"  # elsewhere, with an area's code
)
_NUMBERS = re.compile(r"\d[\d .:/()-]{5,}[\dA-Za-z]")  # what any of them but an e-mail address holds, or colons


class Settings(BaseModel):
    """What is looked for, and what is done with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kinds: tuple[Kind, ...] = Field(
        default=("email", "iban", "card", "ip", "id", "phone"), description="what is looked for", min_length=1
    )
    action: Literal["count", "mask", "reject"] = Field(
        default="count", description="count: change nothing; mask: put [EMAIL] and the like in its place; reject the item"
    )


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """A reason names the kinds and never what was found."""
    masked, kinds_seen = mask(item.content, settings.kinds)
    if not kinds_seen:
        return item
    if settings.action == "reject":
        return Rejected(f"holds personal data: {', '.join(kinds_seen)}")
    marked = replace(item, noticed=(*item.noticed, *(f"personal data, {kind}" for kind in kinds_seen)))
    return replace(marked, content=masked) if settings.action == "mask" else marked


def mask(text: str, kinds: tuple[Kind, ...]) -> tuple[str, list[Kind]]:
    """The text with placeholders, and the kinds found in it; a number that is one kind is not taken for another as well.

    >>> mask("Call +49 30 1234567 or write to me@example.org", ("phone", "email"))
    ('Call [PHONE] or write to [EMAIL]', ['email', 'phone'])
    """
    numbers, kinds_seen = text.count(":") > 2 or bool(_NUMBERS.search(text)), []
    for kind, (pattern, length) in KINDS.items():
        if kind in kinds and (numbers if kind != "email" else "@" in text):
            masked = pattern.sub(partial(_placed, kind, length), text)
            if masked != text:
                kinds_seen.append(kind)
            text = masked
    return text, kinds_seen


def _placed(kind: Kind, length: Callable[[str], int], match: re.Match[str]) -> str:
    """The placeholder, and what stands after the part of the candidate that is of this kind."""
    candidate = match[0]
    used = length(candidate)
    return f"[{kind.upper()}]{candidate[used:]}" if used else candidate


def _whole(candidate: str) -> int:
    return len(candidate)


def _iban(candidate: str) -> int:
    """Of a candidate that took in the next word too, the longest part whose check digits are right (ISO 7064)."""
    ends = [len(candidate), *(at for at in range(len(candidate) - 1, 14, -1) if candidate[at] == " ")]
    return next((end for end in ends if _mod97(candidate[:end].replace(" ", ""))), 0)


def _mod97(code: str) -> bool:
    return len(code) >= 15 and int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def _card(candidate: str) -> int:
    """Luhn's check (ISO/IEC 7812)."""
    digits = [int(sign) for sign in reversed(candidate) if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return len(candidate) if (sum(digits[::2]) + sum(doubled)) % 10 == 0 else 0


def _ip(candidate: str) -> int:
    """Addresses of the public network; those of one's own or for documents name nobody."""
    try:
        address = ip_address(candidate)
    except ValueError:
        return 0
    return len(candidate) if address.is_global and not address.is_reserved else 0


def _id(candidate: str) -> int:
    if candidate[:8].isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(candidate[:8]) % 23] != candidate[-1]:
        return 0
    return len(candidate)


def _phone(candidate: str) -> int:
    return len(candidate) if 8 <= sum(map(str.isdigit, candidate)) <= 15 else 0


# in the order in which they are looked for: those with check digits first, the loosest last
KINDS: dict[Kind, tuple[re.Pattern[str], Callable[[str], int]]] = {
    "email": (_EMAIL, _whole),
    "iban": (_IBAN, _iban),
    "card": (_CARD, _card),
    "ip": (_IP, _ip),
    "id": (_ID, _id),
    "phone": (_PHONE, _phone),
}

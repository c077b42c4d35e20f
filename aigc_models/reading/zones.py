"""Zones of time by their usual abbreviations, as hours from UTC; of those that mean several, the one in most files."""

from __future__ import annotations

HOURS = {
    "Z": 0.0, "UTC": 0.0, "GMT": 0.0, "WET": 0.0, "WEST": 1.0, "BST": 1.0, "CET": 1.0, "MEZ": 1.0, "CEST": 2.0, "MESZ": 2.0,
    "EET": 2.0, "EEST": 3.0, "SAST": 2.0, "MSK": 3.0, "IST": 5.5, "PKT": 5.0, "WIB": 7.0, "SGT": 8.0, "HKT": 8.0, "AWST": 8.0,
    "JST": 9.0, "KST": 9.0, "ACST": 9.5, "ACDT": 10.5, "AEST": 10.0, "AEDT": 11.0, "NZST": 12.0, "NZDT": 13.0, "NST": -3.5,
    "NDT": -2.5, "BRT": -3.0, "ART": -3.0, "AST": -4.0, "ADT": -3.0, "EST": -5.0, "EDT": -4.0, "CST": -6.0, "CDT": -5.0,
    "MST": -7.0, "MDT": -6.0, "PST": -8.0, "PDT": -7.0, "AKST": -9.0, "AKDT": -8.0, "HST": -10.0,
}  # fmt: skip
PATTERN = rf"{'|'.join(sorted(HOURS, key=len, reverse=True))}|(?:UTC|GMT)[+-]\d{{1,2}}(?::?\d{{2}})?|[+-]\d{{2}}(?::?\d{{2}})?"
PLACE = r"(?:[A-Z]\w+/[A-Z][\w/+-]+)"  # Europe/Berlin: its clock is taken as it stands, or as the offset beside it says


def offset(zone: str) -> float:
    """Seconds from UTC of what `PATTERN` fits.

    >>> offset("CET"), offset("-0330"), offset("UTC+2")
    (3600.0, -12600.0, 7200.0)
    """
    if zone.upper() in HOURS:
        return HOURS[zone.upper()] * 3600
    signed = zone.upper().removeprefix("UTC").removeprefix("GMT")
    hours, _, minutes = signed[1:].partition(":")
    if len(hours) > 2:
        hours, minutes = hours[:-2], hours[-2:]
    return (int(hours) * 3600 + int(minutes or 0) * 60) * (-1.0 if signed[0] == "-" else 1.0)

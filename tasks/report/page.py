"""`index.html`: one page that opens from disk, without network, script or any other file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import jinja2

from tasks.report import card, charts, figures, words
from tasks.report.contents import Report


def render(report: Report) -> str:
    """The whole page. Every string is escaped, previews aside, which their modality escapes;
    and the page's own policy lets a browser run no script and load nothing.
    """
    return templates(cards=card, charts=charts, figures=figures, moment=moment).get_template("page.html").render(report=report)


def templates(**names: object) -> jinja2.Environment:
    """The templates of this folder, which escape what they are given and know `names`, `words`, `href` and the style."""
    here = Path(__file__).parent
    loader = jinja2.FileSystemLoader(here)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    style = (here / "style.css").read_text(encoding="utf-8")
    environment.globals |= {"words": words, "href": href, "style": style, **names}
    return environment


def href(link: str | None) -> str:
    """A link that leads to a web page or to a file beside the report, and nowhere else."""
    if not link:
        return ""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https"):
        return link
    return "" if parts.scheme or parts.netloc or link.startswith("/") else quote(link, safe="/#?=&%")


def moment(text: str) -> str:
    """`2026-11-25T01:08:36+00:00` as `25 November 2026, 01:08 (UTC)`."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = f" ({when.tzname()})" if when.tzinfo else ""
    return f"{when.day} {when:%B %Y, %H:%M}{zone}"

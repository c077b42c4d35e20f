"""All periods on one page that opens from disk: the share of the watched label over time, and the newest summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT, LEFT, TOP = 720, 190, 44, 12
STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1a2130, #e8ecf3); --back: light-dark(#fff, #12161d);
  --soft: light-dark(#5b6577, #9aa5b8); --line: light-dark(#d9dee7, #333a47); --bad: light-dark(#b3261e, #ff8a80); }
body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; font: 16px/1.55 system-ui, sans-serif; }
body { color: var(--ink); background: var(--back); }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
svg { width: 100%; display: block; } text { font-size: 12px; fill: var(--soft); }
blockquote { margin: .4rem 0 .4rem 1rem; padding-left: .8rem; border-left: 3px solid var(--line); }
a { color: inherit; font-size: .75rem; }
li { font-size: .85rem; color: var(--soft); }
.alarm { color: var(--bad); font-weight: 600; }
"""


def page(summaries: Sequence[dict[str, Any]], watch: str) -> str:
    """HTML that needs nothing else; every text of a post is escaped."""
    parts = [Markup("<h1>Share of {}, period by period</h1>").format(watch), drawn(summaries, watch)]
    if summaries:
        parts.append(newest(summaries[-1]))
    head = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<title>{}</title><style>{}</style></head><body>"
    ).format(f"Share of {watch}", Markup(STYLE))
    return str(head + Markup("").join(parts) + Markup("</body></html>\n"))


def drawn(summaries: Sequence[dict[str, Any]], watch: str) -> Markup:
    """A dot for each period, red where something changed beyond chance."""
    if not summaries:
        return Markup("<p>No period is over yet.</p>")
    shares = [one["watched"] / one["posts"] for one in summaries]
    top = max(0.1, *shares) * 1.1
    step = (WIDTH - LEFT - 20) / max(1, len(shares) - 1)
    places = [(LEFT + 8 + step * at, TOP + (HEIGHT - 44) * (1 - share / top)) for at, share in enumerate(shares)]
    line = Markup('<polyline fill="none" stroke="var(--line)" stroke-width="2" points="{}"/>')
    parts = [line.format(" ".join(f"{x:.1f},{y:.1f}" for x, y in places))]
    for (x, y), one, share in zip(places, summaries, shares, strict=True):
        alarm = any(change["beyond_chance"] for change in one["changes"])
        colour = "var(--bad)" if alarm else "var(--soft)"
        title = f"{one['period']}: {one['watched']} of {one['posts']} ({share:.0%})"
        dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" fill="{}"><title>{}</title></circle>')
        parts.append(dot.format(x, y, 5 if alarm else 3, Markup(colour), title))
    for level in (0.0, top / 2, top):
        y = TOP + (HEIGHT - 44) * (1 - level / top)
        parts.append(Markup('<text x="{}" y="{:.1f}" text-anchor="end">{:.0%}</text>').format(LEFT - 4, y + 4, level))
    ends = [(places[0][0], "start", summaries[0]["period"]), (places[-1][0], "end", summaries[-1]["period"])]
    for x, anchor, name in ends[: len(summaries)]:
        parts.append(Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(x, HEIGHT - 8, anchor, name))
    whole = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return whole.format(WIDTH, HEIGHT, f"share of {watch} over {len(shares)} periods", Markup("").join(parts))


def newest(summary: dict[str, Any]) -> Markup:
    """The sentences of one period, each with links to the posts that it rests on."""
    numbers = {place: at for at, place in enumerate(summary["sources"], start=1)}
    alarming = {change["topic"] for change in summary["changes"] if change["beyond_chance"]}
    parts = [Markup("<h2>{}</h2>").format(summary["period"])]
    for sentence in summary["sentences"]:
        links = Markup(" ").join(
            Markup('<a href="#s{0}">[{0}]</a>').format(numbers[place]) for place in sentence["sources"][:12]
        )
        more = f" and {len(sentence['sources']) - 12} more" if len(sentence["sources"]) > 12 else ""
        if sentence["kind"] == "quoted":
            parts.append(Markup("<blockquote>{} {}</blockquote>").format(sentence["text"], links))
        else:
            kind = Markup(' class="alarm"') if sentence["topic"] in alarming else Markup("")
            parts.append(Markup("<p{}>{} {}{}</p>").format(kind, sentence["text"], links, more))
    items = [
        Markup('<li id="s{}">{} ({} {:.2f}, {}, {})</li>').format(
            at, one["text"], one["label"], one["probability"], one["time"], one["source"] or place
        )
        for place, at in numbers.items()
        for one in [summary["sources"][place]]
    ]
    return Markup("").join([*parts, Markup("<h2>Sources</h2><ol>"), *items, Markup("</ol>")])

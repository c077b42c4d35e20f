"""The embedded weekly series."""

from __future__ import annotations

from aigc_models.modalities import series
from tasks.ingest.embedded import co2


def test_weekly_carbon_dioxide_with_its_gaps() -> None:
    (item,) = co2.items()
    content = series.read(item.payload, item.name)
    assert (content.step, content.steps, content.stamps()[0], content.stamps()[-1]) == ("7D", 2284, "1958-03-29", "2001-12-29")
    assert int((content.values != content.values).sum()) == 59
    assert series.normalise(content).notes == ("values filled 59: linearly, in 22 gaps, the longest 18 steps",)
    assert co2.licence() == "public domain"

"""How far a version of a data set has moved from another one: one number, and what moved.

The number, `score`, is how well a classifier tells the items of one version from those of the other (`two_sample.py`):
0 where it cannot, 1 where it always can. Items that both versions hold count in both, so that it is about the share of the
data that is of another kind: with a tenth of new items unlike the rest it is 0.1 at most, and one label less shows as well.
That is what a model trained on `before` would meet in `after`, and what retraining asks for. What is new is compared
with `before` by itself too (`new`): there a handful of strange items shows that are too few to move the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.dataset.ledger import Version, ledger
from tasks.drift.encoder import Embed, Encoder, champion_data, find_encoder, plain, trained
from tasks.drift.sample import Cut, Entry, Opened
from tasks.drift.two_sample import tell_apart
from tasks.stage.settings import Workspace
from tasks.version.cache import find_version, present
from tasks.version.statistics import UNLABELLED, Feature, adjusted, categories, numbers

if TYPE_CHECKING:
    import numpy as np


FEWEST = 20  # items on each side, below which nothing can be said
THRESHOLD = 0.1  # chosen by benchmarks/drift_null.py; docs/measured.md


class DriftSettings(BaseModel):
    """What counts as drift, and by whose eyes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(THRESHOLD, ge=0, le=1, description="score from which on a version has drifted")
    encoder: Encoder = Field(
        "auto", description="own: one that was trained on the data set; plain: fixed features; auto: own if any"
    )
    items: int = Field(5000, ge=FEWEST, description="most items of a version that are looked at")
    model: str = Field("", description="registered name whose champion encodes; empty: the data set's")


class Classified(BaseModel):
    """How well a classifier tells one version's items from the other's: area under the ROC curve, 0.5 for not at all."""

    model_config = ConfigDict(frozen=True)

    auc: float
    low: float = Field(description="of the 95 % interval")
    high: float
    encoder: Literal["own", "plain"]


class Comparison(BaseModel):
    """Two sets of items."""

    model_config = ConfigDict(frozen=True)

    score: float | None = Field(description="max(0, 2 * classifier.low - 1): 0 alike, 1 told apart; None: too little to tell")
    items: tuple[int, int] = Field(description="looked at before and after")
    classifier: Classified | None
    features: tuple[Feature, ...] = Field(description="the largest move first")

    @property
    def moved(self) -> tuple[str, ...]:
        """The names of the features that moved."""
        return tuple(feature.name for feature in self.features if feature.moved)


class Drift(Comparison):
    """How far version `after` of a data set has moved from `before`."""

    dataset: str
    modality: str
    before: str
    after: str
    threshold: float
    drifted: bool = Field(description="whether the score is at least the threshold")
    counts: tuple[int, int, int] = Field(description="items of before, of after, and those that both hold")
    pieces: bool = Field(description="whether parts of series were counted and compared, not series")
    encoder: str = Field(description="whose features the classifier saw, in words")
    new: Comparison | None = Field(description="what only `after` holds, against all of `before`")

    @property
    def summary(self) -> str:
        """The outcome in words."""
        if self.score is None:
            return f"too little to tell: at least {FEWEST} items a version are needed"
        sign = "above" if self.drifted else "below"
        return f"drift {self.score:.3g} {sign} {self.threshold:g}"


def drift(workspace: Workspace, name: str, before: str, after: str = "", settings: DriftSettings | None = None) -> Drift:
    """Compare two versions as the cache holds them (`after`: the newest, if it is empty); the same answer each time.

    Raises `BadInput` where one is unknown or not whole, or where no encoder fits.
    """
    settings = settings or DriftSettings()
    versions = [find_version(workspace, name, wanted) for wanted in (before, after)]
    eyes = chosen(workspace, versions[0], settings, Opened(present(workspace, versions[0])).card["modality"])
    old, new = opened([present(workspace, version) for version in versions], eyes.kind == "own")
    samples = old.entries(settings.items), new.entries(settings.items), new.entries(settings.items, beyond=old)
    seen = looked_at(((old, samples[0]), (new, samples[1]), (new, samples[2])), eyes)
    whole, fresh = seen.compared(samples[0], samples[1]), seen.compared(samples[0], samples[2])
    return Drift(
        **dict(whole),
        dataset=name,
        modality=old.card["modality"],
        before=versions[0].version,
        after=versions[1].version,
        threshold=settings.threshold,
        drifted=whole.score is not None and whole.score >= settings.threshold,
        counts=(old.count, new.count, new.shared(old)),
        pieces=isinstance(old, Cut),
        encoder=eyes.words,
        new=fresh if samples[2] else None,
    )


def usual_before(workspace: Workspace, name: str, model: str = "") -> str:
    """The version that the champion of `model` (the data set's name, if it is empty) was trained on, or else the last one
    but the newest; raises `BadInput` where there is neither."""
    versions = [version.version for version in ledger(workspace, name)]
    newest = find_version(workspace, name).version
    trained_on = champion_data(workspace, name, model or name)
    if trained_on in versions:
        return trained_on
    earlier = [version for version in versions if version != newest]
    if not earlier:
        raise BadInput(f"{name} has one version only, {newest}; there is nothing to compare it with yet")
    return earlier[-1]


def opened(files: Sequence[Mapping[str, Path]], whole: bool) -> tuple[Opened, Opened]:
    """Both versions; where items are divided inside, both are cut into pieces as the earlier one's format says."""
    old, new = (Opened(each) for each in files)
    if old.card["modality"] != new.card["modality"]:
        raise BadInput(f"one version holds {old.card['modality']}, the other {new.card['modality']}: they cannot be compared")
    if not divided_inside(old.modality) or not hasattr(old.modality, "pieces"):
        return old, new
    format = old.modality.Format.model_validate(old.card["format"])
    return Cut(old.files, format, whole), Cut(new.files, format, whole)


@dataclass(frozen=True)
class Eyes:
    """What the classifier sees of items."""

    embed: Embed
    kind: Literal["own", "plain"]
    words: str


def chosen(workspace: Workspace, version: Version, settings: DriftSettings, kind: str) -> Eyes:
    """By `settings.encoder`; of itself, no own encoder is taken for pieces of series, which it sees too few of."""
    modality = find("aigc_models.modalities", kind)
    wanted = "plain" if settings.encoder == "auto" and divided_inside(modality) else settings.encoder
    encoder = None if wanted == "plain" else find_encoder(workspace, version.dataset, settings.model)
    if encoder:
        return Eyes(trained(encoder[0]), "own", encoder[1])
    if wanted == "own":
        raise BadInput(
            f"no encoder was trained on {version.dataset} yet; a recipe with `pretraining:` makes one, auto does without"
        )
    return Eyes(plain(modality, kind), "plain", f"plain features of {kind}")


@dataclass(frozen=True)
class Seen:
    """All that was looked at, by the digest of its content; measures and features are float (item, ...)."""

    kind: Literal["own", "plain"]
    rows: Mapping[str, int]
    measures: Mapping[str, np.ndarray]
    features: np.ndarray

    def compared(self, before: Sequence[Entry], after: Sequence[Entry]) -> Comparison:
        """Two samples of it, by each measure and label, and all in all."""
        if min(len(before), len(after)) < FEWEST:
            return Comparison(score=None, items=(len(before), len(after)), classifier=None, features=())
        apart = self.separation(before, after)
        features = adjusted([feature for feature in self.tested(before, after) if feature])
        return Comparison(
            score=round(apart.score, 4),
            items=(len(before), len(after)),
            classifier=Classified(auc=apart.auc, low=apart.low, high=apart.high, encoder=self.kind),
            features=features,
        )

    def tested(self, before: Sequence[Entry], after: Sequence[Entry]) -> Iterable[Feature | None]:
        labels = [Counter(entry.label or UNLABELLED for entry in side) for side in (before, after)]
        yield categories("label", *labels)
        sides = [[self.rows[entry.key] for entry in side] for side in (before, after)]
        for name, column in self.measures.items():
            yield numbers(name, column[sides[0]], column[sides[1]])

    def separation(self, before: Sequence[Entry], after: Sequence[Entry]) -> Any:
        import numpy as np

        entries = {entry.key: entry for entry in (*after, *before)}
        rows = [self.rows[key] for key in entries]
        held = [{entry.key for entry in side} for side in (before, after)]
        inside = [np.array([key in side for key in entries]) for side in held]
        return tell_apart(self.features[rows], [entry.group for entry in entries.values()], *inside)


def looked_at(samples: Iterable[tuple[Opened, Sequence[Entry]]], eyes: Eyes) -> Seen:
    """Each item once, whichever version it is read from."""
    import numpy as np

    rows: dict[str, int] = {}
    parts: list[tuple[dict[str, np.ndarray], np.ndarray]] = []
    for version, entries in samples:
        wanted = {entry.key: entry for entry in entries if entry.key not in rows}
        for part, contents in version.contents(list(wanted.values())):
            rows |= {entry.key: len(rows) + at for at, entry in enumerate(part)}
            parts.append((measured(version.modality, contents), eyes.embed(contents)))
    names = parts[0][0] if parts else {}
    measures = {name: np.concatenate([part[name] for part, _ in parts]) for name in names}
    embedded = np.concatenate([features for _, features in parts]) if parts else np.zeros((0, 1))
    return Seen(eyes.kind, rows, measures, np.column_stack([embedded, *measures.values()]))


def measured(modality: Any, contents: Sequence[Any]) -> dict[str, np.ndarray]:
    """The modality's measures; none where it has none."""
    return dict(modality.measures(contents)) if hasattr(modality, "measures") else {}

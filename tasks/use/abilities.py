"""What registered models can do, read from their cards: nothing is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput

if TYPE_CHECKING:
    from tasks.stage.settings import Workspace
    from tasks.use.provenance import Identity

CAPABILITIES = {
    "forecast": frozenset({"forecasts"}),
    "classify": frozenset({"classifies", "assigns", "regresses"}),
    "recommend": frozenset({"recommends"}),
    "reply": frozenset({"matches"}),
    "explain": frozenset({"classifies", "streams"}),
    "score": frozenset({"scores"}),
    "encode": frozenset({"encodes"}),
    "reconstruct": frozenset({"reconstructs"}),
    "denoise": frozenset({"denoises"}),
}
LENT = frozenset(
    {"encodes", "reconstructs", "denoises", "forecasts", "classifies", "assigns", "regresses", "recommends", "matches"}
)  # a member's are its ensemble's


def abilities(folder: Path) -> frozenset[str]:
    """What the bundle in `folder` can do, its members' included; read from its cards, without torch."""
    card = json.loads((folder / "bundle.json").read_bytes())
    capabilities = set(card["capabilities"])
    for name in card["members"]:
        capabilities |= abilities(folder / "members" / name) & LENT
    if "scores" in card["capabilities"] and len(card["labels"]) > 1:
        capabilities.add("classifies")  # by Bayes' rule
    return frozenset(capabilities)


def require(workspace: Workspace, folder: Path, identity: Identity, verb: str) -> None:
    """Raise `BadInput` where the bundle in `folder` cannot do `verb`, saying what it can and which registered models can."""
    can = abilities(folder)
    if CAPABILITIES[verb] & can:
        return
    others = ", ".join(_able(workspace, CAPABILITIES[verb])) or "none"
    raise BadInput(
        f"{identity.model} version {identity.version} cannot {verb}; it {', '.join(sorted(can))}. "
        f"Registered models that can {verb}: {others}"
    )


def _able(workspace: Workspace, capabilities: frozenset[str]) -> list[str]:
    from tasks.registry.registry import list_models, located

    champions = [model.name for model in list_models(workspace) if "champion" in model.aliases]
    return [name for name in champions if capabilities & abilities(located(workspace, name)[0])]

"""`aigc verify` and `aigc sign`: whether a bundle is what was registered, and who vouches for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.command_line.command import answer, ending, leave
from flows.failures import FAILED

if TYPE_CHECKING:
    from tasks.registry.verify import Soundness

Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]


def verify(
    target: Annotated[str, typer.Argument(help="NAME (its champion), NAME@alias, NAME/version, or a bundle's folder")],
    key: Annotated[
        Path | None, typer.Option(help="public key (PEM) by which it has to be signed; else that of AIGC_VERIFY_KEY")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look whether a model is what was registered, file by file, and whether its signature holds.

    Ends with 0 where it is sound, with 1 where it is not.

    Example: aigc verify digits@champion        Example: aigc verify outputs/painter --key team.public.pem --json
    """
    with ending():
        from tasks.registry.verify import verify as verified
        from tasks.stage.settings import Workspace

        soundness = verified(Workspace.current(), target, key)
        answer(soundness, as_json, _show)
        if not soundness.sound:
            leave(FAILED)


def sign(
    target: Annotated[str, typer.Argument(help="NAME (its champion), NAME@alias, NAME/version, or a bundle's folder")] = "",
    key: Annotated[Path | None, typer.Option(help="private key (PEM, Ed25519) to sign with")] = None,
    new: Annotated[Path | None, typer.Option(help="make a pair of keys: this file, and NAME.public.pem beside it")] = None,
    as_json: Json = False,
) -> None:
    """Sign a registered version (in the registry) or a bundle's folder (bundle.sig in it), or make keys to do so.

    Example: aigc sign --new team.pem        Example: aigc sign digits/3 --key team.pem
    """
    with ending():
        from aigc_models.errors import BadInput

        if new is not None and not target:
            from tasks.registry.signing import new_keys

            made = {"private": str(new), "public": str(new_keys(new))}
            answer(made, as_json, lambda value: print(f"{new} signs: keep it secret; {value['public']} verifies"))
            return
        if key is None or new is not None or not target:
            raise BadInput("say what to sign and with which key: aigc sign NAME --key KEY.pem, or aigc sign --new KEY.pem")
        from tasks.registry.verify import sign as signed
        from tasks.stage.settings import Workspace

        soundness = signed(Workspace.current(), target, key)
        answer(soundness, as_json, lambda value: print(f"{value.name} is signed"))


def _show(soundness: Soundness) -> None:
    if not soundness.sound:
        print(f"{soundness.name} is not sound: {soundness.problem}")
        return
    print(f"{soundness.name} is sound: each file is what its digest says (bundle {soundness.bundle_sha256[:12]})")
    print(f"signature: {soundness.signature}")

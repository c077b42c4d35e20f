"""Who made an item: the label that every generated item carries, in files, manifests and answers.

The AI-content label is IPTC's digital source type `trainedAlgorithmicMedia`
(https://cv.iptc.org/newscodes/digitalsourcetype/), the term that C2PA and the EU's code of
practice on marking AI-generated content use too.
"""

from __future__ import annotations

import io
import json
import struct

from pydantic import BaseModel, ConfigDict, Field

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType={source} xmp:CreatorTool={tool}/>
</rdf:RDF></x:xmpmeta>"""


class Identity(BaseModel):
    """A generator as the outside knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="registered name, or the bundle's own")
    version: str = Field("0", description="registered version; 0 where it is not registered")
    dataset: str = Field("", description="name of the data set it learnt from")
    data_version: str = Field("", description="version of that data set")
    bundle_sha256: str = Field("", description="digest of the bundle's folder")

    def mark(self, seed: int, item: int = 0) -> Label:
        """The label of item `item` (from 0) that this generator makes from `seed`."""
        return Label(**{name: getattr(self, name) for name in Identity.model_fields}, seed=seed, item=item)


class Label(Identity):
    """What an item says of itself; `seed` and `item`, with the same condition and prompt, make it again."""

    seed: int
    item: int
    ai_generated: bool = True
    digital_source_type: str = SOURCE_TYPE


def labelled(payload: bytes, suffix: str, label: Label) -> bytes:
    """The item's file with its label inside, where the format has a place for one (PNG, WAV, MIDI, ABC); else as it was.

    A text or csv file stays its content alone; its label is in the manifest or in the answer beside it.
    """
    inside = {".png": _png, ".wav": _wav, ".mid": _midi, ".abc": _abc}.get(suffix)
    return inside(payload, label) if inside else payload


def sound_tags(label: Label) -> dict[str, str]:
    """The label as the tags that sound formats share (`soundfile`'s names of them)."""
    return {"software": _tool(label), "comment": json.dumps(label.model_dump(), sort_keys=True)}


def _tool(label: Label) -> str:
    return f"AIGC Foundry: {label.model} version {label.version}"


def _xmp(label: Label) -> str:
    from xml.sax.saxutils import quoteattr

    return XMP.format(source=quoteattr(label.digital_source_type), tool=quoteattr(_tool(label)))


def _wav(payload: bytes, label: Label) -> bytes:
    """WAV with a LIST INFO chunk (`ISFT`: the software, `ICMT`: the label as JSON) and XMP in a `_PMX` chunk.

    Both follow the samples, where readers of sound alone pass them by (XMP specification, part 3, section 1.2.7).
    """
    tags = {"software": b"ISFT", "comment": b"ICMT"}
    info = b"".join(_chunk(tags[name], text.encode() + b"\0") for name, text in sound_tags(label).items())
    body = payload[12:] + _chunk(b"LIST", b"INFO" + info) + _chunk(b"_PMX", _xmp(label).encode())
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def _chunk(name: bytes, content: bytes) -> bytes:
    """RIFF: a name, a length, the content, and a byte more where that is odd."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _png(payload: bytes, label: Label) -> bytes:
    """PNG with text chunks: `aigc` (the label as JSON), XMP (for IPTC readers) and `Software`."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_text("Software", _tool(label))
    chunks.add_itxt("aigc", json.dumps(label.model_dump(), sort_keys=True))
    chunks.add_itxt("XML:com.adobe.xmp", _xmp(label))
    out = io.BytesIO()
    with Image.open(io.BytesIO(payload)) as image:
        image.save(out, "PNG", pnginfo=chunks)
    return out.getvalue()


def _midi(payload: bytes, label: Label) -> bytes:
    """MIDI whose first track begins with a text event: the software and the label as JSON, in ASCII."""
    from mido import MetaMessage, MidiFile

    file, out = MidiFile(file=io.BytesIO(payload)), io.BytesIO()
    file.tracks[0].insert(
        0, MetaMessage("text", text=f"{_ascii(_tool(label))} {json.dumps(label.model_dump(), sort_keys=True)}")
    )
    file.save(file=out)
    return out.getvalue()


def _abc(payload: bytes, label: Label) -> bytes:
    """ABC with the software and the label as JSON in fields of its header (`%%abc-creator`, `N:`), behind the first line."""
    first, _, rest = payload.partition(b"\n")
    mark = json.dumps(label.model_dump(), sort_keys=True).replace("%", r"\u0025")  # a per cent sign begins a comment
    return b"\n".join([first, f"%%abc-creator {_ascii(_tool(label))}".encode(), f"N:{mark}".encode(), rest])


def _ascii(text: str) -> str:
    """One line that every reader shows."""
    return " ".join(text.encode("ascii", "replace").decode().split())

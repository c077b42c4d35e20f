import io
import json
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from PIL import Image

from aigc_models.modalities import audio, events, image
from aigc_models.modalities.events.events import notes
from tasks.use.provenance import SOURCE_TYPE, Identity, labelled

IDENTITY = Identity(model='cats & "dogs"', version="4", dataset="pets", data_version="abc", bundle_sha256="def")


def test_png_carries_its_label_and_the_same_picture():
    content = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    payload = labelled(image.pack(content), ".png", IDENTITY.mark(7, 2))
    opened = Image.open(io.BytesIO(payload))
    assert (np.asarray(opened) == content).all()
    assert json.loads(opened.text["aigc"]) == {
        **IDENTITY.model_dump(),
        "seed": 7,
        "item": 2,
        "ai_generated": True,
        "digital_source_type": SOURCE_TYPE,
    }


def test_png_is_labelled_for_iptc_readers():
    payload = labelled(image.pack(np.zeros((4, 4, 1), np.uint8)), ".png", IDENTITY.mark(0))
    packet = ElementTree.fromstring(Image.open(io.BytesIO(payload)).text["XML:com.adobe.xmp"])
    described = packet.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert described.get("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType") == SOURCE_TYPE
    assert described.get("{http://ns.adobe.com/xap/1.0/}CreatorTool") == 'AIGC Foundry: cats & "dogs" version 4'


def test_same_label_same_bytes():
    plain = image.pack(np.zeros((4, 4, 1), np.uint8))
    assert labelled(plain, ".png", IDENTITY.mark(1)) == labelled(plain, ".png", IDENTITY.mark(1))
    assert labelled(plain, ".png", IDENTITY.mark(1)) != labelled(plain, ".png", IDENTITY.mark(2))


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_text_stays_the_text_alone(suffix):
    assert labelled(b"words", suffix, IDENTITY.mark(1)) == b"words"


def test_wav_carries_its_label_and_the_same_sound():
    content = audio.Sound((np.arange(501, dtype=np.float32) / 1000)[None], 8000)
    plain = audio.pack(content)
    payload = labelled(plain, ".wav", IDENTITY.mark(7, 2))
    assert (audio.read(payload, "x.wav").values == audio.read(plain, "x.wav").values).all()
    assert (audio.unpack(payload).values == audio.unpack(plain).values).all()
    assert int.from_bytes(payload[4:8], "little") == len(payload) - 8
    with soundfile.SoundFile(io.BytesIO(payload)) as file:
        tags = file.copy_metadata()
    assert json.loads(tags["comment"]) == IDENTITY.mark(7, 2).model_dump()
    assert tags["software"] == 'AIGC Foundry: cats & "dogs" version 4'
    assert SOURCE_TYPE.encode() in payload[payload.index(b"_PMX") :]


def test_midi_and_abc_carry_their_label_and_the_same_tune():
    content = notes([0, 1], [60, 62], [1, 2], [0, 0], tempo=90.0, meter=(3, 4))
    mark = Identity(model="50 % jazz: ¿qué?\n", version="4").mark(7, 2)
    for suffix, plain in events.renderings(content, (".mid", ".abc")).items():
        payload = labelled(plain, suffix, mark)
        back = events.read(payload, f"a{suffix}")
        assert (back.values.tolist(), back.durations.tolist(), back.tempo, back.meter) == ([60, 62], [1, 2], 90, (3, 4))
        text = payload.decode("latin-1")
        start = text.index("{")
        assert json.JSONDecoder().raw_decode(text[start:])[0] == mark.model_dump()
        assert "AIGC Foundry: 50 % jazz" in text

# ruff: noqa: E501
"""Requests that ask for much with few bytes."""

import base64
import io
import zlib

import numpy as np
import soundfile
from attack import Attack
from PIL import Image

TEXT, GENERATE, CHAT, PICTURES = "/v1/completions", "/v1/generate", "/v1/chat/completions", "/v1/images/generations"
SMILE = "\U0001f600"
TOO_MUCH = "this costs as much as"


def picture(side: int, mode: str = "1") -> str:
    """A square of one colour: some kilobytes however large it is."""
    buffer = io.BytesIO()
    Image.new(mode, (side, side)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def silence(seconds: int) -> str:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 8000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(seconds):
            file.write(np.zeros(8000, dtype=np.int16))
    return base64.b64encode(buffer.getvalue()).decode()


def lying_picture(side: int) -> str:
    """A PNG whose header claims so much that is not there."""
    header = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    chunk = b"IHDR" + header
    whole = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return base64.b64encode(whole).decode()


def far_apart(days: int) -> str:
    """A series of few values whose grid has so many, the last 40 of them known."""
    first = np.datetime64("1700-01-01")
    times = [first, first + 1, *(first + days - 40 + at for at in range(40))]
    return "time,height\n" + "".join(f"{time},{at % 7}\n" for at, time in enumerate(times))


ATTACKS = [
    Attack("length of 300 million", GENERATE, {"model": "letters", "sampling": {"max_length": 300_000_000}}, 400, "max_length"),
    Attack("length of 10^18", GENERATE, {"model": "letters", "sampling": {"max_length": 10**18}}, 400, "this server allows 4,096"),
    Attack("length of 1e308", GENERATE, {"model": "letters", "sampling": {"max_length": 1e308}}, 400, "max_length"),
    Attack("length of tunes", GENERATE, {"model": "jigs", "sampling": {"max_length": 10**9}}, 400, "max_length"),
    Attack("length of histories", GENERATE, {"model": "films", "sampling": {"max_length": 10**9}}, 400, "max_length"),
    Attack("length of an ensemble", GENERATE, {"model": "mind", "sampling": {"max_length": 10**9}}, 400, "max_length"),
    Attack("many long texts", GENERATE, {"model": "letters", "n": 64, "sampling": {"max_length": 4096}}, 400, TOO_MUCH),
    Attack("steps of 100,000", GENERATE, {"model": "paint", "count": 64, "sampling": {"steps": 100_000}}, 400, "sampling.steps"),
    Attack("steps of 1,000", GENERATE, {"model": "paint", "sampling": {"steps": 1000}}, 400, "this server allows 100"),
    Attack("steps below the limit, of many", GENERATE, {"model": "paint", "n": 64, "sampling": {"steps": 100}}, 400, TOO_MUCH),
    Attack("steps of minus a million", GENERATE, {"model": "paint", "sampling": {"steps": -(10**6)}}, 400, "steps"),
    Attack("steps of half a one", GENERATE, {"model": "paint", "sampling": {"steps": 1.5}}, 400, "steps"),
    Attack("window of repetitions", GENERATE, {"model": "letters", "sampling": {"repetition_window": 10**15}}, 200),
    Attack("top_k of 10^30", GENERATE, {"model": "letters", "sampling": {"top_k": 1e30, "max_length": 8}}, 400, "top_k"),
    Attack("runs of 10^30", GENERATE, {"model": "letters", "sampling": {"no_repeat_ngram": 1e30}}, 400, "no_repeat_ngram"),
    Attack("beams of a thousand", GENERATE, {"model": "letters", "sampling": {"beams": 1000}}, 400, "beams"),
    Attack("beams in generate", GENERATE, {"model": "letters", "sampling": {"beams": 4}}, 400, "use_beam_search"),
    Attack("items of a million", GENERATE, {"model": "paint", "n": 10**6}, 400, "n: 1,000,000 asked, this server allows 64"),
    Attack("count of a million", GENERATE, {"model": "paint", "count": 10**6}, 400, "count"),
    Attack("pictures of a million", PICTURES, {"model": "paint", "n": 10**6}, 400, "n: "),
    Attack("a first of 2^31", PICTURES, {"model": "paint", "first": 2**31}, 400, "first"),
    Attack("tokens of 10^9", TEXT, {"model": "letters", "max_tokens": 10**9}, 400, "max_tokens"),
    Attack("tokens of a chat", CHAT, {"model": "letters", "messages": [{"role": "user", "content": "a"}],
                                      "max_completion_tokens": 10**9}, 400, "max_completion_tokens"),
    Attack("choices of 10^9", TEXT, {"model": "letters", "n": 10**9}, 400, "n: "),
    Attack("best of 10^9", TEXT, {"model": "letters", "best_of": 10**9}, 400, "best_of"),
    Attack("all that is allowed at once", TEXT, {"model": "letters", "prompt": ["x" * 16_000] * 16, "n": 4,
                                                 "max_tokens": 4096}, 400, TOO_MUCH),
    Attack("wide beams of long texts", TEXT, {"model": "letters", "prompt": ["x"] * 16, "n": 1, "best_of": 16,
                                              "use_beam_search": True, "max_tokens": 4096}, 400, TOO_MUCH),
    Attack("a prompt of 8,192 emoji", TEXT, {"model": "mind", "prompt": SMILE * 8192, "max_tokens": 8}, 400, "32,768 bytes"),
    Attack("one of several prompts", TEXT, {"model": "mind", "prompt": ["a", SMILE * 8192]}, 400, "prompt: 32,768 bytes"),
    Attack("a prompt in generate", GENERATE, {"model": "mind", "prompt": SMILE * 8192}, 400, "prompt: 32,768 bytes"),
    Attack("a chat of emoji", CHAT, {"model": "mind", "messages": [{"role": "user", "content": SMILE * 8192}]}, 400, "messages"),
    Attack("a chat of many parts", CHAT, {"model": "mind", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a" * 100}] * 300}]}, 400, "messages: 30,000 bytes"),
    Attack("a chat of many messages", CHAT, {"model": "mind", "messages": [{"role": "user", "content": "a"}] * 300}, 400, "messages"),
    Attack("a text to classify", "/v1/classify", {"model": "mind", "input": "a" * 60_000}, 400, "input[0]: 60,000 bytes"),
    Attack("texts to classify", "/v1/classify", {"model": "mind", "input": ["a" * 14_000] * 16}, 400, TOO_MUCH),
    Attack("a text to embed", "/v1/embeddings", {"model": "mind", "input": SMILE * 16_000}, 400, "input[0]: 64,000 bytes"),
    Attack("texts to embed", "/v1/embeddings", {"model": "mind", "input": ["a" * 16_000] * 32}, 400, TOO_MUCH),
    Attack("many inputs", "/v1/classify", {"model": "mind", "input": ["a"] * 65}, 400, "input"),
    Attack("a stop of a megabyte", TEXT, {"model": "letters", "stop": "a" * 500_000}, 400, "stop"),
    Attack("many stops", TEXT, {"model": "letters", "stop": ["a"] * 1000}, 400, "stop"),
    Attack("many biases", TEXT, {"model": "letters", "logit_bias": {str(at): 1 for at in range(20_000)}}, 400, "logit_bias"),
    Attack("a bias of a symbol far away", TEXT, {"model": "letters", "logit_bias": {"999999999": 1}}, 400, "no symbol"),
    Attack("a bias of a symbol below zero", TEXT, {"model": "letters", "logit_bias": {"-1": 1}}, 400, "logit_bias"),
    Attack("a regex that explodes", TEXT, {"model": "letters", "structured_outputs": {"regex": "(a{1,1000}){1,1000}"}, "max_tokens": 8}, 200,
           megabytes=200),
    Attack("a regex of a megabyte", TEXT, {"model": "letters", "structured_outputs": {"regex": "(a|b)" * 100_000}}, 400, "regex",
           megabytes=200),
    Attack("a regex of generate", GENERATE, {"model": "letters", "sampling": {"regex": "((a{1,500}){1,500}){1,500}", "max_length": 8}}, 200,
           megabytes=200),
    Attack("a schema that refers to itself", TEXT, {"model": "letters", "max_tokens": 4, "response_format": {
        "type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#"}}}}, 400, "json_schema", megabytes=200),
    Attack("a schema from elsewhere", TEXT, {"model": "letters", "max_tokens": 4, "response_format": {
        "type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "http://127.0.0.1:1/x.json"}}}}, 400, "json_schema",
           megabytes=200),
    Attack("a schema of ten thousand fields", TEXT, {"model": "letters", "max_tokens": 4, "structured_outputs": {
        "json": {"type": "object", "required": [f"f{at}" for at in range(10_000)]}}}, 400, "json_schema", megabytes=300),
    Attack("a picture of 81 million pixels", "/v1/classify", {"model": "paint", "input": picture(9000)}, 400, "pixels"),
    Attack("a picture of 1.6 thousand million", "/v1/classify", {"model": "paint", "input": picture(40_000)}, 400, "bomb"),
    Attack("pictures that are large together", "/v1/classify", {"model": "paint", "input": [picture(6900)] * 64}, 400,
           "input[2]: with it the contents are 1", megabytes=400),
    Attack("a picture that lies", "/v1/classify", {"model": "paint", "input": lying_picture(60_000)}, 400, "input[0]"),
    Attack("a series of a few centuries", "/v1/forecast", {"model": "waves", "past": far_apart(200_000)}, 200),
    Attack("series that are large together", "/v1/forecast", {"model": "waves", "past": [far_apart(200_000)] * 64}, 400,
           "past[62]: with it the contents are 101 MB", megabytes=250),
    Attack("a series of too many steps", "/v1/forecast", {"model": "waves", "past": far_apart(40_000_000)}, 400, "past[0]"),
    Attack("levels by the thousand", "/v1/forecast", {"model": "waves", "levels": [at / 1001 for at in range(1, 1000)]}, 400, "levels"),
    Attack("a sound of an hour", "/v1/embeddings", {"model": "tones", "input": silence(3600)}, 400, ""),
    Attack("a tune as sound, many times", GENERATE, {"model": "jigs", "n": 65, "format": "wav"}, 400, "n: 65"),
]  # fmt: skip

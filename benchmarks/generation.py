"""How fast texts are drawn, beside `transformers` with a Llama of the same shape.

    pip install transformers
    OMP_NUM_THREADS=1 python benchmarks/generation.py --out benchmarks/results/generation.json

Both draw `--symbols` symbols of each of 1 or 16 texts side by side from untrained networks over the bytes, at temperature 1,
with a cache of keys and values: ours in slots, the other by `LlamaForCausalLM.generate`. They run in turn, several times; a
figure is the median, and that of the ratios the median of ratios. Seconds are those of the thread (`--threads` 1), so that what
else the machine does counts as little as it can. `prompts` are 200 bytes that are read before 16 more are drawn.

`batch` is 1,000 texts of at most 128 symbols by `Generator.each`, beside the steps alone that the same network takes at the
same width: what joining, leaving, choosing symbols and making texts of them costs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

SHAPES = {"4 x 128": (128, 4, 4), "6 x 384": (384, 6, 6)}  # width, layers, heads
WINDOW, ROUNDS, READ, AFTER = 256, 5, 200, 16


def ours(count: int, width: int, layers: int, heads: int) -> Callable[[int, int], Any]:
    """Draws texts of `prompt` and `symbols` symbols."""
    from aigc_models.capabilities import Shape
    from aigc_models.families import transformer
    from aigc_models.language.decoding import sampling
    from aigc_models.language.slots import Draft, Slots, finish
    from aigc_models.modalities import text

    config = transformer.Config(width=width, layers=layers, heads=heads, window=WINDOW)
    model = transformer.build(config, Shape("text", (), text.Format(length=64))).eval()
    slots = Slots(model, count)

    lasting: list[int] = []  # seeds of texts that do not end before: an untrained network ends one in 257 times

    def drafts(seeds: Sequence[int], prompt: int, symbols: int) -> list[Draft]:
        made = [Draft(0, seed, [97] * prompt, sampling(max_length=prompt + symbols)) for seed in seeds]
        finish(slots, made)
        return made

    def draw(prompt: int, symbols: int) -> None:
        if not lasting:
            lasting.extend(one.seed for one in drafts(range(8 * count + 8), prompt, symbols) if len(one.symbols) == symbols)
        assert all(len(one.symbols) == symbols for one in drafts(lasting[:count], prompt, symbols))

    return draw


def llama(count: int, width: int, layers: int, heads: int) -> Callable[[int, int], Any]:
    """The same by `transformers`."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=259,
        hidden_size=width,
        intermediate_size=(8 * width // 3 + 15) // 16 * 16,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=256,
        eos_token_id=None,
        pad_token_id=258,
    )
    model = LlamaForCausalLM(config).eval()

    def draw(prompt: int, symbols: int) -> None:
        begun = torch.full((count, 1 + prompt), 97)
        begun[:, 0] = 256
        with torch.inference_mode():
            drawn = model.generate(begun, do_sample=True, top_k=0, max_new_tokens=symbols, min_new_tokens=symbols)
        assert drawn.shape[1] == 1 + prompt + symbols

    return draw


def seconds(draw: Callable[[int, int], Any], prompt: int, symbols: int) -> float:
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    began = clock()
    draw(prompt, symbols)
    return clock() - began


def measured(shape: str, count: int, prompt: int, symbols: int) -> dict[str, Any]:
    mine, peer = (make(count, *SHAPES[shape]) for make in (ours, llama))
    mine(prompt, symbols), peer(prompt, symbols)  # the first warms up
    rounds = [(seconds(mine, prompt, symbols), seconds(peer, prompt, symbols)) for _ in range(ROUNDS)]
    ours_, theirs = zip(*rounds, strict=True)
    return {
        "shape": shape,
        "texts": count,
        "prompt": prompt,
        "symbols": symbols,
        "symbols_a_second": round(count * symbols / statistics.median(ours_)),
        "of_transformers": round(count * symbols / statistics.median(theirs)),
        "times_faster": round(statistics.median(other / one for one, other in rounds), 2),
    }


def batch(count: int = 1000, length: int = 128, width: int = 32) -> dict[str, Any]:
    """Symbols a second of many texts, and of steps without any text."""
    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.families import transformer
    from aigc_models.generator import Generator
    from aigc_models.language.states import states_of
    from aigc_models.layers.noise import item_seeds
    from aigc_models.sequences import PAD

    config = transformer.Config(width=128, layers=4, heads=4, window=WINDOW)
    fields: dict[str, Any] = {"name": "prose", "family": "transformer", "modality": "text", "format": {"length": length}}
    card = Card(**fields, config=config.model_dump(), micro_batch=width, dataset="prose", version="0")
    with tempfile.TemporaryDirectory() as folder:
        bundle.save(Path(folder) / "prose", transformer.build(config, card.shape), card)
        generator = Generator.load(Path(folder) / "prose")
    states, fed = states_of(generator.model, width), torch.full((width,), 97)
    for slot in range(width):
        states.put(slot, generator.model.begin(torch.tensor([0])))

    def steps() -> float:
        began = time.thread_time()
        for _ in range(length):
            states.step(fed)
        return width * length / (time.thread_time() - began)

    before = [steps() for _ in range(ROUNDS)]
    encoded = generator.encoded(generator.conditions(count), item_seeds(0, count))
    began = time.thread_time()
    assert len(list(generator.each(count))) == count
    texts = int((encoded != PAD).sum()) / (time.thread_time() - began)
    alone = statistics.median(before + [steps() for _ in range(ROUNDS)])
    return {"batch": count, "symbols_a_second": round(texts), "of_steps_alone": round(alone), "share": round(texts / alone, 2)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--symbols", type=int, default=128)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--out", type=Path)
    asked = arguments.parse_args()
    torch.set_num_threads(asked.threads)
    runs = []
    for shape in SHAPES:
        for count in (1, 16):
            for prompt, symbols in ((0, asked.symbols), (READ, AFTER)):
                runs.append(measured(shape, count, prompt, symbols))
                print(json.dumps(runs[-1]), flush=True)
    runs.append(batch())
    print(json.dumps(runs[-1]), flush=True)
    if asked.out:
        import transformers

        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "threads": asked.threads, **versions}
        asked.out.write_text(json.dumps({"machine": machine, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()

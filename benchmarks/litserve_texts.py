"""The server that `serving_text.py` measures ours beside: LitServe and `LlamaForCausalLM.generate`, on the given port."""

import sys
from typing import Any

import litserve
import torch
from serving_text import CLIENTS, HEADS, LAYERS, TOKENS, WIDTH
from transformers import LlamaConfig, LlamaForCausalLM


class Texts(litserve.LitAPI):
    """As its documentation has it: requests that come within 10 ms are one batch."""

    def setup(self, device: str) -> None:
        inner = (8 * WIDTH // 3 + 15) // 16 * 16
        sizes = {"hidden_size": WIDTH, "intermediate_size": inner, "num_hidden_layers": LAYERS}
        heads = {"num_attention_heads": HEADS, "num_key_value_heads": HEADS}
        tokens = {"vocab_size": 259, "bos_token_id": 256, "eos_token_id": None, "pad_token_id": 258}
        self.model = LlamaForCausalLM(LlamaConfig(**sizes, **heads, **tokens, tie_word_embeddings=True)).eval()

    def decode_request(self, request: dict[str, Any]) -> list[int]:
        return [256, *request["prompt"].encode()]

    def batch(self, inputs: list[list[int]]) -> torch.Tensor:
        return torch.tensor(inputs)

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            drawn = self.model.generate(x, do_sample=True, top_k=0, max_new_tokens=TOKENS, min_new_tokens=TOKENS)
        return drawn[:, x.shape[1] :]

    def unbatch(self, output: torch.Tensor) -> list[list[int]]:
        return output.tolist()

    def encode_response(self, output: list[int]) -> dict[str, str]:
        return {"text": bytes(symbol for symbol in output if symbol < 256).decode(errors="replace")}


if __name__ == "__main__":
    server = litserve.LitServer(Texts(max_batch_size=CLIENTS, batch_timeout=0.01), accelerator="cpu", devices=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="error", generate_client_file=False)

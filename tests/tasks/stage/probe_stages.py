"""Stages that tell what a child is like; children import them by name."""

import hashlib
import os
import random
import sys
import time

from tasks.stage.stage import StageContext, stage


@stage(process=True)
def tell(expression: str, context: StageContext) -> object:
    """What an expression is in the child."""
    return eval(expression, {"os": os, "sys": sys, "random": random})


@stage(process=True)
def linger(context: StageContext) -> None:
    """Say that it is there, and stay."""
    context.progress(1, 2, child=os.getpid(), server=os.getppid())
    time.sleep(120)


@stage(process=True)
def compute(context: StageContext) -> dict[str, str]:
    """Digests of what threads round: products, decompositions, gradients, a small training."""
    import numpy as np
    import torch
    from scipy import linalg
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from torch import nn

    noise, made = np.random.default_rng(0), {}
    for size in (64, 333, 1200):
        square = noise.standard_normal((size, size + 3))
        made[f"numpy {size}"] = square @ square.T
        made[f"numpy {size} single"] = square.astype(np.float32) @ square.T.astype(np.float32)
        tensor = torch.from_numpy(square)
        made[f"torch {size}"] = (tensor @ tensor.T).numpy()
        made[f"torch {size} single"] = (tensor.float() @ tensor.T.float()).numpy()
    rows = noise.standard_normal((1500, 64))
    made["components"] = PCA(20, random_state=0).fit_transform(rows)
    made["clusters"] = KMeans(8, n_init=2, random_state=0).fit(rows).cluster_centers_
    made["scipy"] = linalg.svd(rows[:300])[1]
    torch.manual_seed(0)
    items, memory, attention = torch.randn(64, 1, 16, 16), nn.LSTM(16, 64, batch_first=True), nn.TransformerEncoderLayer(64, 4)
    body = nn.Sequential(nn.Conv2d(1, 16, 3), nn.GroupNorm(4, 16), nn.SiLU(), nn.Flatten(2), nn.Linear(196, 16))
    model = nn.ModuleList([body, memory, attention, nn.Linear(64, 10)])
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(5):
        loss = nn.functional.cross_entropy(model[3](attention(memory(body(items))[0])[:, -1]), torch.arange(64) % 10)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    made["training"] = torch.cat([weights.detach().flatten() for weights in model.parameters()]).numpy()
    made["sum"] = torch.randn(1_000_003).sum().numpy()
    made["threads"] = np.asarray(torch.get_num_threads())
    return {name: hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:12] for name, value in made.items()}

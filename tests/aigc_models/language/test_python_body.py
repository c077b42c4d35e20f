"""What the grammar of a function's body allows compiles, and bodies as people write them are allowed."""

from __future__ import annotations

import warnings
from random import Random

import pytest

from aigc_models.errors import BadInput
from aigc_models.language import decoding, grammar

PIECES = [bytes([value]) for value in range(256)]
HEAD = 'def f(self, a, *b, **c):\n    """Say."""'
USUAL = """
    # the sum
    if not self.items or len(a) > 3:
        return [x.name for x in self.items if x is not None]  # all

    total = 0
    for key, value in sorted(a.items(), key=lambda pair: -pair[1]):
        try:
            self.counts[key] += int(value, base=16) if value else 0
        except (ValueError, KeyError) as error:
            raise TypeError('bad %r: %s' % (key, error)) from error
        while True:
            if total >= 10: break
            total += f"{key}" in b"a\\n".decode() or {"a": 1} if False else 1
            continue
    with open(self.path, "rb") as file, lock:
        first, rest = file.read(4)[1:-1], None
        yes = yield
        assert first is not name
    def inner(x, y=2, *z):
        yield x, -y
    return inner(*b,
                 **c)"""

LIKED = frozenset(b'\n "):]}ab1=.(,')  # what ends what was begun


def follows(text: str) -> bool:
    """Whether the grammar allows a text as a whole."""
    match = grammar.grammar(PIECES, language="python").copy()
    for symbol in text.encode():
        if not match.allowed()[symbol]:
            return False
        match.add(symbol)
    return bool(match.allowed()[256])


def test_a_usual_body_is_allowed() -> None:
    compile(HEAD + USUAL, "", "exec")
    assert follows(USUAL)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n  return 1",
        "\n        return 1",
        "\n    return (1",
        "\n    break",
        "\n    if a:\n    return 1",
        "\n    a() = 1",
        "\n    None = 1",
        "\n    return f(a=1, b)",
        "\n    '\\x'",
        "\n    1abc",
        "\n    while a:\n        def g():\n            break",
        "\nimport os",
        "\n    try:\n        pass\n    return 1",
    ],
)
def test_what_does_not_compile_is_not_allowed(body: str) -> None:
    assert not follows(body)


def test_what_is_drawn_at_random_compiles() -> None:
    texts = [text for seed in range(300) if (text := drawn(seed))]
    assert len(texts) > 100
    for text in texts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd, such as calling a number
            compile(HEAD + text, "", "exec")


def drawn(seed: int, most: int = 120) -> str:
    """A body of symbols drawn from those that are allowed, short ones; none where it comes to no end."""
    random, text, match = Random(seed), bytearray(), grammar.grammar(PIECES, language="python").copy()
    for _ in range(most):
        allowed = match.allowed().nonzero()[0].tolist()
        if allowed[-1] == 256 and random.random() < 0.3:
            return text.decode()
        plain = [each for each in allowed if each in LIKED] if random.random() < 0.9 else []
        symbol = random.choice(plain or [each for each in allowed if each < 128])
        match.add(symbol)
        text.append(symbol)
    return ""


def test_a_text_is_held_to_one_of_them() -> None:
    with pytest.raises(BadInput, match=r"grammar: .*not to both"):
        decoding.sampling(grammar="python", regex="a")
    with pytest.raises(BadInput, match="grammar"):
        decoding.sampling(grammar="cobol")
    assert decoding.sampling(grammar="python").held

"""A model behind an OpenAI-style endpoint that is asked for the label of each text: measured and combined, never trained.

Its answers are nobody's to reproduce: the server may hold another model tomorrow. What a bundle keeps is where it is asked
and how, and what its answers are worth on train items (`aigc_models.outside.classifier`). The key stands in the environment
alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput, Unreachable
from aigc_models.outside.classifier import OutsideClassifier, Said
from aigc_models.outside.client import Answer, Api, Client
from aigc_models.outside.labels import from_tokens, label_in

MODALITIES = frozenset({"text"})
TEXT, LABELS = "{text}", "{labels}"
KEY_NAME = re.compile(r"(?:[A-Z][A-Z0-9_]*_)?API_KEY")
PROMPT = f"Which of these labels fits the text: {LABELS}? Answer with the label alone.\n\nText: {TEXT}\n\nLabel:"


class Config(BaseModel):
    """Where it is asked, how, and within which bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str = Field("", description="base address, such as http://127.0.0.1:8000/v1")
    model: str = Field("", description="its name there")
    api: Api = Field("chat", description="chat: /chat/completions, completions: /completions")
    prompt: str = Field(PROMPT, description=f"what is asked; {TEXT} stands for the text, {LABELS} for the labels")
    key_variable: str = Field(
        "",
        description="NAME of the environment variable that holds the key, which ends in API_KEY; none: no key",
    )
    timeout: float = Field(10.0, gt=0, le=600, description="for an answer, seconds")
    at_once: int = Field(4, ge=1, le=64, description="requests side by side")
    retries: int = Field(1, ge=0, le=10, description="further attempts where it does not answer")
    most_tokens: int = Field(16, ge=1, le=1024, description="tokens of an answer")
    logprobs: bool = Field(True, description="ask for log-probabilities of its first token; off for a server that refuses them")
    longest: int = Field(4000, ge=1, description="characters of a text that are sent, the first ones")
    shown: int = Field(100, ge=1, description="train items that it is asked about, to count what its answers are worth")
    checked: int = Field(100, ge=0, description="validation items that its loss is measured on")

    @model_validator(mode="after")
    def _safe(self) -> Config:
        """On the whole, so that the message of an error does not repeat what may be a secret."""
        if self.key_variable and not KEY_NAME.fullmatch(self.key_variable):
            raise ValueError("key_variable has to be the NAME of an environment variable that ends in API_KEY, never the key")
        if TEXT not in self.prompt:
            raise ValueError(f"prompt has to say where the text stands: {TEXT}")
        if self.url:
            _check_address(self.url, bool(self.key_variable))
        return self


def _check_address(url: str, keyed: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        assert parts.port is None or parts.port > 0
    except (ValueError, AssertionError) as error:
        raise ValueError("url is no address: write it like http://127.0.0.1:8000/v1") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("url has to begin with http:// or https:// and a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("url holds a user or a query, where secrets stand: name the key's variable as key_variable")
    if keyed and parts.scheme == "http" and not _is_here(host):
        raise ValueError("url: a key goes to another machine by https:// alone")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


SIZES = {size: Config() for size in ("debug", "small", "base", "large")}  # nothing of it has a size


class Endpoint(OutsideClassifier):
    """Asks for each text and reads the label out of the answer."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(shape, f"{config.url} model {config.model}", config.shown, config.checked)
        self.config = config
        self.client = Client(
            url=config.url,
            model=config.model,
            api=config.api,
            key_variable=config.key_variable,
            timeout=config.timeout,
            at_once=config.at_once,
            retries=config.retries,
            most_tokens=config.most_tokens,
            logprobs=config.logprobs,
        )

    def ask(self, contents: Sequence[str]) -> list[Said]:
        return [self._meant(answer) for answer in self.client.ask([self._prompt(text) for text in contents])]

    def _prompt(self, text: str) -> str:
        filled = {LABELS: ", ".join(self.labels), TEXT: text[: self.config.longest]}  # in one go: a text may hold `{labels}`
        return re.sub(r"\{(?:text|labels)\}", lambda match: filled[match[0]], self.config.prompt)

    def _meant(self, answer: Answer | Unreachable) -> Said:
        if isinstance(answer, Unreachable):
            return answer
        if (shares := from_tokens(answer.tokens, self.labels)) is not None:
            return shares
        label = label_in(answer.text, self.labels)
        return Unreachable("its answer names none of the labels, or several") if label is None else label


def build(config: Config, shape: Shape) -> Endpoint:
    """Nothing is asked yet."""
    if not config.url or not config.model:
        raise BadInput("family endpoint needs the settings url and model, such as {url: http://127.0.0.1:8000/v1, model: NAME}")
    if shape.task != "classify":
        raise BadInput(f"family endpoint classifies texts, and is asked to {shape.task} here; choose another family")
    return Endpoint(config, shape)

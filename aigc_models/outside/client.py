"""Prompts to a server that speaks OpenAI's dialect: each gets an answer or the reason why there is none.

Bounded in time, in bytes and in how many are asked at once; a redirect is not followed. A server that fails several times in
a row is left alone for a while, so that one that is down costs seconds and not seconds a prompt. Prompts and answers stand
in no message.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aigc_models.errors import Unreachable

if TYPE_CHECKING:
    import httpx

Api = Literal["chat", "completions"]
PATHS: dict[Api, str] = {"chat": "chat/completions", "completions": "completions"}
LARGEST = 2**20  # bytes of an answer
IN_A_ROW, REST = 3, 30.0  # failures after which it is left alone, and for how many seconds
PAUSE = 0.2  # seconds before another attempt, doubled each time
BUSY = frozenset({408, 425, 429})  # statuses after which another attempt may be answered, beside those of 500 and above
LIKELIEST = {"chat": 20, "completions": 5}  # tokens whose log-probabilities are asked for: as many as OpenAI's server gives

# What was answered already, by (server, prompt), within `remembered`.
MEMORY: ContextVar[dict[tuple[str, str], Answer] | None] = ContextVar("MEMORY", default=None)


@contextmanager
def remembered() -> Iterator[None]:
    """Within the block the same server is asked the same once; what got no answer is asked again."""
    token = MEMORY.set({})
    try:
        yield
    finally:
        MEMORY.reset(token)


class Answer(NamedTuple):
    """What was said, and the log-probabilities (nats) of what its first token could have been; empty where none are given."""

    text: str
    tokens: Mapping[str, float]


class Refused(Unreachable):
    """The server says no: to the key, to the model's name or to the question."""


@dataclass
class Client:
    """One model of one server; `url` is its base, such as http://127.0.0.1:8000/v1."""

    url: str
    model: str
    api: Api = "chat"
    key_variable: str = ""  # the name of the environment variable that holds the key; it is read at each question
    timeout: float = 10.0  # seconds for an answer
    at_once: int = 4
    retries: int = 1
    most_tokens: int = 16
    logprobs: bool = True
    _failures: int = field(default=0, init=False)
    _rests_until: float = field(default=0.0, init=False)
    _last: str = field(default="", init=False)

    def ask(self, prompts: Sequence[str]) -> list[Answer | Unreachable]:
        """An answer for each, or why there is none; the same prompt is sent once."""
        memory = MEMORY.get()
        server = f"{self.url} {self.api} {self.model}"
        kept = {one: memory[server, one] for one in prompts if (server, one) in memory} if memory is not None else {}
        wanted = [one for one in dict.fromkeys(prompts) if one not in kept]
        with ThreadPoolExecutor(min(self.at_once, len(wanted)) or 1) as threads:
            given = dict(zip(wanted, threads.map(self._one, wanted), strict=True))
        if memory is not None:
            memory.update({(server, one): answer for one, answer in given.items() if isinstance(answer, Answer)})
        return [kept[one] if one in kept else given[one] for one in prompts]

    def _one(self, prompt: str) -> Answer | Unreachable:
        last = Unreachable("it was not asked")
        for attempt in range(self.retries + 1):
            if time.monotonic() < self._rests_until:
                resting = Unreachable(
                    f"it failed {IN_A_ROW} times in a row and is left alone for {REST:g} s; last: {self._last}"
                )
                return last if attempt else resting
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                answer = self._sent(prompt)
            except Refused as error:
                return error
            except Unreachable as error:
                last = error
                self._failed(str(error))
            else:
                self._failures = 0
                return answer
        return last

    def _failed(self, reason: str) -> None:
        self._failures, self._last = self._failures + 1, reason
        if self._failures >= IN_A_ROW:
            self._failures, self._rests_until = 0, time.monotonic() + REST

    def _sent(self, prompt: str) -> Answer:
        """Raises `Unreachable`, and `Refused` where another attempt would be refused too."""
        import httpx

        headers, address = self._headers(), f"{self.url.rstrip('/')}/{PATHS[self.api]}"
        ends = time.monotonic() + self.timeout
        try:
            with self._http.stream("POST", address, json=self._body(prompt), headers=headers) as response:
                _check(response)
                payload = bytearray()
                for chunk in response.iter_bytes(65_536):
                    payload += chunk
                    if len(payload) > LARGEST:
                        raise Unreachable(f"its answer has more than {LARGEST:,} bytes")
                    if time.monotonic() > ends:
                        raise Unreachable(f"it did not answer within {self.timeout:g} s")
        except httpx.TimeoutException as error:
            raise Unreachable(f"it did not answer within {self.timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"it cannot be reached: {error or type(error).__name__}") from error
        return read(bytes(payload), self.api)

    def _headers(self) -> dict[str, str]:
        if not self.key_variable:
            return {}
        key = os.environ.get(self.key_variable, "")
        if not key or not key.isascii() or not key.isprintable():
            raise Refused(f"the environment variable {self.key_variable} holds no key")
        return {"Authorization": f"Bearer {key}"}

    def _body(self, prompt: str) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "temperature": 0, "max_tokens": self.most_tokens}
        if self.api == "chat":
            body["messages"] = [{"role": "user", "content": prompt}]
            return body | ({"logprobs": True, "top_logprobs": LIKELIEST["chat"]} if self.logprobs else {})
        return body | {"prompt": prompt} | ({"logprobs": LIKELIEST["completions"]} if self.logprobs else {})

    @cached_property
    def _http(self) -> httpx.Client:
        import httpx

        return httpx.Client(follow_redirects=False, timeout=self.timeout)


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if response.is_success:
        return
    said = f"it answers {status} {response.reason_phrase}".strip()
    if response.is_redirect:
        raise Refused(f"{said}, and a redirect is not followed: name the address that it leads to")
    if response.is_server_error or status in BUSY:
        raise Unreachable(said)
    raise Refused(f"{said}: check the address, the model's name and the key")


def read(payload: bytes, api: Api) -> Answer:
    """The answer in the body of a response; raises `Unreachable` where it is not what the dialect has there."""
    try:
        choice = json.loads(payload)["choices"][0]
        text = choice["text"] if api == "completions" else choice["message"]["content"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unreachable(f"what it answers is no {PATHS[api]} in OpenAI's form") from error
    try:
        return Answer(text, _tokens(choice["logprobs"], api))
    except (LookupError, TypeError, ValueError, AttributeError):  # they are extra
        return Answer(text, {})


def _tokens(logprobs: Any, api: Api) -> dict[str, float]:
    """Of the first token that is not blank."""
    if api == "chat":
        place = next(one for one in [*logprobs["content"], {}] if not one or one["token"].strip())
        return {str(one["token"]): float(one["logprob"]) for one in place.get("top_logprobs", ())}
    at = next((at for at, token in enumerate(logprobs["tokens"]) if token.strip()), 0)
    return {str(token): float(logprob) for token, logprob in logprobs["top_logprobs"][at].items()}

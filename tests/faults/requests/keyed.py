# ruff: noqa: E501
"""Requests to a server that asks for keys: none, wrong ones, and good ones for something else.

`{good}`, `{promote}`, `{admin}`, `{revoked}`, `{slow}` stand for keys.
"""

from attack import Attack

TEXT, GOOD = "/v1/completions", {"model": "letters", "max_tokens": 2}


def key(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


ATTACKS = [
    Attack("no key", TEXT, GOOD, 401, "a key is needed"),
    Attack("no key, models", "/v1/models", None, 401, "a key is needed", method="GET"),
    Attack("no key, a model that is not there", "/v1/models/x", None, 401, "a key is needed", method="GET"),
    Attack("no key, a path that is not there", "/v2/x", None, 401, "a key is needed", method="GET"),
    Attack("no key, figures", "/metrics", None, 401, "a key is needed", method="GET"),
    Attack("no key, a champion", "/v1/models/letters/champion", {"version": 1}, 401, "a key is needed"),
    Attack("no key, another way to write a path", "/V1/completions", GOOD, 401, "a key is needed"),
    Attack("no key, a path that looks open", "/healthz/../v1/models", None, 401, "", method="GET"),
    Attack("no key, an open path in front", "/docs/v1/models", None, 401, "", method="GET"),
    Attack("an empty key", TEXT, GOOD, 401, "", headers=key("")),
    Attack("a wrong key", TEXT, GOOD, 401, "", headers=key("aigc-00000000-" + "a" * 43)),
    Attack("a key without its secret", TEXT, GOOD, 401, "", headers=key("aigc-{id}-")),
    Attack("a key with another secret", TEXT, GOOD, 401, "", headers=key("aigc-{id}-" + "a" * 43)),
    Attack("a key and more", TEXT, GOOD, 401, "", headers=key("{good}a")),
    Attack("a key in capitals", TEXT, GOOD, 401, "", headers=key("{GOOD}")),
    Attack("the digest of a key", TEXT, GOOD, 401, "", headers=key("{sha256}")),
    Attack("a key of a megabyte", TEXT, GOOD, 401, "", headers=key("a" * 30_000)),
    Attack("a key that is no ASCII", TEXT, GOOD, 401, "", headers=key("aigc-\xff-\xfe")),
    Attack("a key by another scheme", TEXT, GOOD, 401, "", headers={"Authorization": "Basic {good}"}),
    Attack("a key in the query", "/v1/models?api_key={good}", None, 401, "", method="GET"),
    Attack("a key that was taken back", TEXT, GOOD, 401, "", headers=key("{revoked}")),
    Attack("a key to promote, for texts", TEXT, GOOD, 403, "is for promote; this needs generate", headers=key("{promote}")),
    Attack("a key for texts, for figures", "/metrics", None, 403, "this needs admin", method="GET", headers=key("{good}")),
    Attack("a key for texts, for a champion", "/v1/models/letters/champion", {"version": 1}, 403, "this needs promote", headers=key("{good}")),
    Attack("a key to promote, what is not served", "/v1/models/other/champion", {"version": 1}, 404, "not served", headers=key("{promote}")),
    Attack("a key to promote, no version", "/v1/models/letters/champion", {"version": "1; drop"}, 400, "version", headers=key("{promote}")),
    Attack("a good key", TEXT, GOOD, 200, headers=key("{good}")),
    Attack("a good key by a scheme in capitals", TEXT, GOOD, 200, headers={"Authorization": "BEARER {good}"}),
    Attack("a key for all, for figures", "/metrics", None, 200, method="GET", headers=key("{admin}")),
    Attack("life without a key", "/healthz", None, 200, method="GET"),
    Attack("a key that may ask once a minute", TEXT, GOOD, 200, headers=key("{slow}")),
    Attack("the same again", TEXT, GOOD, 429, "more than 1 requests in a minute", headers=key("{slow}")),
]  # fmt: skip

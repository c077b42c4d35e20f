# ruff: noqa: E501
"""Fields whose values are none, or mean harm where they are shown, logged or put into a header."""

from attack import Attack

TEXT, GENERATE, CHAT, PICTURES = "/v1/completions", "/v1/generate", "/v1/chat/completions", "/v1/images/generations"
HALF = b'"\\ud800"'  # of a surrogate pair
MESSAGES = [{"role": "user", "content": "a"}]


def raw(text: bytes) -> bytes:
    """A body that `json.dumps` would not write."""
    return b'{"model": "letters", "max_tokens": 2, ' + text + b"}"


ATTACKS = [
    Attack("half a character as a prompt", TEXT, raw(b'"prompt": ' + HALF), 400, "prompt: half of a surrogate pair"),
    Attack("half a character in a list", TEXT, raw(b'"prompt": ["a", ' + HALF + b"]"), 400, "prompt[1]: half"),
    Attack("half a character as a stop", TEXT, raw(b'"stop": ' + HALF), 400, "stop: half"),
    Attack("half a character as a label", TEXT, raw(b'"label": ' + HALF), 400, "label: half"),
    Attack("half a character as a name", TEXT, raw(HALF + b": 1"), 400, "half"),
    Attack("half a character as a user", TEXT, raw(b'"user": ' + HALF), 400, "user: half"),
    Attack("the other half", TEXT, raw(b'"prompt": "\\uDFFF"'), 400, "half"),
    Attack("halves in the wrong order", TEXT, raw(b'"prompt": "\\udc00\\ud800"'), 400, "half"),
    Attack("half a character as a model", TEXT, b'{"model": ' + HALF + b"}", 400, "model: half"),
    Attack("half a character as a size", PICTURES, b'{"model": "paint", "size": ' + HALF + b"}", 400, "size: half"),
    Attack("half a character as a format", GENERATE, b'{"model": "jigs", "format": ' + HALF + b"}", 400, "format: half"),
    Attack("half a character as a voice", "/v1/audio/speech", b'{"model": "tones", "voice": ' + HALF + b"}", 400, "voice: half"),
    Attack("half a character in a regex", GENERATE, b'{"model": "letters", "sampling": {"regex": ' + HALF + b"}}", 400, "half"),
    Attack("half a character to classify", "/v1/classify", b'{"model": "mind", "input": [' + HALF + b"]}", 400, "input[0]: half"),
    Attack("a whole pair", TEXT, raw(b'"prompt": "\\ud83d\\ude00"'), 200),
    Attack("Infinity", TEXT, raw(b'"temperature": Infinity'), 400, "Infinity is no number"),
    Attack("minus Infinity", TEXT, raw(b'"logit_bias": {"1": -Infinity}'), 400, "-Infinity is no number"),
    Attack("NaN", TEXT, raw(b'"temperature": NaN'), 400, "NaN is no number"),
    Attack("a number that is infinite", TEXT, raw(b'"temperature": 1e999'), 400, "1e999 is no number"),
    Attack("a seed of 5,000 digits", TEXT, raw(b'"seed": ' + b"9" * 5000), 400, "no JSON"),
    Attack("a seed of 400 digits", TEXT, raw(b'"seed": ' + b"9" * 400), 400, "seed"),
    Attack("a seed of 2^53", TEXT, {"model": "letters", "seed": 2**53}, 400, "seed"),
    Attack("a seed of 1.5", TEXT, {"model": "letters", "seed": 1.5}, 400, "seed"),
    Attack("a seed in quotes", TEXT, {"model": "letters", "seed": "1"}, 400, "seed"),
    Attack("Infinity in quotes", GENERATE, {"model": "letters", "sampling": {"temperature": "Infinity"}}, 400, "temperature"),
    Attack("nan in quotes", GENERATE, {"model": "paint", "sampling": {"temperature": "nan"}}, 400, "temperature"),
    Attack("Infinity in a sampling", GENERATE, b'{"model": "paint", "sampling": {"guidance": Infinity}}', 400, "no number"),
    Attack("Infinity in a schema", TEXT, raw(b'"structured_outputs": {"json": {"const": Infinity}}'), 400, "no number"),
    Attack("true for a number", TEXT, {"model": "letters", "max_tokens": True}, 400, "max_tokens"),
    Attack("true for a temperature", TEXT, {"model": "letters", "temperature": True}, 400, "temperature"),
    Attack("true for n", TEXT, {"model": "letters", "n": True}, 400, "n: "),
    Attack("true for count", GENERATE, {"model": "paint", "count": True}, 400, "count"),
    Attack("true for a speed", "/v1/audio/speech", {"model": "tones", "speed": True}, 400, "speed"),
    Attack("true for a steps", GENERATE, {"model": "paint", "sampling": {"steps": True}}, 400, "sampling"),
    Attack("1 for true", TEXT, {"model": "letters", "stream": 1}, 400, "stream"),
    Attack("a whole number as 4.0", TEXT, raw(b'"seed": 4.0'), 200),
    Attack("null for a number", TEXT, {"model": "letters", "max_tokens": None}, 400, "max_tokens"),
    Attack("a list for a number", TEXT, {"model": "letters", "max_tokens": [1]}, 400, "max_tokens"),
    Attack("a mapping for a text", TEXT, {"model": "letters", "prompt": {"$ne": ""}}, 400, "prompt"),
    Attack("a list in a list", TEXT, {"model": "letters", "prompt": [["a"]]}, 400, "prompt"),
    Attack("a body that is a list", TEXT, [{"model": "letters"}], 400, ""),
    Attack("a body that is a text", TEXT, "letters", 400, ""),
    Attack("a body that is null", TEXT, b"null", 400, ""),
    Attack("an unknown field", TEXT, {"model": "letters", "__class__": "x"}, 400, "'__class__' is not supported"),
    Attack("a prototype", TEXT, {"model": "letters", "__proto__": {"admin": True}}, 400, "not supported"),
    Attack("a path as a model", TEXT, {"model": "../../etc/passwd"}, 404, "is not served here"),
    Attack("a registry's address as a model", TEXT, {"model": "models:/letters/1"}, 404, "is not served here"),
    Attack("a model of a megabyte", TEXT, {"model": "a" * 500_000}, 400, "model"),
    Attack("a label of a megabyte", TEXT, {"model": "letters", "label": "a" * 500_000}, 400, "label"),
    Attack("a voice of a megabyte", "/v1/audio/speech", {"model": "tones", "voice": "a" * 500_000}, 400, "voice"),
    Attack("a user of a megabyte", TEXT, {"model": "letters", "user": "a" * 500_000}, 400, "user"),
    Attack("lines in a model", TEXT, {"model": "x\r\nX-Admin: 1"}, 404, "is not served here"),
    Attack("lines in a label", "/v1/audio/speech", {"model": "tones", "input": "low\r\nSet-Cookie: a=b"}, 400, "unknown label"),
    Attack("lines in a format", GENERATE, {"model": "jigs", "format": "wav\r\nX-Admin: 1"}, 400, "format"),
    Attack("a script as a label", PICTURES, {"model": "paint", "prompt": "<script>alert(1)</script>"}, 400, "unknown label"),
    Attack("a template as a label", PICTURES, {"model": "paint", "prompt": "{{7*7}}${7*7}"}, 400, "unknown label"),
    Attack("SQL as a label", PICTURES, {"model": "paint", "prompt": "'; DROP TABLE models; --"}, 400, "unknown label"),
    Attack("zero bytes", TEXT, {"model": "letters", "prompt": "\0\0\0", "max_tokens": 2}, 200),
    Attack("marks of direction", TEXT, {"model": "letters", "prompt": "\u202e\u2066abc", "max_tokens": 2}, 200),
    Attack("a path as a format", GENERATE, {"model": "jigs", "format": "../../x"}, 400, "format"),
    Attack("a size of another", PICTURES, {"model": "paint", "size": "99999x99999"}, 400, "size"),
    Attack("a URL as a picture", "/v1/classify", {"model": "paint", "input": "http://127.0.0.1:1/x.png"}, 400, "no base64"),
    Attack("a file as a picture", "/v1/classify", {"model": "paint", "input": "file:///etc/passwd"}, 400, "no base64"),
    Attack("a file as a series", "/v1/forecast", {"model": "waves", "past": "/etc/passwd"}, 400, "past[0]"),
    Attack("channels of different lengths", "/v1/forecast", {"model": "waves", "past": {"values": {"height": [1], "b": []}}}, 400, "length"),
    Attack("a formula as a channel", "/v1/forecast", {"model": "waves", "past": {"values": {"=1+1": [1, 2, 3]}}}, 400, "past"),
    Attack("levels out of order", "/v1/forecast", {"model": "waves", "levels": [0.9, 0.1]}, 400, "levels"),
    Attack("a level of 1", "/v1/forecast", {"model": "waves", "levels": [1]}, 400, "levels"),
    Attack("values too large for a float", "/v1/forecast", {"model": "waves", "past": {"values": {"height": [1e308] * 40}}}, 400, "past"),
    Attack("an empty list of messages", CHAT, {"model": "letters", "messages": []}, 400, "messages"),
    Attack("a message without a role", CHAT, {"model": "letters", "messages": [{"content": "a"}]}, 400, "role"),
    Attack("a picture in a chat", CHAT, {"model": "letters", "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/"}}]}]}, 400, "messages"),
    Attack("tools in a chat", CHAT, {"model": "letters", "messages": MESSAGES, "tools": []}, 400, "'tools' is not supported"),
    Attack("a deadline of nothing", TEXT, {"model": "letters", "deadline": 0}, 400, "deadline"),
    Attack("a deadline of a microsecond", TEXT, {"model": "letters", "deadline": 1e-6}, 504, "deadline"),
]  # fmt: skip

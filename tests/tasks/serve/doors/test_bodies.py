import pytest

from tasks.serve.doors.bodies import NoJson, parsed


def test_json_as_it_is():
    body = '{"a": [1, 2.5, -3e2, "é\\ud83d\\ude00", null, true], "b": {}}'.encode()
    assert parsed(body) == {"a": [1, 2.5, -300, "é\U0001f600", None, True], "b": {}}


def test_a_whole_number_is_one_however_it_is_written():
    assert [type(number) for number in parsed(b"[4.0, 1e3, 4.5, 1e300, 9007199254740992.0]")] == [int, int, float, float, float]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xff", "the body is no UTF-8: byte 0 of 1"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e400}', "1e400 is no number"),
        (b'{"a": ' + b"1" * 5000 + b"}", "the body is no JSON"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b'{"a": {"b": ["x", "\\uDC00"]}}', r"a\.b\[1\]: half of a surrogate pair"),
        (b'{"a": {"\\ud800": 1}}', "a: half of a surrogate pair"),
        (b'"\\ud800"', "the body: half of a surrogate pair"),
        (b"{'a': 1}", "the body is no JSON"),
    ],
)
def test_what_is_none(body, message):
    with pytest.raises(NoJson) as raised:
        parsed(body)
    assert raised.match(message) if not message.startswith("the body is n") else raised.value.detail.startswith(message)
    assert raised.value.status_code == 400


def test_half_a_character_deep_inside():
    body = b'{"a":' * 900 + b'"\\ud800"' + b"}" * 900
    with pytest.raises(NoJson, match="half of a surrogate pair"):
        parsed(body)

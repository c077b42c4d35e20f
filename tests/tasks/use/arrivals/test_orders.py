import json

import pytest

from tasks.use.arrivals.orders import Order, Problem, orders


def read(text, name="a.jsonl", modality="image"):
    return orders(text.encode(), name, modality)


def test_a_line_of_text_is_a_prompt_of_a_model_of_texts_and_else_a_label():
    assert read("Once upon\n\n  a time\n", "a.txt", "text") == [(1, Order(prompt="Once upon")), (3, Order(prompt="  a time"))]
    assert read("7\r\n 3\n", "a.txt") == [(1, Order(label="7")), (2, Order(label="3"))]


def test_objects_and_plain_strings_in_json_lines():
    rows = read('{"label": 7, "count": 3, "seed": 5}\n"cat"\n\n{"sampling": {"temperature": 0.5}}\n')
    assert rows == [
        (1, Order(label="7", count=3, seed=5)),
        (2, Order(label="cat")),
        (4, Order(sampling={"temperature": 0.5})),
    ]


def test_a_json_file_holds_an_object_or_a_list():
    assert read('{"label": "7"}', "a.json") == [(1, Order(label="7"))]
    assert [number for number, _ in read('["7", {"count": 2}]', "A.JSON")] == [1, 2]


@pytest.mark.parametrize(
    ("text", "row", "field", "message"),
    [
        ('{"label": "7"}\n{"count": 0}', 2, "count", "greater than or equal to 1"),
        ('{"count": "many"}', 1, "count", "whole number"),
        ('{"seed": -1}', 1, "seed", "greater than or equal to 0"),
        ('{"lable": "7"}', 1, "lable", "unknown; known: label, prompt, count, seed, sampling"),
        ('{"sampling": {"temperature": "hot"}}', 1, "sampling.temperature", "number"),
        ('{"label": true}', 1, "label", "needs a text"),
        ("[1, 2]", 1, "", "a string or an object"),
        ('\n{"label": ', 2, "", "not JSON"),
        ('{"prompt": "\\ud800"}', 1, "prompt", "unicode"),
    ],
)
def test_a_bad_row_names_file_row_and_field(text, row, field, message):
    number, problem = read(text, "wishes.jsonl")[-1]
    assert isinstance(problem, Problem)
    assert (problem.file, problem.row, problem.field, number) == ("wishes.jsonl", row, field, row)
    assert message.lower() in problem.message.lower()


@pytest.mark.parametrize(
    ("payload", "name", "message"),
    [
        (b"", "a.txt", "empty"),
        (b" \n\n", "a.jsonl", "empty"),
        (b"", "a.json", "empty"),
        (b"ok\n\xff\xfe", "a.txt", "not UTF-8 at byte 3"),
        (b"\x89PNG", "a.png", "only .txt, .jsonl and .json are answered"),
        (b"[" * 100_000, "a.json", "not JSON"),
        (b"{", "a.json", "not JSON"),
    ],
)
def test_a_file_that_cannot_be_read(payload, name, message):
    ((_, problem),) = orders(payload, name, "image")
    assert isinstance(problem, Problem)
    assert message in problem.message


def test_a_csv_is_named_where_the_model_forecasts():
    assert ".csv" in orders(b"", "a.bin", "series")[0][1].message


def test_a_byte_order_mark_is_no_part_of_the_first_row():
    assert orders(b"\xef\xbb\xbf" + json.dumps({"label": "7"}).encode(), "a.json", "image") == [(1, Order(label="7"))]

import logging

import pytest

from tasks.stage.addresses import clean, clean_errors, clean_logs, holds_secret, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:s3cret@mlflow:5000/#/runs/1", "http://mlflow:5000/#/runs/1"),
        ("https://ghp_0123@example.org", "https://example.org"),
        ("postgresql+psycopg://me:p%40ss@db/shop?sslmode=require", "postgresql+psycopg://db/shop?sslmode=require"),
        ("postgresql://me:pa/s@s@db/shop", "postgresql://db/shop"),
        ("http://me:pa@ss@host/a", "http://host/a"),
        ("https://s3/a?X-Amz-Credential=AKIA%2F1&b=2&X-Amz-Signature=0f", "https://s3/a?X-Amz-Credential=***&b=2&X-Amz-Signature=***"),
        ("https://blob/a?sv=2024&sig=abc%3D", "https://blob/a?sv=2024&sig=***"),
        ("Max retries exceeded with url: /a.csv?token=abc (Caused", "Max retries exceeded with url: /a.csv?token=*** (Caused"),
        ('{"a":"http://a:b@h","c":"http://d:e@i"}', '{"a":"http://h","c":"http://i"}'),
        ("https://proxy/?to=http://me:pw@inner/a", "https://proxy/?to=http://inner/a"),
        ("https://example.org/a.csv?token=${TOKEN}&v=1", "https://example.org/a.csv?token=${TOKEN}&v=1"),
        ("https://registry/@scope/package, a@b.c and 3 = 4", "https://registry/@scope/package, a@b.c and 3 = 4"),
        ("http://host:port/", "http://host:port/"),
    ],
)  # fmt: skip
def test_users_passwords_and_keys_are_cut_and_nothing_else(text, shown):
    assert without_secrets(text) == shown


def test_a_long_text_takes_no_longer_for_its_length():
    assert without_secrets("a" * 300_000 + "://" + "b" * 300_000).endswith("b")


def test_a_user_alone_is_no_secret():
    assert not holds_secret("ssh://git@host/a")
    assert not holds_secret("/folder")
    assert holds_secret("ssh://git:pw@host/a")
    assert holds_secret("https://host/a?sig=abc")


def test_an_error_stays_itself_and_loses_its_secrets_and_those_of_its_causes():
    class Refused(Exception):
        def __init__(self, message, number):
            super().__init__(message, number)
            self.message = message

    @clean_errors()
    def fail():
        try:
            raise ValueError("http://me:s3cret@host")
        except ValueError as cause:
            raise Refused("no answer from http://me:s3cret@host/api", 7) from cause

    with pytest.raises(Refused) as caught:
        fail()
    error = caught.value
    assert error.args == ("no answer from http://host/api", 7)
    assert error.message == "no answer from http://host/api"
    assert str(error.__cause__) == "http://host"


def test_errors_that_lead_to_each_other_end():
    first, second = ValueError("http://a:b@c"), ValueError("fine")
    first.__context__, second.__context__ = second, first
    clean(second)
    assert str(first) == "http://c"


def test_no_log_holds_a_secret(caplog):
    before, address = logging.getLogRecordFactory(), "http://me:s3cret@host"
    try:
        clean_logs()
        clean_logs()
        try:
            raise ValueError(address)
        except ValueError:
            logging.getLogger("anyone").warning("%s, %d and %s", address, 7, "plain", exc_info=True)
            logging.getLogger("anyone").warning(f"{address} is gone")
    finally:
        logging.setLogRecordFactory(before)
    assert "http://host, 7 and plain" in caplog.text
    assert "s3cret" not in caplog.text

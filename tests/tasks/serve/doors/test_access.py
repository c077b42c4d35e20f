import httpx
import pytest

from tasks.serve.app import create_app
from tasks.serve.doors.access import scope_of
from tasks.serve.doors.keys import Keyring, add, path_of, revoke
from tasks.serve.doors.limits import Limits
from tasks.stage.settings import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path).create()


@pytest.fixture
def opened(serving, workspace):
    """A server without models whose keys are those of `workspace`."""

    def enter(**options):
        return serving(create_app({}, keyring=Keyring(path_of(workspace)), **options))

    return enter


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/", None),
        ("/healthz", None),
        ("/openapi.json", None),
        ("/healthz/", "generate"),
        ("/v1/models", "generate"),
        ("/v1/anything", "generate"),
        ("/metrics", "admin"),
        ("/v1/models/a/champion", "promote"),
        ("/v1/models/a/b/champion", "generate"),
    ],
)
def test_what_a_path_needs(path, scope):
    assert scope_of(path) == scope


def test_a_server_asks_for_a_key_from_the_first_one_on(opened, workspace):
    with opened() as address:
        assert httpx.get(f"{address}/v1/models").status_code == 200
        _, text = add(workspace, "shop")
        refused = httpx.get(f"{address}/v1/models")
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "invalid_api_key"
        assert httpx.get(f"{address}/v1/models", headers=bearer(text)).status_code == 200
        revoke(workspace, "shop")
        assert httpx.get(f"{address}/v1/models", headers=bearer(text)).status_code == 401
        path_of(workspace).write_text("[")
        assert "key" in httpx.get(f"{address}/openapi.json").json()["components"]["securitySchemes"]
        assert httpx.get(f"{address}/v1/models", headers=bearer(text)).status_code == 503
        assert httpx.get(f"{address}/healthz").status_code == 200


def test_rates_are_those_of_keys_or_of_the_server(opened, workspace):
    _, slow = add(workspace, "slow", rate=2)
    _, quick = add(workspace, "quick")
    with opened(limits=Limits(rate=4)) as address:

        def statuses(text, count):
            return [httpx.get(f"{address}/v1/models", headers=bearer(text)).status_code for _ in range(count)]

        assert statuses(slow, 3) == [200, 200, 429]
        assert statuses(quick, 5) == [200, 200, 200, 200, 429]
        refused = httpx.get(f"{address}/v1/models", headers=bearer(slow))
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert httpx.get(f"{address}/healthz").status_code == 200  # a probe is not counted


def test_rates_without_keys_are_those_of_an_address(serving):
    with serving(create_app({}, Limits(rate=2))) as address:
        spoofed = [{"X-Forwarded-For": f"10.0.0.{at}"} for at in range(3)]
        assert [httpx.get(f"{address}/v1/models", headers=each).status_code for each in spoofed] == [200, 200, 429]


def test_hosts(serving):
    with serving(create_app({}, hosts=("shop.example",))) as address:
        for host, status in (("shop.example", 200), ("SHOP.example:80", 200), ("127.0.0.1", 421), ("shop.example.org", 421)):
            answer = httpx.get(f"{address}/v1/models", headers={"Host": host})
            assert answer.status_code == status
    with serving(create_app({}, hosts=("*",))) as address:
        assert httpx.get(f"{address}/v1/models", headers={"Host": "any.example"}).status_code == 200

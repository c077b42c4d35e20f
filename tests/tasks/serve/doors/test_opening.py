import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aigc_models.errors import BadInput
from tasks.serve.app import create_app
from tasks.serve.doors.keys import add, revoke
from tasks.serve.doors.opening import Doors, limits_of, tls_of
from tasks.serve.run import configured, listen
from tasks.stage.settings import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path).create()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "server.example", "fe80::1%eth0"])
def test_nobody_listens_beyond_the_machine_without_a_key(workspace, host):
    with pytest.raises(BadInput, match="make a key first: `aigc keys add NAME`, or say --without-keys"):
        Doors.of(workspace, host)
    assert Doors.of(workspace, host, without_keys=True).options["keyring"] is None
    add(workspace, "shop")
    assert Doors.of(workspace, host).options["keyring"].keys
    revoke(workspace, "shop")
    with pytest.raises(BadInput, match="make a key first"):
        Doors.of(workspace, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost", "LOCALHOST"])
def test_on_the_machine_itself_no_key_is_needed(workspace, host):
    doors = Doors.of(workspace, host, hosts=("Shop.example",))
    assert doors.options["keyring"].keys == {}
    assert {"localhost", "127.0.0.1", "::1", host.lower(), "shop.example"} == set(doors.options["hosts"])


def test_beyond_it_any_host_may_be_named_unless_some_are(workspace):
    assert Doors.of(workspace, "0.0.0.0", without_keys=True).options["hosts"] == ("*",)
    assert "*" not in Doors.of(workspace, "0.0.0.0", hosts=("a.example",), without_keys=True).options["hosts"]


def test_limits_by_name():
    assert limits_of(["tokens=12", "header_seconds=0.5"]).model_dump(include={"tokens", "header_seconds", "rate"}) == {
        "tokens": 12,
        "header_seconds": 0.5,
        "rate": 0,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("token=1", "unknown limit 'token'; did you mean 'tokens'"),
        ("tokens", "--limit tokens: write name=value"),
        ("tokens=many", "--limit: tokens: needs a whole number"),
        ("tokens=0", "--limit: tokens: "),
        ("cost=1000", "cost is 1000, more than room"),
    ],
)
def test_limits_that_are_none(given, message):
    with pytest.raises(BadInput, match=message):
        limits_of([given])


@pytest.fixture
def certificate(tmp_path):
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now, address = datetime.now(UTC), x509.IPAddress(ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    files, pem = (tmp_path / "cert.pem", tmp_path / "key.pem"), serialization.Encoding.PEM
    files[0].write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return files


def test_https(certificate):
    tls = tls_of(*certificate)
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(configured(create_app({}), tls))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        context = ssl.create_default_context(cafile=str(certificate[0]))
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert httpx.get(f"{address}/healthz", verify=context).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/healthz")
        server.should_exit = True
        thread.join()


def test_files_of_https_that_are_none(certificate, tmp_path):
    with pytest.raises(BadInput, match="https takes both --tls-cert and --tls-key"):
        tls_of(certificate[0], None)
    with pytest.raises(BadInput, match="no certificate and its key in PEM"):
        tls_of(certificate[1], certificate[0])
    with pytest.raises(BadInput, match="no certificate and its key in PEM"):
        tls_of(certificate[0], tmp_path / "missing.pem")
    assert tls_of(None, None) is None

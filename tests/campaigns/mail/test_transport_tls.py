"""The same dialogue through TLS, and what is said where TLS is not as it should be."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from campaigns.mail.transport import Connection, Pool, Unreachable
from tests.campaigns.conftest import use
from tests.campaigns.mail.test_transport_pool import Box, carry
from tests.standins.scripted_smtp import Server


def certificate(folder, days=1):
    """A server's certificate for localhost that nobody has to sign for, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"certificate-{days}.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file


def context(file):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made


@pytest.fixture(params=["starttls", "tls"])
def encrypted(request, settings, tmp_path, monkeypatch):
    """Makes a server that speaks TLS, and settings that lead to it."""
    servers = []

    def make(days=1, trusted=True):
        file = certificate(tmp_path, days)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        servers.append(Server(**{request.param: context(file)}))
        use(settings, servers[-1])
        settings.EMAIL_HOST = "localhost"
        settings.EMAIL_USE_TLS = request.param == "starttls"
        settings.EMAIL_USE_SSL = request.param == "tls"
        return servers[-1]

    yield make
    for server in servers:
        server.__exit__()


def test_many_and_large_messages_go_through_whole(encrypted):
    server = encrypted()
    pool = Pool(3)
    box = Box(60, size=200_000)
    try:
        carry(pool, box)
    finally:
        pool.close()
    assert len(box.keys("sent")) == 60
    assert sorted(server.taken) == sorted((mail.recipient, mail.body) for mail in box.all)
    assert server.connections > 1


def test_answers_that_came_in_one_record_are_all_heard(encrypted):
    encrypted().answer = lambda verb, who: "250-a\r\n" * 2000 + "250 end" if verb == "MAIL" else None
    pool = Pool(1)
    try:
        box = carry(pool, Box(5))
    finally:
        pool.close()
    assert len(box.keys("sent")) == 5


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"days": -1}, "certificate of the mail server localhost can't be trusted: certificate has expired"),
        ({"trusted": False}, "certificate of the mail server localhost can't be trusted"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(encrypted, server, said):
    encrypted(**server)
    with Connection() as connection, pytest.raises(Unreachable, match=said):
        connection.open()


def test_a_server_without_tls_gets_neither_password_nor_message(settings):
    with Server() as server, Connection() as connection:
        use(settings, server)
        settings.EMAIL_USE_TLS = True
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "hej", "secret"
        heard = []
        server.answer = lambda verb, argument: heard.append(verb)
        with pytest.raises(Unreachable, match="doesn't offer what EMAIL_URL asks for: STARTTLS"):
            connection.send("hej@realstars.example", "ann@mail.example", b"Subject: x\r\n\r\nHello")
    assert "AUTH" not in heard
    assert "MAIL" not in heard

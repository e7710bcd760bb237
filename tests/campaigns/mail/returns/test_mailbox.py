import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from campaigns.mail.returns import reports
from campaigns.mail.returns.applying import apply_owed
from campaigns.mail.returns.mailbox import KEYWORD, MailboxError, _quoted, fetch
from campaigns.models import ReturnedMessage
from tests.campaigns.mail.returns.conftest import bounced, make_delivery
from tests.standins.imap import Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(settings, request):
    with Mailbox(**getattr(request, "param", {})) as box:
        use(settings, box)
        yield box


def use(settings, box, **fields):
    settings.MAILBOX = {
        **{"host": "127.0.0.1", "port": box.port, "tls": False, "user": "u", "password": "open"},
        **{"folder": "INBOX", "done": "", **fields},
    }


def test_fetch_does_nothing_without_a_mailbox(settings):
    settings.MAILBOX = {}
    assert fetch() == {}


@pytest.mark.parametrize(("box", "mark"), [({}, KEYWORD), ({"keywords": False}, r"\Seen")], indirect=["box"])
def test_fetch_stores_then_marks_and_reads_nothing_twice(box, mark):
    delivery = make_delivery()
    box.add(bounced(delivery), b"Subject: another\n\nHej\n")
    assert fetch() == {"fetched": 2}
    assert box.flags == {1: {mark}, 2: {mark}}
    assert apply_owed()["bounced"] == 1
    assert fetch() == {"fetched": 0}
    assert box.fetched == 2


@pytest.mark.parametrize("box", [{"move": True}, {"move": False}], indirect=True)
def test_fetch_moves_what_it_has_stored_where_told(settings, box):
    use(settings, box, done="Läst & klart")
    box.add(b"Subject: one\n\nHej\n")
    assert fetch() == {"fetched": 1}
    assert box.messages == {}
    assert list(box.moved) == ['"L&AOQ-st &- klart"']


@pytest.mark.parametrize("word", ["FETCH", "STORE", "SEARCH"])
def test_fetch_cut_off_anywhere_loses_nothing_and_doubles_nothing(box, word):
    delivery = make_delivery()
    box.add(bounced(delivery))
    box.drop_after = word
    with pytest.raises(MailboxError, match="broke"):
        fetch()
    fetch()
    assert ReturnedMessage.objects.count() == 1
    assert apply_owed()["bounced"] == 1


def test_fetch_leaves_what_it_can_not_have_as_it_is(box):
    box.add(b"Subject: one\n\nHej\n", b"Subject: two\n\nHej\n")
    box.unreadable = {1}
    assert fetch() == {"fetched": 1}
    assert box.flags == {1: set(), 2: {KEYWORD}}
    box.unreadable = set()
    assert fetch() == {"fetched": 1}


def test_fetch_takes_a_part_of_huge_messages(box):
    box.add(b"Subject: huge\n\n" + b"x" * (2 * reports.MOST_BYTES))
    fetch()
    assert len(ReturnedMessage.objects.get().raw) == reports.MOST_BYTES


def test_fetch_says_what_is_wrong_in_plain_words(settings, box):
    use(settings, box, folder="Nothing")
    with pytest.raises(MailboxError, match="no folder Nothing"):
        fetch()
    use(settings, box, done="Nowhere")
    box.add(b"Subject: one\n\nHej\n")
    with pytest.raises(MailboxError, match="no folder Nowhere"):
        fetch()
    use(settings, box, password="wrong")
    with pytest.raises(MailboxError, match="user name or password"):
        fetch()
    use(settings, box, tls=True)
    with pytest.raises(MailboxError, match="TLS"):
        fetch()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings.MAILBOX = {**settings.MAILBOX, "port": nobody.getsockname()[1]}
        with pytest.raises(MailboxError, match="Nothing answers"):
            fetch()


@pytest.mark.parametrize(
    ("name", "written"), [("INBOX", '"INBOX"'), ('a"b\\', '"a\\"b\\\\"'), ("Å & Ö", '"&AMU- &- &ANY-"')]
)
def test_quoted_writes_a_folders_name_as_imap_does(name, written):
    assert _quoted(name) == written


@pytest.fixture
def certificate(tmp_path):
    """Of a server, signed by nobody but itself; the files of the certificate and its key."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    certificate = made.sign(key, None).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for file, content in (("cert", certificate), ("key", private)):
        (tmp_path / file).write_bytes(content)
    return tmp_path / "cert", tmp_path / "key"


def test_fetch_trusts_no_certificate_that_nobody_signed(settings, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            raw, _address = listener.accept()
            try:
                context.wrap_socket(raw, server_side=True).close()
            except OSError:
                raw.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        settings.MAILBOX = {
            **{
                "host": "127.0.0.1",
                "port": listener.getsockname()[1],
                "tls": True,
                "user": "u",
                "password": "secret",
            },
            **{"folder": "INBOX", "done": ""},
        }
        with pytest.raises(MailboxError, match="can't be trusted") as failure:
            fetch()
        thread.join(10)
    assert "secret" not in str(failure.value)

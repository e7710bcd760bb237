import pytest

from campaigns.mail.transport import Connection, InDoubt, Refused, Unreachable
from tests.campaigns.conftest import use
from tests.standins.scripted_smtp import Server


@pytest.fixture(params=[True, False], ids=["pipelined", "plain"])
def server(request, settings):
    with Server(pipelining=request.param) as server:
        use(settings, server)
        yield server


MESSAGE = b"Subject: x\r\n\r\nHello\r\n.\r\n..two\r\nend"


def send(connection, recipient="ann@mail.example"):
    connection.send("hej@realstars.example", recipient, MESSAGE)


def test_one_connection_carries_many_messages_unchanged(server):
    with Connection() as connection:
        for number in range(3):
            send(connection, f"ann{number}@mail.example")
    assert server.connections == 1
    assert server.taken[2] == ("ann2@mail.example", MESSAGE + b"\r\n")


@pytest.mark.parametrize("verb", ["RCPT", "DATA", "END"])
@pytest.mark.parametrize(("answer", "temporary"), [("450 later", True), ("550 no such user", False)])
def test_a_refusal_says_whether_it_is_for_good_and_harms_no_other(server, verb, answer, temporary):
    server.answer = lambda asked, recipient: answer if (asked, recipient) == (verb, "bad@mail.example") else None
    with Connection() as connection:
        with pytest.raises(Refused) as refused:
            send(connection, "bad@mail.example")
        send(connection, "good@mail.example")
    assert refused.value.temporary is temporary
    assert str(refused.value) == answer
    assert list(server.recipients) == ["good@mail.example"]
    assert server.connections == 1


def test_a_break_before_the_body_is_no_doubt(server):
    server.answer = lambda verb, argument: "drop" if verb == "DATA" else None
    with Connection() as connection, pytest.raises(Unreachable, match="closed the connection"):
        send(connection)
    assert server.taken == []


@pytest.mark.parametrize("drop", ["drop", "take and drop"])
def test_a_break_after_the_body_is_in_doubt(server, drop):
    server.answer = lambda verb, argument: drop if verb == "END" else None
    with Connection() as connection, pytest.raises(InDoubt):
        send(connection)


def test_a_kept_connection_that_was_closed_is_opened_again(server):
    seen = []

    def answer(verb, argument):
        seen.append(verb)
        return "421 enough for one connection" if seen.count("MAIL") == 2 and verb == "MAIL" else None

    server.answer = answer
    with Connection() as connection:
        send(connection, "a@mail.example")
        send(connection, "b@mail.example")
    assert server.connections == 2
    assert list(server.recipients) == ["a@mail.example", "b@mail.example"]


def test_a_server_that_closes_while_taking_over_is_talked_to_again_later(server):
    server.answer = lambda verb, who: "421 shutting down" if (verb, who) == ("END", "a@mail.example") else None
    with Connection() as connection:
        with pytest.raises(Refused) as refused:
            send(connection, "a@mail.example")
        send(connection, "b@mail.example")
    assert refused.value.temporary
    assert server.connections == 2


def test_a_refused_sender_is_our_trouble_not_the_persons(server):
    server.answer = lambda verb, argument: "550 who are you" if verb == "MAIL" else None
    with Connection() as connection, pytest.raises(Unreachable, match="sender's address: 550 who are you"):
        send(connection)


def test_a_stalling_server_is_given_up(server, settings):
    settings.EMAIL_TIMEOUT = 0.2
    server.delay = 2
    with Connection() as connection, pytest.raises(InDoubt):
        send(connection)


def test_an_address_outside_ascii_goes_where_the_server_can(server):
    with Connection() as connection:
        send(connection, "jörgen@mail.example")
    assert list(server.recipients) == ["jörgen@mail.example"]


def test_an_address_outside_ascii_is_refused_clearly_where_it_cannot(settings):
    with Server(smtputf8=False) as server, Connection() as connection:
        use(settings, server)
        with pytest.raises(Refused, match="SMTPUTF8") as refused:
            send(connection, "jörgen@mail.example")
        send(connection)
        assert not refused.value.temporary
        assert list(server.recipients) == ["ann@mail.example"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"EMAIL_HOST": ""}, "EMAIL_URL is empty"),
        ({"EMAIL_PORT": 1}, "Nothing answers"),
        ({"EMAIL_HOST": "mail.invalid"}, "mail.invalid, is not known"),
        ({"EMAIL_USE_TLS": True}, "doesn't offer what EMAIL_URL asks for"),
        ({"EMAIL_USE_SSL": True}, "doesn't speak TLS"),
        ({"EMAIL_HOST_USER": "a", "EMAIL_HOST_PASSWORD": "b"}, "doesn't offer"),
    ],
)
def test_what_is_wrong_with_the_server_is_said_in_plain_words(server, settings, changes, said):
    for name, value in changes.items():
        setattr(settings, name, value)
    with Connection() as connection, pytest.raises(Unreachable, match=said):
        connection.open()


def test_a_wrong_password_is_said_in_plain_words(server, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "hej", "wrong"
    server.answer = lambda verb, argument: {
        "EHLO": "250-test\r\n250 AUTH PLAIN",
        "AUTH": "535 authentication failed",
    }.get(verb)
    with Connection() as connection, pytest.raises(Unreachable, match="user name or password"):
        connection.open()

"""Many messages over several connections, to servers on good and bad days."""

import threading
from collections import Counter

import pytest

from campaigns.mail.transport import Mail, Pool, Unreachable
from tests.campaigns.conftest import use
from tests.standins.scripted_smtp import Server

SENDER = "hej@realstars.example"


class Box:
    """An outbox of so many messages that notes what it is told, and in what order."""

    def __init__(self, number, size=100):
        self.mails = [Mail(n, SENDER, f"p{n}@mail.example", b"x" * size + b"\r\n") for n in range(number)]
        self.all = list(self.mails)
        self.told = []
        self.held_back = set()

    def next(self, eight_bit):
        self.eight_bit = eight_bit
        return self.mails.pop(0) if self.mails else None

    def waiting(self):
        return len(self.mails)

    def over(self):
        return not self.mails

    def may_leave(self, mail):
        if mail.key in self.held_back:
            self.told.append(("held back", mail.key))
            return False
        self.told.append(("leaves", mail.key))
        return True

    def done(self, mail, failure):
        self.told.append((type(failure).__name__ if failure else "sent", mail.key))

    def put_back(self, mail):
        self.mails.append(mail)

    def keys(self, what):
        return [key for told, key in self.told if told == what]


@pytest.fixture
def pool():
    pools = []

    def make(size):
        pools.append(Pool(size))
        return pools[-1]

    yield make
    for each in pools:
        each.close()


def carry(pool, box):
    pool.open()
    pool.carry(box)
    return box


@pytest.mark.parametrize("pipelining", [True, False])
def test_every_message_has_one_end_and_arrives_unchanged(settings, pool, pipelining):
    with Server(pipelining=pipelining) as server:
        use(settings, server)
        box = carry(pool(4), Box(200))
    assert sorted(box.keys("sent")) == list(range(200))
    assert Counter(box.keys("leaves")) == dict.fromkeys(range(200), 1)
    assert sorted(server.taken) == sorted((mail.recipient, mail.body) for mail in box.all)
    assert 1 < server.connections <= 4


def test_a_few_messages_take_one_connection(server, pool):
    carry(pool(4), Box(10))
    assert server.connections == 1


def test_connections_are_kept_from_one_outbox_to_the_next(server, pool):
    kept = pool(1)
    carry(kept, Box(5))
    carry(kept, Box(5))
    assert server.connections == 1


def test_pipelining_takes_one_round_trip_a_message(settings, pool):
    """Whoever answers only once the next piece has come in would wait for ever if we did."""
    with Server() as server:
        use(settings, server)
        server.delay = 0.001
        box = carry(pool(1), Box(20))
        assert server.pieces <= 20 + 3  # EHLO, the first envelope, and at last QUIT
    assert len(box.keys("sent")) == 20


def test_a_large_message_to_a_slow_reader_arrives_whole(settings, pool):
    with Server() as server:
        use(settings, server)
        server.slow_reading = True
        box = Box(3)
        for mail in box.mails:
            mail.body = (b"%d" % mail.key) * 3_000_000 + b"\r\n"
        carry(pool(2), box)
    assert sorted(server.taken) == [(mail.recipient, mail.body) for mail in box.all]


@pytest.mark.parametrize("pipelining", [True, False])
def test_answers_in_many_lines_and_in_small_pieces_are_understood(settings, pool, pipelining):
    with Server(pipelining=pipelining) as server:
        use(settings, server)
        server.chop = True
        server.answer = lambda verb, who: "250-one\r\n250-two\r\n250 three" if verb in {"MAIL", "END"} else None
        box = carry(pool(1), Box(5))
    assert len(box.keys("sent")) == 5


def test_a_message_to_nobody_is_ended_with_a_lone_dot(server, pool):
    def answer(verb, who):
        if verb == "RCPT" and who == "p1@mail.example":
            return "550 no such user"
        return "354 go on all the same" if verb == "DATA" and not who else None

    server.answer = answer
    box = carry(pool(1), Box(3))
    assert box.keys("Refused") == [1]
    assert box.keys("leaves") == box.keys("sent") == [0, 2]
    assert server.recipients == {"p0@mail.example": 1, "p2@mail.example": 1, "": 1}
    assert dict(server.taken)[""] == b""


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize("answer", ["drop", "421 I must go"])
def test_a_server_that_goes_at_any_moment_costs_no_message_but_that_in_its_hands(
    settings, pool, verb, answer, pipelining
):
    with Server(pipelining=pipelining) as server:
        use(settings, server)
        seen = Counter()

        def answers(asked, who):
            seen[asked] += 1
            return answer if asked == verb and seen[asked] % 7 == 0 else None

        server.answer = answers
        box = carry(pool(1), Box(40))
    in_hand = box.keys("InDoubt") if answer == "drop" else box.keys("Refused")
    assert len(in_hand) == (seen["END"] // 7 if verb == "END" else 0)
    assert sorted(box.keys("sent") + in_hand) == list(range(40))
    assert sorted(box.keys("leaves")) == list(range(40))
    assert server.connections == 1 + seen[verb] // 7


def test_an_address_the_server_always_hangs_up_on_is_refused_for_now(server, pool):
    server.answer = lambda verb, who: "drop" if (verb, who) == ("RCPT", "p5@mail.example") else None
    box = carry(pool(1), Box(20))
    assert box.keys("Refused") == [5]
    assert len(box.keys("sent")) == 19


def test_what_is_held_back_is_not_delivered_and_stops_nobody(server, pool):
    box = Box(20)
    box.held_back = {3, 7}
    carry(pool(1), box)
    assert len(box.keys("sent")) == 18
    assert "p3@mail.example" not in server.recipients
    assert "p7@mail.example" not in server.recipients


def test_no_more_connections_are_opened_than_the_server_bears(server, pool):
    lock, open_ = threading.Lock(), []

    def answer(verb, who):
        with lock:
            if verb == "CONNECT":
                open_.append(1)
                return "421 too many connections" if len(open_) > 2 else None
        return None

    server.answer = answer
    server.delay = 0.002
    box = carry(pool(6), Box(200))
    assert len(box.keys("sent")) == 200
    assert len(open_) <= 6


def test_after_so_many_messages_another_connection_is_opened(server, pool, settings):
    settings.MAIL_PER_CONNECTION = 10
    box = carry(pool(1), Box(35))
    assert len(box.keys("sent")) == 35
    assert server.connections == 4


def test_a_server_lost_in_the_middle_is_unreachable_once_all_answers_are_in(server, pool):
    def answer(verb, who):
        if verb == "MAIL" and len(server.taken) >= 20:
            return "550 your account is blocked"
        return None

    server.answer = answer
    server.delay = 0.005
    box = Box(200)
    with pytest.raises(Unreachable, match="550 your account is blocked"):
        carry(pool(3), box)
    assert sorted(box.keys("leaves")) == sorted(box.keys("sent"))
    assert len(box.mails) == 200 - len(box.keys("sent"))


def test_an_error_of_the_outbox_is_passed_on_once_all_answers_are_in(server, pool):
    box = Box(100)
    server.delay = 0.005

    def fails(mail):
        box.told.append(("leaves", mail.key))
        if len(box.keys("leaves")) > 20:
            box.told.pop()
            raise RuntimeError("no more")
        return True

    box.may_leave = fails
    with pytest.raises(RuntimeError, match="no more"):
        carry(pool(3), box)
    assert sorted(box.keys("leaves")) == sorted(box.keys("sent"))


@pytest.mark.parametrize(
    "address", ["a@b.example>\r\nRCPT TO:<x@y.example", "a b@mail.example", "a<b@mail.example", "a\x00@b.example", ""]
)
def test_no_address_says_more_to_the_server_than_an_address(server, pool, address):
    box = Box(2)
    box.mails[0].recipient = address
    carry(pool(1), box)
    assert box.keys("Refused") == [0]
    assert server.recipients == {"p1@mail.example": 1}


@pytest.mark.parametrize("address", ['"a b"@mail.example', "o'neill+tag@mail.example", "jörgen@mail.example"])
def test_unusual_addresses_are_written_as_they_are(server, pool, address):
    box = Box(1)
    box.mails[0].recipient = address
    carry(pool(1), box)
    assert server.recipients == {address: 1}


@pytest.mark.parametrize("offered", [True, False])
def test_eight_bits_are_offered_to_the_outbox_where_the_server_takes_them(settings, pool, offered):
    with Server(eight_bit=offered) as server:
        use(settings, server)
        assert carry(pool(1), Box(1)).eight_bit is offered


def test_nonsense_for_an_answer_ends_the_connection(server, pool):
    once = iter(["HTTP/1.1 400 Bad Request"])
    server.answer = lambda verb, who: next(once, None) if verb == "RCPT" and who == "p3@mail.example" else None
    box = carry(pool(1), Box(6))
    assert len(box.keys("sent")) == 6
    assert server.connections == 2

"""The plain way to a message: Python's EmailMessage, which the skeleton's octets have to agree with."""

from email.header import Header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import localtime, unquote

from campaigns.mail import message
from campaigns.mail.compose import NOTHING_COUNTED, one_line


class FaithfulPolicy(EmailPolicy):
    """SMTP line ends, seven bits, every space kept, and nothing encoded that looks as if it were.

    Python's own folding drops spaces between the encoded words of a long header (seen up to Python 3.13 with a Greek
    subject), and lets stand what looks like an encoded word; that of the older email.header does neither.
    """

    def __init__(self, **options):
        super().__init__(**{"linesep": "\r\n", "cte_type": "7bit", **options})

    def fold_binary(self, name, value):
        if isinstance(value, AddressHeader):
            folded = ", ".join(self._fold_address(name, address) for address in value.addresses)
        elif _plain(str(value)) and not (name == "Subject" and len(value) > 60):
            return super().fold_binary(name, value)
        else:
            folded = self._encoded(name, str(value))
        return f"{name}: {folded}{self.linesep}".encode("utf-8" if self.utf8 else "ascii")

    def _fold_address(self, name, address):
        if _plain(address.display_name) and len(address.display_name) < 70:
            return str(address)
        return f"{self._encoded(name, address.display_name)}{self.linesep} <{address.addr_spec}>"

    def _encoded(self, name, text):
        return Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)


def build(appeal, text, recipient, counting=NOTHING_COUNTED):
    """The whole message."""
    letter = message.letter(appeal, text, recipient, counting)
    domain = appeal.sender_email.rpartition("@")[2]
    mail = EmailMessage(policy=FaithfulPolicy(utf8=recipient.needs_smtputf8))
    mail["From"] = _address(appeal.sender_name, appeal.sender_email)
    mail["To"] = _address(f"{recipient.first_name} {recipient.last_name}", recipient.email)
    if appeal.reply_to:
        mail["Reply-To"] = _address("", appeal.reply_to)
    # Encoded first: EmailMessage decodes what it is given.
    mail["Subject"] = Header(one_line(letter.subject), "utf-8").encode(linesep="")
    mail["Date"] = localtime()
    mail["Message-ID"] = f"<{recipient.delivery.hex}@{domain}>"
    mail["List-Id"] = f"<appeals.{domain}>"
    mail["List-Unsubscribe"] = f"<{message.unsubscribe_url(recipient.delivery)}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Feedback-ID"] = f"{appeal.pk}:{appeal.campaign_id or 0}:{letter.language}:lodestar"
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    mail["Content-Language"] = letter.language
    return mail.as_bytes()


def _plain(text):
    return text.isascii() and "=?" not in text


def _address(name, email):
    local, _, domain = email.rpartition("@")
    return Address(one_line(name), unquote(local), domain)

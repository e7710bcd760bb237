"""Headers folded so that what is read is what was written.

Python's own folding of EmailPolicy drops spaces between the encoded words of a long header (seen up to Python 3.13 with a
Greek subject); that of the older email.header keeps them, so text outside ASCII goes through it. RFC 2047.
"""

from email.header import Header
from email.headerregistry import AddressHeader
from email.policy import EmailPolicy
from typing import Any


class FaithfulPolicy(EmailPolicy):
    """SMTP line ends, seven bits, and every space kept."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"linesep": "\r\n", "cte_type": "7bit", **options})

    def fold_binary(self, name: str, value: Any) -> bytes:
        text = str(value)
        if self.utf8 or text.isascii():
            return super().fold_binary(name, value)
        if isinstance(value, AddressHeader):
            folded = f",{self.linesep} ".join(self._fold_address(name, address) for address in value.addresses)
        else:
            folded = self._encoded(name, text)
        return f"{name}: {folded}{self.linesep}".encode("ascii")

    def _fold_address(self, name: str, address: Any) -> str:
        if address.display_name.isascii():
            return str(address)
        return f"{self._encoded(name, address.display_name)}{self.linesep} <{address.addr_spec}>"

    def _encoded(self, name: str, text: str) -> str:
        return Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)

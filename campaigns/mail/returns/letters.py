"""The letters of mail servers that know of no form: whom they are about, and where their own words end."""

import re
from collections.abc import Iterator
from email.message import Message

from campaigns.mail.returns.origins import SERVER_NAMES
from campaigns.mail.returns.parts import ADDRESS, header

_CUT = re.compile(
    r"""(?imx)^[ \t>]*(?:
      -{2,}[ ]*(?:below[ ]this[ ]line|(?:the[ ])?(?:original|unsent|returned)[ ]?(?:message|mail)?|this[ ]is[ ]a[ ]copy|message[ ]header
        |(?:the[ ])?(?:body|header|text|content)s?[ ]of|included|forwarded|start[ ]of|enclosed|begin[ ]of|returned)
      |.{0,40}original[ ]message[ ](?:follows|header|attached|is)
      |(?:the[ ])?(?:header|first[ ]?[\w ]{0,20}lines?)s?[ ]of[ ](?:the[ ]|your[ ])?(?:original[ ])?message
      |(?:original|received|your)[ ](?:message|mail)?[ ]?(?:headers?|text)?[ ]?(?:follows|:[ \t]*$)
      |(?:return-path|received):[ ](?:<|from|by|\(qmail)
      |\*{5,}[ ]*(?:original|message)
    )|^message-id:[ ]<"""
)


def cut(text: str) -> tuple[str, str]:
    """The server's own words, and the message it sends back behind them."""
    match = _CUT.search(text)
    if not match:
        return text, ""
    rest = text[match.start() :]
    if ":" not in rest.split("\n", 1)[0] or rest.lstrip(" \t>").startswith("-"):
        rest = rest.partition("\n")[2]
    return text[: match.start()], rest


def named(message: Message, body: str, original: dict[str, str]) -> list[tuple[str, str]]:
    """The addresses that a letter in free words is about, each with the words that stand by it."""
    failed = ADDRESS.findall(str(message.get("X-Failed-Recipients") or ""))
    ours = {address.lower() for name in ("To", "From") for address in ADDRESS.findall(header(message, name))}
    ours |= {address.lower() for address in ADDRESS.findall(original.get("from", ""))}
    failed = failed or [address for address in _at_line_start(body) if address.lower() not in ours]
    failed = (
        failed
        or [
            address
            for address in ADDRESS.findall(body)
            if address.lower() not in ours and not SERVER_NAMES.search(address)
        ][:1]
    )
    failed = failed or ADDRESS.findall(original.get("to", ""))[:1]
    failed = failed or _at_line_start(body)[:1]
    unique = list({address.lower(): address for address in failed}.values())
    if len(unique) < 2:
        return [(unique[0] if unique else "", "")]
    return list(_shares(body, unique))


_AT_LINE_START = re.compile(
    rf"""(?im)^[ \t]*(?:[<"]|[45]\d\d[ ]<|to:[ \t]*<?|recipient:[ \t]*<?|\d+\.[ \t]*<?)?({ADDRESS.pattern})"""
    r"""[>"]?(?=[ \t]*$|[ \t]*[:,;.(\[]|[ \t]+-)"""
)


def _at_line_start(body: str) -> list[str]:
    found = _AT_LINE_START.findall(body)
    return [address for address in found if not SERVER_NAMES.search(address)]


def _shares(body: str, addresses: list[str]) -> Iterator[tuple[str, str]]:
    low = body.lower()
    places = [(low.find(address.lower()), address) for address in addresses]
    for start, address in sorted(places):
        others = (low.find(other.lower(), start + len(address)) for other in addresses if other != address)
        end = min((found for found in others if found > 0), default=len(body))
        yield address, body[start:end] if start >= 0 else body

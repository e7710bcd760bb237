"""Links by which a page is passed on: plain addresses that carry a source code, and nobody's script."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from supporters.models import Petition
from supporters.public import address


@dataclass(frozen=True)
class Share:
    name: str
    href: str


def share_links(petition: Petition, title: str) -> dict[str, object]:
    """Where to share, and the address to copy."""

    def link(source: str) -> str:
        return settings.SITE_URL + address("petition", slug=petition.slug, query={"source": source})

    def with_query(base: str, **query: str) -> str:
        return f"{base}?{urlencode(query, quote_via=quote)}"

    mail = with_query("mailto:", subject=title, body=f"{title}\n\n{link('share-mail')}")
    return {
        "copy": link("share-link"),
        "links": [
            Share(_("Email"), mail),
            Share("WhatsApp", with_query("https://wa.me/", text=f"{title} {link('share-whatsapp')}")),
            Share("Telegram", with_query("https://t.me/share/url", url=link("share-telegram"), text=title)),
            Share("Facebook", with_query("https://www.facebook.com/sharer/sharer.php", u=link("share-facebook"))),
            Share("X", with_query("https://x.com/intent/post", text=title, url=link("share-x"))),
        ],
    }

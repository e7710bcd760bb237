"""The addresses that bring signatures in under a partner's name, and what it puts on its own site."""

from urllib.parse import urlencode

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from supporters.models import Organisation, Petition
from supporters.signing.texts import text_of


def of_partner(organisation: Organisation, petition: Petition) -> dict[str, str]:
    """By the names of their pages; and `tag`, the script that makes the frame, and `frame`, the same for sites that run no foreign scripts."""
    via = urlencode({"via": organisation.source_code})
    pages = {
        name: f"{settings.SITE_URL}{reverse(f'supporters:{name}', args=[petition.slug])}?{via}"
        for name in ("petition", "poster", "embed")
    }
    about = {"site": settings.SITE_URL, "petition": petition, "code": organisation.source_code}
    frame = {"address": pages["embed"], "title": text_of(petition).title or petition.title}
    return {
        **pages,
        "tag": render_to_string("partners/embed_tag.html", about).strip(),
        "frame": render_to_string("partners/embed_frame.html", frame).strip(),
    }

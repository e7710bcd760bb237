"""A petition's words, for whoever reads them on a page or in a letter."""

from dataclasses import dataclass
from html import unescape

from django.conf import settings
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import get_language, get_language_info

from supporters.hygiene.text import one_line
from supporters.markdown import to_html
from supporters.models import Petition


@dataclass(frozen=True)
class Text:
    """A petition in the language nearest to the reader's."""

    language: str
    title: str
    body: str

    @property
    def summary(self) -> str:
        """How it begins, in plain words on one line, for where links are shown."""
        return Truncator(one_line(unescape(strip_tags(self.body)))).chars(160)

    @property
    def rtl(self) -> bool:
        return get_language_info(self.language)["bidi"]


def text_of(petition: Petition) -> Text:
    """Its text in the active language, or else in English, in ours, or in any."""
    texts = {text.language: text for text in petition.texts.all()}
    for language in (get_language(), "en", settings.LANGUAGE_CODE, *texts):
        if language in texts:
            return Text(language, texts[language].title, to_html(texts[language].body))
    return Text(settings.LANGUAGE_CODE, petition.title, "")

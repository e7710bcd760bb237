import pytest

from campaigns.mail import compose, layout

pytestmark = pytest.mark.browser
BODY = (
    "# Title\n\nDear **friend**, "
    + "a law that has to change, and `code with  spaces`. " * 25
    + "\n\n> quote\n\n[!Give today](https://a.example/)\n\n```\n  pre   formatted "
    + "x " * 300
    + '\n```\n\n[link](https://a.example/ "a title")'
)


@pytest.mark.parametrize("language", ["sv", "ar"])
def test_cut_lines_look_like_uncut_ones(chromium, monkeypatch, language):
    seen = []
    for fold in (layout.folded, lambda document: document):
        monkeypatch.setattr(layout, "folded", fold)
        compose._compile.cache_clear()
        html = (
            compose.compile_text(language, "Hi", "A look", BODY)
            .fill({"unsubscribe_url": "https://a.example/u/"})
            .html
        )
        page = chromium.new_page(viewport={"width": 600, "height": 800})
        page.set_content(html)
        seen.append((page.screenshot(full_page=True), len(html.split("\n"))))
        page.close()
    compose._compile.cache_clear()
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] > seen[1][1]

import re

import pytest

from campaigns.mail import compose, layout
from campaigns.mail.encoding import LONGEST_LINE


def test_long_lines_are_cut_at_spaces():
    document = f"<p>{'word ' * 300}</p>"
    folded = layout.folded(document)
    assert max(map(len, folded.split("\n"))) <= layout.LINE
    assert folded.split() == document.split()


def test_a_line_without_spaces_stays():
    document = f"<p>{'法' * 900}</p> <p>law</p>"
    assert layout.folded(document) == document.replace(" ", "\n")


def test_preformatted_text_stays_as_it_is():
    code = f"<pre><code>.{'x ' * 400}\n.y</code></pre>"
    assert code in layout.folded(f"<p>{'word ' * 300}</p>{code}<p>{'word ' * 300}</p>")


def test_no_line_begins_with_a_dot():
    folded = layout.folded(f".a {{ }}\n{'word ' * 79}long .b\n.c")
    assert not re.search(r"(?m)^\.", folded)
    assert folded.split() == f".a {{ }}\n{'word ' * 79}long .b\n.c".split()


@pytest.mark.parametrize("shift", range(0, 40, 3))
def test_the_conditions_of_outlook_stay_whole(shift):
    document = "x" * shift + ' <td class="a"><!--[if mso | IE]><table width="600"><![endif]-->' * 40
    assert layout.folded(document).count("<!--[if mso | IE]>") == 40


@pytest.mark.parametrize("shift", range(0, 60, 7))
def test_what_stands_in_quotes_inside_a_tag_stays_whole(shift):
    style = "font-family:'Noto Sans Arabic', Arial, sans-serif;font-size:15px"
    folded = layout.folded("x" * shift + f' <td class="a" style="{style}">words</td>' * 40)
    assert folded.count(style) == 40
    assert max(map(len, folded.split("\n"))) <= layout.LINE


def test_the_lines_of_a_whole_letter_leave_room_for_values():
    template = compose.compile_text("en", "Hi", "A look", ("word " * 200 + "\n\n[!Give](https://a.example/)\n\n") * 4)
    html = template.fill({"unsubscribe_url": "https://a.example/u/x/"}).html
    assert max(len(line) for line in html.split("\n")) <= LONGEST_LINE - 300
    assert "\0" not in html

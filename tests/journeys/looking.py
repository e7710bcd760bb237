"""What axe-core and a ruler find on a page, in every width and scheme; and where the focus is."""

from axe_playwright_python.sync_playwright import Axe

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},  # axe leaves it out unless asked
    "resultTypes": ["violations"],
}
LOOKS = [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]

FOCUS = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const first = e.getClientRects()[0] ?? box; // a link may be broken over lines
  const there = document.elementFromPoint(first.left + first.width / 2, first.top + first.height / 2);
  return {
    name: e.name || (e.classList.contains("skip") ? "skip" : e.textContent.trim()),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    covered: !(e.contains(there) || e.labels?.[0]?.contains(there)),
    width: box.width, height: box.height, inline: style.display === "inline",
  };
}"""


def look(page, width, scheme):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)


def complaints(page):
    """What axe finds, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("rules => axe.run(rules).then(found => found.violations)", RULES)
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}" for each in found for node in each["nodes"]
    ]


STICKS_OUT = """() => {
  const main = document.querySelector("main") ?? document.body;
  return document.documentElement.scrollWidth > innerWidth || main.scrollWidth > main.clientWidth;
}"""
"""The page scrolls sideways, or something is wider than the card that it lies on."""


def examined(page, name, width, scheme):
    look(page, width, scheme)
    found = [f"{name} {width} {scheme}: {said}" for said in complaints(page)]
    if page.evaluate(STICKS_OUT):
        found.append(f"{name} {width}: something sticks out")
    return found

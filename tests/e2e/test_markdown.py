"""The Markdown renderer in a real browser: the shapes it knows, and that nothing in a text can
become more than text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page

if TYPE_CHECKING:
    from tests.e2e.fake_site import FakeSite

pytest_plugins = ("tests.e2e.fake_site",)
pytestmark = pytest.mark.e2e

PAINT = """async ([source, cuts]) => {
  const { paint } = await import("/static/chatbot/markdown.js");
  window.hit = 0;
  const box = document.createElement("div");
  document.body.replaceChildren(box);
  for (const cut of cuts) paint(box, source.slice(0, cut));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const nodes = [...box.querySelectorAll("*")];
  return {
    html: box.innerHTML,
    text: box.textContent,
    tags: [...new Set(nodes.map((node) => node.localName))],
    attributes: [...new Set(nodes.flatMap((node) => node.getAttributeNames()))],
    links: nodes.filter((node) => node.href).map((node) => node.href),
    hit: window.hit,
  };
}"""
TAGS = {"p", "br", "h2", "h3", "h4", "h5", "ul", "ol", "li", "pre", "code", "blockquote", "hr"} | {
    *("strong", "em", "a", "div", "table", "thead", "tbody", "tr", "th", "td")
}
ATTRIBUTES = {"href", "rel", "target", "start", "class", "tabindex"}


@pytest.fixture(scope="module")
def sheet(browser: Browser, site: FakeSite) -> Iterator[Page]:
    """One page without a content policy, so that a script that got in would run."""
    page = browser.new_page()
    page.goto(f"{site.base}/help/?policy=off")
    yield page
    page.close()


def paint(sheet: Page, source: str, cuts: list[int] | None = None) -> dict[str, Any]:
    """What the renderer makes of a source, painted once for each cut of it (default: once,
    whole)."""
    return dict(sheet.evaluate(PAINT, [source, cuts or [len(source)]]))


SHAPES = {
    "paragraphs": ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
    "bold and italics": (
        "**a** and *b* and __c__ and _d_",
        "<p><strong>a</strong> and <em>b</em> and <strong>c</strong> and <em>d</em></p>",
    ),
    "bold inside Chinese": ("请在**7天内**申请", "<p>请在<strong>7天内</strong>申请</p>"),
    "nested emphasis": ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
    "sizes and snake_case stay": (
        "30*20*10 is my_order_no 2 * 3",
        "<p>30*20*10 is my_order_no 2 * 3</p>",
    ),
    "unfinished marks stay": ("**a *b `c [d](e", "<p>**a *b `c [d](e</p>"),
    "escapes": (r"\*a\* \[b\]", "<p>*a* [b]</p>"),
    "inline code": ("run `a <b> **c**` now", "<p>run <code>a &lt;b&gt; **c**</code> now</p>"),
    "code block": (
        "```py\na = 1\n\n**b**\n```\nend",
        '<pre tabindex="0"><code>a = 1\n\n**b**</code></pre><p>end</p>',
    ),
    "open code block": ("```\na", '<pre tabindex="0"><code>a</code></pre>'),
    "lists": (
        "- a\n- b\n\n1. c\n2. d",
        "<ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d</li></ol>",
    ),
    "list from 3": ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
    "nested list": (
        "1. a\n   - b\n   - c\n2. d",
        "<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>",
    ),
    "loose list": ("- a\n\n- b", "<ul><li>a</li><li>b</li></ul>"),
    "list after text": ("so:\n- a", "<p>so:</p><ul><li>a</li></ul>"),
    "heading": ("## A *b*\ntext", "<h3>A <em>b</em></h3><p>text</p>"),
    "quote": ("> a\n> b", "<blockquote><p>a<br>b</p></blockquote>"),
    "table": (
        "| a | b |\n|---|:-:|\n| 1 | **2** |",
        (
            '<div class="table" tabindex="0"><table><thead><tr><th>a</th><th>b</th></tr></thead>'
            "<tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table></div>"
        ),
    ),
}


@pytest.mark.parametrize(("source", "html"), SHAPES.values(), ids=SHAPES.keys())
def test_shape(sheet: Page, source: str, html: str) -> None:
    """A source becomes exactly these elements."""
    assert paint(sheet, source)["html"] == html


LINKS = {
    "named": ("[returns](https://a.example/r_(1)?x=1&y=2)", ["https://a.example/r_(1)?x=1&y=2"]),
    "bare": ("see http://a.example/b, or", ["http://a.example/b"]),
    "bare before Chinese": ("见https://a.example/退货。谢谢", ["https://a.example/"]),
    "in brackets": ("(https://a.example/b)", ["https://a.example/b"]),
    "in bold": ("**https://a.example/b**", ["https://a.example/b"]),
    "with a title": ('[a](https://a.example "t")', ["https://a.example/"]),
    "relative": ("[a](/help/)", []),
    "mail": ("[a](mailto:a@a.example)", []),
    "with a user name": ("[a](https://shop.example@evil.example/)", []),
    "image": ("![a](https://a.example/x.png)", ["https://a.example/x.png"]),
}


@pytest.mark.parametrize(("source", "links"), LINKS.values(), ids=LINKS.keys())
def test_link(sheet: Page, source: str, links: list[str]) -> None:
    """Only absolute http(s) addresses become links, and an image is at most a link."""
    painted = paint(sheet, source)
    assert painted["links"] == links
    assert painted["html"].count('rel="noopener nofollow" target="_blank"') == len(links)


HOSTILE = {
    "script": "<script>hit=1</script>",
    "onerror": "<img src=x onerror=hit=1>",
    "svg": "<svg onload=hit=1><script>hit=1</script></svg>",
    "svg use": "<svg><use href=\"data:image/svg+xml,<svg id='x' onload='hit=1'/>#x\"/></svg>",
    "iframe": "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=hit=1>",
    "details": "<details open ontoggle=hit=1>",
    "style": "<style>@import 'javascript:hit=1'</style>",
    "javascript link": "[a](javascript:hit=1)",
    "javascript in capitals": "[a](JaVaScRiPt:hit=1)",
    "javascript with a tab": "[a](java\tscript:hit=1)",
    "javascript with an entity": "[a](java&#115;cript:hit=1)",
    "javascript with a control character": "[a](\x01javascript:hit=1)",
    "javascript after a comment": "[a](javascript://https://a.example/%0ahit=1)",
    "data link": "[a](data:text/html,<script>hit=1</script>)",
    "vbscript link": "[a](vbscript:hit=1)",
    "blob link": "[a](blob:https://a.example/x)",
    "image": '![a](x" onerror="hit=1)',
    "quote in an address": '[a](https://a.example/"onmouseover="hit=1)',
    "quote in a label": '["onmouseover="hit=1](https://a.example/)',
    "html in a label": "[<img src=x onerror=hit=1>](https://a.example/)",
    "link in a link": "[[a](javascript:hit=1)](https://a.example/)",
    "reference": "[a][1]\n\n[1]: javascript:hit=1",
    "autolink": "<javascript:hit=1>",
    "html in bold": "**<img src=x onerror=hit=1>**",
    "html in code": "`<img src=x onerror=hit=1>`",
    "html after a code block": "```\n</pre><img src=x onerror=hit=1>\n```\n<svg onload=hit=1>",
    "fence name": '```"><img/src=x/onerror=hit=1>\na\n```',
    "html in a table": "| <img src=x onerror=hit=1> |\n|---|\n| <script>hit=1</script> |",
    "html in nested lists": "- a\n  - <img src=x onerror=hit=1>\n    > <svg onload=hit=1>",
    "number of a list": "999999999. <script>hit=1</script>",
    "template": "{{constructor.constructor('hit=1')()}} ${hit=1}",
    "prototype": "[a](__proto__) [constructor](constructor)",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_stays_text(sheet: Page, source: str) -> None:
    """A hostile text, streamed one character at a time, runs nothing and makes only harmless
    elements."""
    painted = paint(sheet, source, list(range(1, len(source) + 1)))
    assert painted["hit"] == 0
    assert set(painted["tags"]) <= TAGS
    assert set(painted["attributes"]) <= ATTRIBUTES
    assert all(
        link.startswith(("https://a.example/", "http://a.example/")) for link in painted["links"]
    )


def test_streamed_text_ends_like_the_whole(sheet: Page) -> None:
    """All shapes in one text give the same elements whether painted once or after every
    character."""
    source = "\n\n".join(source for source, _ in SHAPES.values() if source != "```\na")
    streamed = paint(sheet, source, list(range(1, len(source) + 1)))
    assert streamed["html"] == paint(sheet, source)["html"]


def test_finished_blocks_keep_their_elements(sheet: Page) -> None:
    """Text that grows at its end leaves the elements of earlier blocks in place, and with them a
    selection."""
    kept = sheet.evaluate("""async () => {
      const { paint } = await import("/static/chatbot/markdown.js");
      const box = document.createElement("div");
      paint(box, "first\\n\\nsec");
      const first = box.firstChild;
      paint(box, "first\\n\\nsecond\\n\\n- third");
      return box.firstChild === first && box.childElementCount === 3;
    }""")
    assert kept is True


@pytest.mark.parametrize(
    "unit", ["*", "_", "[", "](", "**a ", "`", "> ", "- ", "(", "|", "[a](", "h", "\\"]
)
def test_long_runs_of_marks_are_painted(sheet: Page, unit: str) -> None:
    """Ten thousand repetitions of a mark do not overflow the stack, and the text after them is
    there."""
    painted = paint(sheet, unit * 10_000 + "\n\nend")
    assert painted["text"].endswith("end")

"""What Sphinx is told about the pages of the documentation's site: their frame, and what their HTML still lacks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line of the sidebar."""

    address: str
    title: str
    current: bool


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_config_value("site_groups", {}, "env")
    app.connect("html-page-context", _frame)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _frame(app: Sphinx, name: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None) -> None:
    context["groups"] = {
        caption: _entries(app, names, name, context["pathto"]) for caption, names in app.config.site_groups.items()
    }
    if "body" in context:
        context["body"] = reachable(context["body"])


def _entries(app: Sphinx, names: list[str], here: str, pathto: Callable[[str], str]) -> list[Entry]:
    return [Entry(address=pathto(name), title=app.env.titles[name].astext(), current=name == here) for name in names]


def reachable(html: str) -> str:
    """Whatever may be wider than its page is scrolled by itself, and by keys too."""
    # A heading that says nothing heads nothing.
    html = html.replace('<th class="head"><p></p></th>', "<td></td>")
    html = html.replace("<pre>", '<pre tabindex="0">')
    html = html.replace("<table ", '<div class="wide" tabindex="0" role="group" aria-label="Table"><table ')
    return html.replace("</table>", "</table></div>")

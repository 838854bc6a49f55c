"""Markdown as HTML: what the page embeds, and tables that a browser shows by themselves."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt

STYLE = (
    "body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; }"
    " table { border-collapse: collapse; } td, th { padding: .2rem .7rem; border-bottom: 1px solid #ddd; }"
)


def rendered(text: str) -> str:
    """Markdown as a part of an HTML page."""
    return str(MarkdownIt("commonmark").enable("table").render(text))


def document(text: str) -> str:
    """Markdown that begins with its title, as an HTML page of its own."""
    title = escape(text.partition("\n")[0].lstrip("# "))
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{rendered(text)}</body></html>\n'

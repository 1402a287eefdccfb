"""A statement's text with some of its places rewritten; places may lie inside one another, as calls in arguments do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from local_workspace.api.sql.syntax.lexer import Edit, spliced


@dataclass(frozen=True)
class Site:
    """A place and what makes its new text."""

    start: int
    end: int
    render: Callable[[], str]


class Rendering:
    """The text between any two places, with the sites in between rewritten; an outer site decides about inner ones."""

    def __init__(self, text: str, sites: Iterable[Site] = ()) -> None:
        self.text = text
        self.sites = list(sites)

    def whole(self) -> str:
        """All of the text."""
        return self.between(0, len(self.text))

    def between(self, start: int, end: int) -> str:
        """The text from `start` to `end`."""
        edits: list[Edit] = []
        reached = start
        inside = (site for site in self.sites if start <= site.start and site.end <= end)
        for site in sorted(inside, key=lambda site: (site.start, site.start < site.end, -site.end)):
            if site.start >= reached:
                edits.append(Edit(site.start - start, site.end - start, site.render()))
                reached = site.end
        return spliced(self.text[start:end], edits)

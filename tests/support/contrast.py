"""Which texts of a page are too faint to read, by the contrast that WCAG 2.2 asks for (1.4.3, level AA)."""

from pathlib import Path

from playwright.sync_api import Page

_FAINT = (Path(__file__).parent / "contrast.js").read_text()


def faint_texts(page: Page, scheme: str) -> list[str]:
    """The texts whose contrast is below 4.5:1 (large ones: 3:1) in the theme `scheme`, each with its contrast.

    What cannot be used just now is exempt, as in WCAG.
    """
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    return page.evaluate(_FAINT)

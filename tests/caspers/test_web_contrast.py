"""Every component can be read, in both themes."""

import pytest

from tests.caspers.serving import PERSON, serving
from tests.caspers.test_web_app import demo_app
from tests.support.contrast import faint_texts
from tests.support.pages import browser_page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_component_is_too_faint_to_read(scheme: str):
    with serving(demo_app()) as served, browser_page() as page:
        page.set_extra_http_headers(PERSON)
        page.goto(f"{served.client.base_url}/patterns")
        assert faint_texts(page, scheme) == []


def test_a_faint_text_is_found():
    with browser_page() as page:
        page.set_content("<p style='color: #888'>grey</p> <p>black</p> <button disabled>grey</button>")
        assert faint_texts(page, "light") == ["3.54:1 grey"]

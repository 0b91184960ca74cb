"""What the lessons wrote, as a person sees it: in TensorBoard, in a real browser."""

import os
import shutil

import pytest
from board import eventually, serve
from conftest import find_lesson
from selenium import webdriver
from test_lessons import BOARDS

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

# Opens the groups that are closed, then tells of each card: its group, its title, its kind and whether it is drawn.
CARDS = """
document.querySelectorAll(".group-toolbar:has([data-mat-icon-name=expand_more_24px])").forEach(bar => bar.click());
const drawn = {
    "SCALAR-CARD": card => card.querySelector("line-chart canvas") && card.querySelector("tb-data-table-content-row"),
    "HISTOGRAM-CARD": card => card.querySelector("tb-histogram .histogram path"),
    "IMAGE-CARD": card => card.querySelector("img")?.naturalWidth > 0,
};
return [...document.querySelectorAll(".card-group")].flatMap(group =>
    [...group.querySelectorAll("scalar-card, histogram-card, image-card")].map(card => [
        group.querySelector(".group-title").title,
        card.querySelector("tb-truncated-path")?.title,
        card.tagName,
        Boolean(drawn[card.tagName](card)) && !card.querySelector("mat-spinner")]));
"""

# The older tabs are made of elements with a shadow tree each: this looks into all of them.
FIND_ALL = """
function findAll(selector, root = document) {
    return [...root.querySelectorAll(selector), ...[...root.querySelectorAll("*")].flatMap(
        element => element.shadowRoot ? findAll(selector, element.shadowRoot) : [])];
}
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if not CHROMIUM or not DRIVER:
        missing = "no chromium and chromedriver here; on Debian: apt-get install chromium chromium-driver"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
                     "disable-background-networking", "disable-component-update",
                     "window-size=1600,6000",    # TensorBoard draws what is in sight
                     f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def address(chromium, board_home):
    with serve(board_home, "--port", "0") as address:
        yield address


@pytest.fixture
def browser(chromium):
    """A browser that has to be content with the page in the end."""
    yield chromium
    assert "No dashboards are active" not in chromium.find_element("tag name", "body").text
    assert [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("number", [number for number in BOARDS if "graph" not in BOARDS[number]])
def test_curves_and_pictures_of_a_lesson(number, browser, address):
    expected = sorted([tag.split("/")[0], tag, f"{kind.upper()}-CARD", True]
                      for kind in ("scalar", "image", "histogram") for tag in BOARDS[number].get(f"{kind}s", ()))
    browser.get(f"{address}?runFilter=^{number:02}_#timeseries")
    assert eventually(expected, lambda: sorted(browser.execute_script(CARDS))) == expected


def test_the_graph_of_lesson_9_opens(browser, address):
    def boxes():
        """The names of the boxes, in full: a long one is cut short, and shown when one points at it."""
        return set(browser.execute_script(
            FIND_ALL + "return findAll('g.node > text > title').map(title => title.textContent)"))

    browser.get(f"{address}#graphs")
    closed = {"input", "Sequential", "output"}
    assert eventually(closed, boxes) == closed

    # The plus in the box's corner, clicked without a mouse: the box still glides to its place.
    browser.execute_script(FIND_ALL + """
        findAll("g.node[data-name=Sequential] .buttoncontainer")[0].dispatchEvent(new MouseEvent("click"));
    """)
    layers = {"Conv2d[conv1]", "MaxPool2d[pool1]", "Conv2d[conv2]", "MaxPool2d[pool2]", "Conv2d[conv3]",
              "MaxPool2d[pool3]", "Flatten[flatten]", "Linear[linear1]", "Linear[linear2]"}
    assert eventually(layers, lambda: boxes() - closed) == layers


def test_each_lesson_says_what_to_look_at(browser, address):
    def texts():
        """The lessons whose card of text is on the page, each with whether something stands on it."""
        return dict(browser.execute_script(FIND_ALL + """
            findAll("button.heading:not([open-button])").forEach(heading => heading.click());
            return findAll("tf-text-loader").map(card => [
                card.run.split("/")[0], findAll("#markdown", card.shadowRoot).some(text => text.textContent.trim())]);
        """))

    browser.get(f"{address}?tab=text#text")    # the query makes it another page: a new #tab alone would load nothing
    expected = {find_lesson(number).stem: True for number in BOARDS}
    assert eventually(expected, texts) == expected

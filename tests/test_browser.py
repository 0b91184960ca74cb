"""What the lessons wrote, as a person sees it: in TensorBoard, in a real browser."""

import os
import re
import shutil

import pytest
from board import eventually, serve
from selenium import webdriver
from test_lessons import BOARD_OF, TAB, WITH_BOARD, tasks

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

# Opens the groups that are closed. Returns the group, the title and the kind of each card, and
# whether it is drawn.
CARDS = """
document.querySelectorAll(".group-toolbar:has([data-mat-icon-name=expand_more_24px])").forEach(
    bar => bar.click());
const drawn = {
    "SCALAR-CARD": card => card.querySelector("line-chart canvas")
        && card.querySelector("tb-data-table-content-row"),
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

# In the older tabs, each element has a shadow tree of its own. These look into all of them.
FIND_ALL = """
function findAll(selector, root = document) {
    return [...root.querySelectorAll(selector), ...[...root.querySelectorAll("*")].flatMap(
        element => element.shadowRoot ? findAll(selector, element.shadowRoot) : [])];
}
"""
TEXT = """
function text(node) {
    if (["STYLE", "SCRIPT", "TEMPLATE"].includes(node.tagName)) return "";
    return [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes].map(
        child => child.nodeType == Node.TEXT_NODE ? child.textContent : text(child)).join(" ");
}
return text(document.body);
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if not CHROMIUM or not DRIVER:
        missing = ("no chromium and chromedriver here; "
                   "on Debian: apt-get install chromium chromium-driver")
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                     "disable-sync", "disable-background-networking", "disable-component-update",
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


@pytest.mark.parametrize("folder", [name for name in BOARD_OF if "graph" not in BOARD_OF[name]])
def test_curves_and_pictures_of_a_run(folder, browser, address):
    expected = sorted([tag.split("/")[0], tag, f"{kind.upper()}-CARD", True]
                      for kind in ("scalar", "image", "histogram")
                      for tag in BOARD_OF[folder].get(f"{kind}s", ()))
    browser.get(f"{address}?runFilter=^{folder}#timeseries")
    found = eventually(expected, lambda: sorted(browser.execute_script(CARDS)))
    assert found == expected


@pytest.mark.parametrize("tab", ["Time Series", "Scalars", "Images", "Graphs", "Histograms",
                                 "Text"])
def test_what_lessons_name_is_in_that_tab(tab, browser, address, lesson_results):
    """Groups of cards, and settings: `Scalars tab: switch "Ignore outliers ..." off`."""
    names = set()
    for number in WITH_BOARD:
        its_tab = None
        for task in tasks(lesson_results(number).stdout):
            if named := TAB.search(task):
                its_tab = named[1]
            quoted = re.findall(r'"([^"]*)"', task)
            # The number of the lesson begins a group. (Another number begins a card, which is not
            # there before its group is opened.)
            if its_tab == tab:
                names |= {name.split("/")[0] for name in quoted
                          if not name[0].isdecimal() or name.startswith(f"{number} ")}
    assert names

    def not_there():
        text = " ".join(browser.execute_script(TEXT).split())
        return {name for name in names if name not in text}

    hash_of_tab = tab.lower().replace(" ", "")
    browser.get(f"{address}?tab={hash_of_tab}#{hash_of_tab}")    # without ? nothing would be loaded
    assert eventually(set(), not_there) == set()


def test_the_graph_of_lesson_9_opens(browser, address):
    def boxes():
        """The names of the boxes. (In the picture, a long one is cut.)"""
        return set(browser.execute_script(
            FIND_ALL + "return findAll('g.node > text > title').map(title => title.textContent)"))

    browser.get(f"{address}#graphs")
    closed = {"input", "Sequential", "output"}
    assert eventually(closed, boxes) == closed

    # A click on the plus in the box's corner. It is sent, because the box may still be moving.
    browser.execute_script(FIND_ALL + """
        findAll("g.node[data-name=Sequential] .buttoncontainer")[0].dispatchEvent(
            new MouseEvent("click"));
    """)
    layers = {"Conv2d[conv1]", "MaxPool2d[pool1]", "Conv2d[conv2]", "MaxPool2d[pool2]",
              "Conv2d[conv3]", "MaxPool2d[pool3]", "Flatten[flatten]", "Linear[linear1]",
              "Linear[linear2]"}
    assert eventually(layers, lambda: boxes() - closed) == layers


def test_each_run_says_what_to_look_at(browser, address):
    def texts():
        """The folders of runs with a card of text, each with whether there is text on it."""
        return dict(browser.execute_script(FIND_ALL + """
            findAll("button.heading:not([open-button])").forEach(heading => heading.click());
            return findAll("tf-text-loader").map(card => [card.run.split("/")[0],
                findAll("#markdown", card.shadowRoot).some(text => text.textContent.trim())]);
        """))

    browser.get(f"{address}?tab=text#text")    # without ? nothing would be loaded
    expected = dict.fromkeys(BOARD_OF, True)
    assert eventually(expected, texts) == expected

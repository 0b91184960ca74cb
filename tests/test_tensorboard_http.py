"""What the lessons wrote, as TensorBoard hands it to the browser: by HTTP, with each of its two loaders."""

import io
import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from board import eventually, serve
from conftest import find_lesson
from PIL import Image
from test_lessons import BOARDS

LARGEST = 20_000_000    # bytes that a lesson may write; lesson 12 as many as its run is long


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast loader", "Python loader"])
def data(request, board_home):
    """A function that asks one of TensorBoard's plugins: `data("scalars/tags")`."""
    with serve(board_home, "--port", "0", f"--load_fast={request.param}") as address:

        def ask(route: str, question: dict | None = None, **query):
            request = Request(f"{address}data/plugin/{route}?{urlencode(query)}",
                              json.dumps(question).encode() if question else None,    # without it, it is a GET
                              {"Content-Type": "application/json"})
            with urlopen(request, timeout=10) as response:
                body = response.read()
                return json.loads(body) if "json" in response.headers["Content-Type"] else body

        yield ask


def read_board(data, lesson: str) -> dict:
    """What there is of a lesson, in the form of BOARDS."""
    board = {"scalars": {}, "images": {}, "histograms": {}, "pr_curves": {}, "texts": 0, "graph": False}
    for plugin in ("scalars", "images", "histograms", "pr_curves"):
        for run, tags in data(f"{plugin}/tags").items():
            for tag in tags if run.startswith(lesson) else ():
                values = data(f"{plugin}/{plugin}", run=run, tag=tag, sample=0)
                values = values[run] if plugin == "pr_curves" else values
                board[plugin][tag] = board[plugin].get(tag, 0) + len(values)
    board["texts"] = sum(len(tags) for run, tags in data("text/tags").items() if run.startswith(lesson))
    board["graph"] = any(run.startswith(lesson) for run in data("graphs/info"))
    return board


@pytest.mark.parametrize("number", BOARDS)
def test_a_lessons_tags_and_how_often_each_was_written(number, data):
    lesson = find_lesson(number).stem
    nothing = {"scalars": {}, "images": {}, "histograms": {}, "pr_curves": {}, "texts": 1, "graph": False}
    expected = nothing | BOARDS[number]
    assert eventually(expected, lambda: read_board(data, lesson)) == expected
    for run, tags in data("images/tags").items():
        for tag in tags if run.startswith(lesson) else ():
            last = data("images/images", run=run, tag=tag, sample=0)[-1]
            Image.open(io.BytesIO(data(f"images/individualImage?{last['query']}&"))).load()


def test_the_graph_has_the_layers_names(data, lesson_results):
    run = f"{find_lesson(9).stem}/{lesson_results(9).run.name}"
    assert eventually(True, lambda: run in data("graphs/info"))
    graph = data("graphs/graph", run=run, conceptual="false").decode()
    for layer in ("conv1", "pool1", "conv2", "pool2", "conv3", "pool3", "flatten", "linear1", "linear2"):
        assert f"[{layer}]" in graph


def test_runs_of_lesson_12_compare_by_their_settings(data, lesson_results):
    """In the HPARAMS tab, where the final accuracy stands beside what led to it, and no run is there that is empty."""
    run = f"{find_lesson(12).stem}/{lesson_results(12).run.name}"

    def settings() -> set[str]:
        return {info["name"] for info in data("hparams/experiment", {"experimentName": ""}).get("hparamInfos", ())}

    expected = {"recipe", "epochs", "seed", "data", "device", "pictures", "batch_size", "learning_rate", "muon_rate",
                "milestones", "dropout", "crop_padding", "averaged", "whole_batches"}
    assert eventually(expected, settings) == expected
    (group,) = data("hparams/session_groups", {
        "experimentName": "", "sliceSize": 9, "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [{"metric": {"group": "", "tag": "test_acc"}}]})["sessionGroups"]
    assert group["hparams"]["recipe"] == "fast"
    values = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
    assert values["test_acc"] == data("scalars/scalars", run=run, tag="test_acc")[-1][2]
    assert {name for name in data("scalars/tags") if name.startswith(find_lesson(12).stem)} == {run}


def test_training_and_testing_share_a_chart_in_lesson_12(data, lesson_results):
    assert eventually(True, lambda: bool(data("custom_scalars/layout")))
    charts = data("custom_scalars/layout")["category"][0]["chart"]
    assert [chart["multiline"]["tag"] for chart in charts] == [["train_loss", "test_loss"], ["train_acc", "test_acc"]]


def test_what_no_lesson_wrote_is_not_there(data):
    with pytest.raises(HTTPError, match="404"):
        data("scalars/scalars", run="13_nothing", tag="3 charts/1 y = x")


@pytest.mark.parametrize("number", range(2, 12))
def test_lessons_write_little(number, lesson_results):
    assert 0 < sum(file.stat().st_size for file in lesson_results(number).run.rglob("events.*")) < LARGEST

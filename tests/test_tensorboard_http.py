"""What the lessons wrote, as TensorBoard gives it to the browser, with each of its two loaders."""

import io
import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from board import eventually, serve
from conftest import find_lesson
from PIL import Image
from test_lessons import BOARD_OF, NOTHING, WITH_BOARD

LARGEST = 20_000_000    # bytes that a lesson may write


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast loader", "Python loader"])
def data(request, board_home):
    """A function that asks one of TensorBoard's plugins: `data("scalars/tags")`."""
    with serve(board_home, "--port", "0", f"--load_fast={request.param}") as address:

        def ask(route: str, question: dict | None = None, **query):
            body = json.dumps(question).encode() if question else None    # None: a GET, else a POST
            request = Request(f"{address}data/plugin/{route}?{urlencode(query)}", body,
                              {"Content-Type": "application/json"})
            with urlopen(request, timeout=10) as response:
                body = response.read()
                return json.loads(body) if "json" in response.headers["Content-Type"] else body

        yield ask


def read_board(data, folder: str) -> dict:
    """What there is of the runs in a folder, in the form of BOARDS."""
    board = dict(NOTHING)
    for plugin in ("scalars", "images", "histograms", "pr_curves"):
        board[plugin] = {}
        for run, tags in data(f"{plugin}/tags").items():
            for tag in tags if run.startswith(folder) else ():
                values = data(f"{plugin}/{plugin}", run=run, tag=tag, sample=0)
                values = values[run] if plugin == "pr_curves" else values
                board[plugin][tag] = board[plugin].get(tag, 0) + len(values)
    board["texts"] = {tag.removesuffix("/text_summary") for run, tags in data("text/tags").items()
                      for tag in tags if run.startswith(folder)}
    board["graph"] = any(run.startswith(folder) for run in data("graphs/info"))
    return board


@pytest.mark.parametrize("folder", BOARD_OF)
def test_the_tags_of_a_run_and_how_often_each_was_written(folder, data):
    expected = NOTHING | BOARD_OF[folder]
    assert eventually(expected, lambda: read_board(data, folder)) == expected
    for run, tags in data("images/tags").items():
        for tag in tags if run.startswith(folder) else ():
            last = data("images/images", run=run, tag=tag, sample=0)[-1]
            picture = data(f"images/individualImage?{last['query']}&")
            Image.open(io.BytesIO(picture)).load()


def test_the_graph_has_the_layers_names(data, lesson_results):
    run = f"{find_lesson(9).stem}/{lesson_results(9).run.name}"
    assert eventually(True, lambda: run in data("graphs/info"))
    graph = data("graphs/graph", run=run, conceptual="false").decode()
    for layer in ("conv1", "pool1", "conv2", "pool2", "conv3", "pool3", "flatten", "linear1",
                  "linear2"):
        assert f"[{layer}]" in graph


def test_runs_of_the_trainer_compare_by_their_settings(data, trainer_run):
    """In the HPARAMS tab, where the final accuracy stands beside the settings that led to it."""

    def settings() -> set[str]:
        answer = data("hparams/experiment", {"experimentName": ""})
        return {info["name"] for info in answer.get("hparamInfos", ())}

    expected = {"recipe", "seed", "data", "device", "pictures", "epochs", "batch_size", "optimizer",
                "learning_rate", "milestones", "small_share", "averaged_epochs", "dropout",
                "crop_padding", "whole_batches"}
    assert eventually(expected, settings) == expected
    answer = data("hparams/session_groups", {
        "experimentName": "", "sliceSize": 9,
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [{"metric": {"group": "", "tag": "test accuracy"}}]})
    (group,) = answer["sessionGroups"]    # no other run, which would be empty
    assert group["hparams"]["recipe"] == "fast"
    values = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
    run = f"training/{trainer_run.name}"
    assert values["test accuracy"] == data("scalars/scalars", run=run, tag="test accuracy")[-1][2]


@pytest.mark.parametrize("folder", ["12_train_gpu", "training"])
@pytest.mark.parametrize("name", ["loss", "accuracy"])
def test_training_and_testing_are_two_curves_of_one_chart(folder, name, data):
    """They are, because two runs have the same tag. Their steps are the epochs, from 1 on."""

    def curves() -> dict[str, str]:
        return {run.rpartition("/")[2]: run for run, tags in data("scalars/tags").items()
                if run.startswith(folder) and f"12 curves/{name}" in tags}

    expected = {"training", "testing"}
    assert eventually(expected, lambda: set(curves())) == expected
    epochs = BOARD_OF[folder]["scalars"][f"12 curves/{name}"] // 2
    for run in curves().values():
        points = data("scalars/scalars", run=run, tag=f"12 curves/{name}")
        assert [step for _, step, _ in points] == list(range(1, epochs + 1))


def test_what_no_lesson_wrote_is_not_there(data):
    with pytest.raises(HTTPError, match="404"):
        data("scalars/scalars", run="13_nothing", tag="3 charts/1 y = x")


@pytest.mark.parametrize("number", WITH_BOARD)
def test_lessons_write_little(number, lesson_results):
    files = lesson_results(number).run.rglob("events.*")
    assert 0 < sum(file.stat().st_size for file in files) < LARGEST

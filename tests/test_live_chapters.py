"""Every cell of every chapter that a page offers to run does run in it.

From the disk, in a real browser, in order and once, with the solutions in
the place of the stubs: no cell fails, and the exercises get all their marks.
"""
import pytest

from conftest import FILES, ROOT
from live_pages import complaint, run_pages, solutions, write_pages

READER = [file for file in FILES if "making" not in file
          and '"code"' in (ROOT / file).read_text("utf-8")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory, packs):
    "The folder of a book, and what its pages know."
    folder = tmp_path_factory.mktemp("live")
    return folder, write_pages(folder, packs, READER, "es")


@pytest.fixture(scope="module")
def runs(request, pages, chromium):
    "What the cells of each chapter that is tested told when they ran."
    folder, data = pages
    asked = {item.callspec.params["file"] for item in request.session.items
             if item.module is request.module and hasattr(item, "callspec")}
    jobs = {}
    for file in [file for file in READER if file in asked]:
        answers = solutions(file)
        jobs[file] = [{**cell, "code": answers.get(cell["id"], cell["code"])}
                      for cell in data[file]["cells"] if cell["kind"] != "no"]
    return run_pages(chromium, folder, jobs, "es")


@pytest.mark.parametrize("file", READER)
def test_every_cell_of_the_page_runs(file, pages, runs):
    told = runs[file]
    assert all(isinstance(one, dict) for one in told), told[-1]
    failed = [f"{file}, cell {one['id']}: {complaint(one)}"
              for one in told if not one["ok"]]
    assert not failed, "\n".join(failed)
    assert [one["id"] for one in told] == [
        cell["id"] for cell in pages[1][file]["cells"]
        if cell["kind"] != "no"]
    lost = [f"{file}, cell {one['id']}: {one['marks']}" for one in told
            if any(earned != points for earned, points
                   in one["marks"].values())]
    assert not lost, "\n".join(lost)


def test_at_most_one_cell_in_ten_does_not_run(pages):
    cells = [cell for data in pages[1].values() for cell in data["cells"]]
    apart = [cell for cell in cells if cell["kind"] == "no"]
    torch = [cell for cell in apart if "torch" in cell["why"]]
    assert len(apart) - len(torch) <= (len(cells) - len(torch)) / 10

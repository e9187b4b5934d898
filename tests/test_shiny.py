"""The Shiny app: its own server, a real browser, and cnnbook's numbers."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress

import numpy as np
import pytest

from cnnbook.convolution1d import conv1d
from cnnbook.press.apps import find_shinylive, stage_app, write_apps
from cnnbook.press.reach import modules_used
from cnnbook.press.scripts import write_script
from conftest import ROOT

APP = ROOT / "apps" / "signal"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    "The address of the app, served where cnnbook is the staged copy alone."
    pytest.importorskip("shiny", reason=(
        "the tests of the app need Shiny: pip install 'cnnbook[shiny]'"))
    folder = tmp_path_factory.mktemp("staged")
    stage_app(APP, modules_used((APP / "app.py").read_text(),
                                ROOT / "cnnbook"), folder, "en")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "shiny", "run", "--port", str(port),
         "--log-level", "warning", "app.py"], cwd=folder)
    address = f"http://127.0.0.1:{port}/"
    wait_until_it_answers(address, process)
    yield address
    process.terminate()
    process.wait()


def wait_until_it_answers(address, process):
    "Ask until the server answers; raise if it stops."
    while process.poll() is None:
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
    raise AssertionError(f"the server stopped: {process.returncode}")


@pytest.fixture
def page(server, chromium):
    page, problems = chromium.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: request.url.startswith(server)
            or request.url.startswith("data:")
            or problems.append(request.url))
    page.goto(server)
    page.wait_for_function("document.querySelector('#ratio').textContent")
    yield page
    page.close()
    assert not problems


def slide(page, name, key, times):
    "Press an arrow `times` on the slider of the input `name`; its value."
    line = page.locator(f".shiny-input-container:has(#{name}) .irs-line")
    for _ in range(times):
        page.wait_for_timeout(200)          # the slider draws when it can
        before = page.locator(f"#{name}").input_value()
        line.press(key)
        page.wait_for_function(
            "([name, before]) => document.getElementById(name).value "
            "!== before", arg=[name, before])
    return float(page.locator(f"#{name}").input_value())


def assert_shows(page, period, amplitude, phase, w, p, s):
    "The numbers shown are those of cnnbook for these settings."
    i = np.arange(64)
    x = amplitude * np.sin(2 * np.pi * i / period + np.radians(phase))
    y = conv1d(x, w, p, s)
    text = " ".join(f"{value:.4f}" for value in y).replace("-0.0000",
                                                           "0.0000")
    page.wait_for_function(
        "wanted => document.querySelector('#y').textContent"
        ".replaceAll('-0.0000', '0.0000') === wanted", arg=text)
    size = page.locator("#size").text_content()
    assert size.endswith(f"= {len(y)}")
    numbers = list(map(int, re.findall(r"\d+", size)))
    n, before, after, m, stride, n_out = (
        numbers[:5] + numbers[6:])                  # without the + 1
    assert (n, m, stride) == (64, len(w), s)
    assert (n + before + after - m) // stride + 1 == n_out == len(y)
    ratio = abs(np.sum(w * np.exp(-2j * np.pi * np.arange(len(w)) / period)))
    assert abs(float(page.locator("#ratio").text_content()) - ratio) < 1e-4
    assert page.locator("svg.filtered circle").count() == len(y)


def test_the_sliders_move_the_wave(page):
    third = np.full(3, 1 / 3)
    assert_shows(page, 16, 1, 0, third, "same", 1)
    period = slide(page, "period", "ArrowLeft", 5)
    amplitude = slide(page, "amplitude", "ArrowRight", 7)
    phase = slide(page, "phase", "ArrowRight", 9)
    assert (period, amplitude) == (11, 1.7) and 30 <= phase < 360
    assert_shows(page, period, amplitude, phase, third, "same", 1)


def test_the_filter_is_cnnbooks(page):
    page.get_by_label("Kernel", exact=True).select_option("average of 8")
    eighth = np.full(8, 1 / 8)
    for mode in "full", "valid", "same":
        page.get_by_label(mode, exact=True).check()
        assert_shows(page, 16, 1, 0, eighth, mode, 1)
    page.get_by_label("zeros on each side").check()
    page.get_by_label("p", exact=True).fill("5")
    page.get_by_label("Stride").fill("3")
    assert_shows(page, 16, 1, 0, eighth, 5, 3)
    page.get_by_label("Kernel", exact=True).select_option("your own")
    page.get_by_label("Numbers of the kernel").fill("2 -1/2 0 0.25")
    assert_shows(page, 16, 1, 0, np.array([2, -0.5, 0, 0.25]), 5, 3)


@pytest.mark.parametrize("kernel, complaint", [
    ("1 two", "two"), ("", "w"), ("1/0", "ZeroDivisionError"),
    ("1e9", "-999 to 999"), ("1 " * 65, "larger than the input")])
def test_a_bad_kernel_is_told_and_mended(page, kernel, complaint):
    page.get_by_label("Kernel", exact=True).select_option("your own")
    field = page.get_by_label("Numbers of the kernel")
    field.fill(kernel)
    page.wait_for_selector(".alert")
    assert complaint in page.locator(".alert").text_content()
    assert page.locator("#y").text_content() == "–"
    field.fill("1 -1")
    page.wait_for_selector("svg.filtered")
    assert_shows(page, 16, 1, 0, np.array([1, -1]), "same", 1)


def test_a_bad_stride_or_padding_is_told(page):
    stride = page.get_by_label("Stride")
    for value, complaint in ("0", "s must be"), ("", "s must be"):
        stride.fill(value)
        page.wait_for_selector(".alert")
        assert complaint in page.locator(".alert").text_content()
        stride.fill("1")
        page.wait_for_selector(".alert", state="detached")
    page.get_by_label("zeros on each side").check()
    page.get_by_label("p", exact=True).fill("100000")
    page.wait_for_selector(".alert")
    assert "at most 64" in page.locator(".alert").text_content()


def test_it_speaks_both_languages(page, server):
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").text_content() == "The wave and the filter"
    page.goto(server + "?lang=es")
    page.wait_for_selector("svg.filtered")
    assert page.locator("html").get_attribute("lang") == "es"
    assert "El filtro" in page.inner_text("body")
    assert "The" not in page.inner_text("body")


def test_it_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_only_what_the_app_uses_travels(tmp_path):
    used = modules_used((APP / "app.py").read_text(), ROOT / "cnnbook")
    stage_app(APP, used, tmp_path, "es")
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")
            } == {"app.py", "language.txt", "cnnbook/__init__.py", "cnnbook/_lazy.py",
                  "cnnbook/checks.py", "cnnbook/convolution1d.py",
                  "cnnbook/press/__init__.py", "cnnbook/press/visits.py"}
    with pytest.raises(ValueError, match="app must be a folder"):
        stage_app(tmp_path / "cnnbook", used, tmp_path / "other", "es")


SHINYLIVE = """#!{python}
import shutil, sys
from pathlib import Path
command = sys.argv[1:]
if command == ["assets", "version"]:
    print("9.8.7")
elif command == ["assets", "info"]:
    print("    Installed versions:\\n    /somewhere/shinylive-{version}")
elif command[0] == "export" and command[3] == "--subdir":
    out = Path(command[2]) / command[4]
    out.parent.mkdir(exist_ok=True)
    shutil.copytree(command[1], out)
else:
    sys.exit(f"unexpected: {{command}}")
"""


@pytest.mark.parametrize("version, carried", [
    ("9.8.7", ["signal", "training"]), ("9.8.6", [])])
def test_the_book_carries_the_app_where_shinylive_is(
        tmp_path, monkeypatch, version, carried):
    program = tmp_path / "bin" / "shinylive"
    program.parent.mkdir()
    program.write_text(SHINYLIVE.format(python=sys.executable,
                                        version=version))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert bool(find_shinylive()) == bool(carried)
    (tmp_path / "project" / "assets").mkdir(parents=True)
    write_apps(ROOT, tmp_path / "project", "es")
    assets = tmp_path / "project" / "assets"
    said = (assets / "widgets/data/apps.js").read_text()
    assert said.endswith('["apps"] = ' + json.dumps(
        {name: f"live/{name}/" for name in carried}) + ";\n")
    for name, module in zip(carried, ("convolution1d", "nn/training")):
        app = assets / "live" / name
        assert (app / "language.txt").read_text() == "es"
        assert (app / "cnnbook" / f"{module}.py").exists()


PAGE = """<!DOCTYPE html><html lang="es"><meta charset="utf-8">
<title>Una página</title><figure id="fig-app"><img alt="Una onda"></figure>
<shiny-app for="fig-app" name="signal"></shiny-app>
<script defer src="assets/widgets/core.js"></script>
<script defer src="assets/widgets/lab.js"></script>
<script defer src="assets/widgets/shiny-app.js"></script></html>"""


@pytest.fixture
def site(tmp_path):
    "A page that asks for the app, and an app where Shinylive puts it."
    shutil.copytree(ROOT / "assets" / "widgets", tmp_path / "assets/widgets")
    (tmp_path / "assets/live/signal").mkdir(parents=True)
    (tmp_path / "assets/live/signal/index.html").write_text("<p>The app</p>")
    (tmp_path / "page.html").write_text(PAGE)
    return tmp_path


def open_site(chromium, site, address, apps):
    "Open the page of a book that carries `apps`; return it and its errors."
    write_script(site / "assets/widgets/data", "apps", apps)
    page, problems = chromium.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(address)
    page.wait_for_function("globalThis.cnnbookData?.apps")
    return page, problems


def test_the_page_opens_the_app_when_asked(chromium, site):
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(
        SimpleHTTPRequestHandler, directory=site))
    Thread(target=server.serve_forever, daemon=True).start()
    page, problems = open_site(
        chromium, site, f"http://127.0.0.1:{server.server_port}/page.html",
        {"signal": "live/signal/"})
    button = page.get_by_role("button", name="necesita la red")
    button.wait_for()
    assert page.locator("iframe").count() == 0      # nothing yet downloaded
    assert page.locator("figure img").count() == 1
    button.click()
    frame = page.frame_locator("iframe")
    assert frame.locator("p").text_content() == "The app"
    assert page.locator("iframe").get_attribute("title")
    page.close()
    server.shutdown()
    server.server_close()
    assert not problems


@pytest.mark.parametrize("apps", [{"signal": "live/signal/"},
                                  {"other": "live/other/"}, {}])
def test_from_the_disk_the_picture_and_the_command_remain(
        chromium, site, apps):
    page, problems = open_site(chromium, site,
                               (site / "page.html").as_uri(), apps)
    assert page.locator("figure img").count() == 1
    assert page.locator("iframe, button").count() == 0
    assert ("necesita un servidor" in page.inner_text("body")) == (
        "signal" in apps)
    page.close()
    assert not problems

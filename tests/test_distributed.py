"""Data-parallel training under torchrun, with real processes and a real kill.

Needs the optional extra `torch`; skipped without it."""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="the optional extra 'torch' is not installed")

from cnnbook import nn
from cnnbook.interop.distributed import (launch, load_checkpoint, read_data,
                                 resume, save_checkpoint, shares,
                                 small_network)
from cnnbook.interop.pytorch import to_torch

EPOCHS, STEPS = 12, 12 * 21     # 21 batches of 64 in each epoch

GRADIENT = """
import sys, numpy as np, torch
from torch.nn.parallel import DistributedDataParallel
from cnnbook.interop.distributed import (join, leave, read_data, shares,
                                 small_network)
from cnnbook.interop.pytorch import to_torch
rank, processes, device = join()
X, labels = read_data()
mine = shares(len(X), 64, rank, processes, epoch=3)[5]
net = DistributedDataParallel(
    to_torch(small_network((8, 8, 1), 10, dtype=np.float64)).train())
x = torch.tensor(X, dtype=torch.float64).permute(0, 3, 1, 2).contiguous()
Z = net(x[mine])
torch.nn.functional.cross_entropy(Z, torch.as_tensor(labels)[mine]).backward()
torch.save([p.grad for p in net.parameters()], f"{sys.argv[1]}-{rank}.pt")
del net
leave()
"""


def run(folder, *more, processes, kill=None, **settings):
    """Train to the end; return what it printed.

    `kill=(rank, step)` sends SIGKILL to that worker once the checkpoint of
    that step is written.
    """
    child = launch("-m", "cnnbook.interop.distributed", "--folder", folder,
                   "--epochs", EPOCHS, "--every", 10, *more,
                   processes=processes, **settings)
    said, pids, timer = [], {}, threading.Timer(240, child.kill)
    timer.start()
    for line in child.stdout:
        said.append(line)
        born = re.match(r"rank (\d+) of \d+, process (\d+)", line)
        if born:
            pids[int(born[1])] = int(born[2])
        if kill and line.startswith(f"step {kill[1]}:"):
            os.kill(pids[kill[0]], signal.SIGKILL)
            kill = None
    timer.cancel()
    assert child.wait(timeout=60) == 0, "".join(said)
    assert kill is None
    return "".join(said)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    "The folders of uninterrupted trainings, by their number of processes."
    folders = {p: tmp_path_factory.mktemp(f"straight{p}") for p in (1, 2, 4)}
    for processes, folder in folders.items():
        run(folder, processes=processes)
    return folders


def state(folder):
    return load_checkpoint(folder / "checkpoint.pt")


@pytest.mark.parametrize("processes", [2, 4])
def test_the_averaged_gradient_is_that_of_one_process(tmp_path, processes):
    (tmp_path / "gradient.py").write_text(GRADIENT)
    child = launch(tmp_path / "gradient.py", tmp_path / "g",
                   processes=processes)
    assert child.communicate(timeout=120)[0] is not None
    assert child.returncode == 0
    X, labels = read_data()
    index = shares(len(X), 64, 0, 1, epoch=3)[5].numpy()
    model = small_network((8, 8, 1), 10, dtype=np.float64)
    Z = model(X[index].astype(np.float64))
    model.backward(nn.softmax_cross_entropy(Z, labels[index])[1])
    W, b = model[0].grads.values()
    ours = [W.transpose(3, 2, 0, 1), b.ravel()]         # NumPy alone
    for rank in range(processes):
        grads = torch.load(tmp_path / f"g-{rank}.pt", weights_only=True)
        for got, expected in zip(grads, ours):
            np.testing.assert_allclose(got.numpy(), expected, rtol=1e-9,
                                       atol=1e-14)
        np.testing.assert_allclose(
            np.linalg.norm(grads[2].numpy()),
            np.linalg.norm(model[-1].grads["W"]), rtol=1e-12)


@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_end_where_one_does(straight, processes):
    one, several = state(straight[1]), state(straight[processes])
    assert several["step"] == STEPS == one["step"]
    np.testing.assert_allclose(several["costs"], one["costs"], rtol=1e-3)
    for name, value in one["net"].items():
        torch.testing.assert_close(several["net"][name], value, rtol=1e-3,
                                   atol=1e-3)
    assert one["costs"][-1] < 0.5 * one["costs"][0]     # and it learns


def test_a_killed_worker_loses_nothing(straight, tmp_path):
    "Here the one that writes the checkpoints; in the chapter, the other."
    said = run(tmp_path, processes=2, max_restarts=1, kill=(0, 40))
    starts = [int(n) for n in re.findall(r"from step (\d+)", said)]
    assert starts[:2] == [0, 0] and len(starts) == 4
    assert starts[2] == starts[3] and 40 <= starts[2] < STEPS
    interrupted, expected = state(tmp_path), state(straight[2])
    assert interrupted["step"] == STEPS
    assert interrupted["costs"] == expected["costs"]
    for name, value in expected["net"].items():         # the same bits
        assert torch.equal(interrupted["net"][name], value), name
    moments = interrupted["optimizer"]["state"]
    for key, value in expected["optimizer"]["state"].items():
        assert torch.equal(moments[key]["momentum_buffer"],
                           value["momentum_buffer"])


def test_it_goes_on_with_another_number_of_processes(straight, tmp_path):
    child = launch("-m", "cnnbook.interop.distributed", "--folder", tmp_path,
                   "--epochs", 2, "--every", 10, processes=2)
    child.communicate(timeout=120)
    said = run(tmp_path, processes=1)
    assert "rank 0 of 1" in said and "from step 42" in said
    for name, value in state(straight[1])["net"].items():
        torch.testing.assert_close(state(tmp_path)["net"][name], value,
                                   rtol=1e-3, atol=1e-3)


THREADS = """
import os, sys, time
from cnnbook.interop.distributed import run_command
run_command(["--folder", sys.argv[1], "--epochs", "1"])
for _ in range(100):                # the system may list one a moment more
    left = len(os.listdir("/proc/self/task")) - 1
    if left == 0:
        break
    time.sleep(0.05)
os.write(1, b"threads left: %d\\n" % left)        # in one piece
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/task"),
                    reason="counts threads as Linux shows them")
def test_no_thread_outlives_the_training(tmp_path):
    """One that still holds a tensor when Python ends aborts the process."""
    (tmp_path / "threads.py").write_text(THREADS)
    child = launch(tmp_path / "threads.py", tmp_path, processes=2)
    said = child.communicate(timeout=120)[0]
    assert re.findall(r"threads left: (\d+)", said) == ["0", "0"], said


def test_other_settings_are_refused(straight):
    path = straight[1] / "checkpoint.pt"
    net = to_torch(small_network((8, 8, 1), 10))
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    settings = load_checkpoint(path)["settings"]
    with pytest.raises(ValueError, match="the checkpoint must have"):
        resume(path, net, optimizer, settings | {"seed": 1})
    step, costs = resume(path, net, optimizer, settings)
    assert step == STEPS and len(costs) == -(-STEPS // 10)
    for name, value in state(straight[1])["net"].items():
        assert torch.equal(net.state_dict()[name], value)


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_what_travels_is_what_the_formula_says(straight, processes):
    n = sum(v.nbytes for v in state(straight[1])["net"].values())
    formula = 2 * (processes - 1) / processes * n
    for rank in range(processes):
        report = json.loads((straight[processes] / f"report-{rank}.json")
                            .read_text())
        assert report["bytes"] == n and report["steps"] == STEPS
        if sys.platform == "linux":         # headers: some dozens of bytes
            messages = 2 * (processes - 1)
            assert formula <= report["sent"] <= (
                formula + 600 * messages + 64), report


def test_the_batches_do_not_depend_on_the_number_of_processes():
    def batches(processes):
        each = [shares(203, 12, rank, processes, epoch=1)
                for rank in range(processes)]
        assert all(len(share) == 12 // processes
                   for parts in each for share in parts)
        return [sorted(torch.cat(parts).tolist()) for parts in zip(*each)]
    assert batches(1) == batches(2) == batches(3) == batches(4)
    assert len(set(sum(batches(4), []))) == 16 * 12


@pytest.mark.parametrize("batch", [10, 204, 0, "12", 12.0])
def test_a_batch_that_cannot_be_shared_is_refused(batch):
    with pytest.raises((ValueError, TypeError), match="batch"):
        shares(203, batch, 0, 4, 0)


KEEP = """
import sys, torch
from cnnbook.interop.distributed import save_checkpoint
n = 0
while True:
    n += 1
    save_checkpoint(sys.argv[1], {"n": n, "W": torch.full((200_000,), n)})
    print(n, flush=True)
"""


def test_a_checkpoint_is_whole_whenever_its_writer_dies(tmp_path):
    path = tmp_path / "checkpoint.pt"
    child = subprocess.Popen([sys.executable, "-c", KEEP, path],
                             stdout=subprocess.PIPE, cwd=os.getcwd(),
                             env={**os.environ, "PYTHONPATH": os.pathsep.join(
                                 filter(None, sys.path))})
    for _ in range(20):
        child.stdout.readline()
        kept = load_checkpoint(path)            # while it is being replaced
        assert torch.all(kept["W"] == kept["n"])
    child.kill()                                # it is writing the next
    child.wait()
    child.stdout.close()
    kept = load_checkpoint(path)
    assert kept["n"] >= 20 and torch.all(kept["W"] == kept["n"])


class Trap:
    def __reduce__(self):
        return os.system, ("touch trapped",)


def test_a_checkpoint_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"step": Trap()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="must be a whole checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "trapped").exists()
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "nothing.pt")


def test_a_failed_save_leaves_the_old_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})
    with pytest.raises(Exception):
        save_checkpoint(path, {"step": lambda: None})   # cannot be kept
    assert load_checkpoint(path) == {"step": 1}


@pytest.mark.parametrize("processes", [0, -1, 1.5, "2"])
def test_launch_refuses_a_wrong_number_of_processes(processes):
    with pytest.raises((ValueError, TypeError), match="processes"):
        launch("nothing.py", processes=processes)


def test_the_twin_of_the_small_network_has_the_parameters_it_says():
    net = to_torch(small_network((32, 32, 3), 2))
    assert sum(p.numel() for p in net.parameters()) == 448 + 9250

"""Time `cnnbook.fast` against its peers: PyTorch, SciPy, NumPy, the loops.

    python benchmarks/bench.py [--quick] [--case TEXT] [--threads N ...]

Writes results.md (a table) and results.svg (the ratios) next to this file,
unless --case chose some of the cases. PyTorch is optional: without it its
cases have no peer, and the table says so.

In each round ours and its peers run one after the other, in an order drawn
by lot: with one thread, all in this process. With several, PyTorch's threads
and those of NumPy's algebra library would disturb one another within a
process, so the peers run in a second one, which is idle while ours is timed,
and ours while it is. A round is dropped when a product of two matrices,
timed before and after it, says that something else was using the machine.
What is reported is the median, over the rounds that are left, of the ratio
of ours to the best peer, with its quartiles.
"""
import argparse
import multiprocessing
import os
import platform
import random
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy as np

from cnnbook import backprop, conv_layer, fast, pooling
from cnnbook.press.recorded import processor

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None
try:
    import scipy.signal as signal
except ImportError:
    signal = None

try:
    from threadpoolctl import threadpool_limits
except ImportError:
    threadpool_limits = None

rng = np.random.default_rng(0)


def normal(*shape, dtype=np.float32):
    return rng.standard_normal(shape).astype(dtype)


# ---- the machine ---------------------------------------------------------
def clock(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Machine:
    "Says how fast the machine multiplies, and whether it is free."
    def __init__(self):
        self.A, self.B = normal(384, 384), normal(384, 384)
        self.quiet = sorted(self.probe() for _ in range(60))[10]

    def probe(self):
        return clock(lambda: self.A @ self.B)

    def free(self, seconds):
        self.quiet = min(self.quiet, seconds * 1.1)
        return seconds < 1.35 * self.quiet

    def wait(self, most=0.5):
        "Wait a little until the machine is free; the last probe."
        stop = time.perf_counter() + most
        while True:
            seconds = self.probe()
            if self.free(seconds) or time.perf_counter() > stop:
                return seconds

    def sgemm(self, dtype=np.float32, n=1024):
        "The best of some large products, in multiply-adds a second."
        A = normal(n, n, dtype=dtype)
        return n ** 3 / min(clock(lambda: A @ A) for _ in range(12))


def compare(machine, ours, peers, seconds):
    """Times of ours and of each peer in the rounds that were not disturbed.

    The functions run once and return their seconds. Returns a dict
    name -> list of seconds, and how many rounds were dropped: "busy" if the
    machine was never free, and then the times say little.
    """
    everyone = {"ours": ours, **peers}
    for function in everyone.values():
        function()
        function()
    names = list(everyone)
    rounds, start, good = [], time.perf_counter(), 0
    while len(rounds) < 5 or (
            time.perf_counter() < start + (seconds if good >= 9
                                           else 4 * seconds)):
        before = machine.wait()
        random.shuffle(names)           # none always follows the same one
        times = {name: everyone[name]() for name in names}
        rounds.append((max(before, machine.probe()), times))
        good += machine.free(rounds[-1][0])
    kept = [times for probe, times in rounds if machine.free(probe)]
    busy = len(kept) < 5
    if busy:                                # never free: the least disturbed
        kept = [t for _, t in sorted(rounds, key=lambda r: r[0])]
        kept = kept[:max(5, len(kept) // 4)]
    return ({name: [t[name] for t in kept] for name in everyone},
            f"{len(rounds) - len(kept)}" + (", busy" if busy else ""))


# ---- several threads: the peers in another process -----------------------
PAUSE = 0.03                # seconds until idle threads stop spinning
WARM = 0.06                 # until the threads are spread over the cores


def timed(function):
    return lambda: clock(function)


def rested(function):
    "Time it once the threads of the others sleep and its own have woken."
    def run():
        time.sleep(PAUSE)
        start, times = time.perf_counter(), []
        while time.perf_counter() < start + WARM or len(times) < 4:
            times.append(clock(function))
        return statistics.median(times[len(times) // 2:])
    return run


def limit(threads):
    "How many threads ours and its peers may use, in this process."
    os.environ["CNNBOOK_THREADS"] = str(threads)
    if torch:
        torch.set_num_threads(threads)
    if threadpool_limits:
        threadpool_limits(threads, user_api="blas")


def serve(pipe, threads):
    "The other process: time the peers of a case when told to."
    limit(threads)
    made, peers = dict(cases()), {}
    for what, name in iter(pipe.recv, None):
        if what == "case":
            peers = {k: rested(f) for k, f in made[name]()[1].items()}
            pipe.send(list(peers))
        else:
            pipe.send(peers[name]())


class Peers:
    "The peers of each case, timed in another process."
    def __init__(self, threads):
        self.pipe, other = multiprocessing.Pipe()
        multiprocessing.get_context("spawn").Process(
            target=serve, args=(other, threads), daemon=True).start()

    def ask(self, *message):
        self.pipe.send(message)
        return self.pipe.recv()

    def of(self, case):
        return {name: lambda name=name: self.ask("time", name)
                for name in self.ask("case", case)}


# ---- the cases -----------------------------------------------------------
LAYERS = {                  # m, H, W, C, f, n, stride, pad
    "a": (64, 28, 28, 1, 5, 6, 1, 0), "b": (32, 32, 32, 3, 3, 32, 1, 1),
    "c": (8, 56, 56, 64, 3, 64, 1, 1), "d": (8, 28, 28, 128, 3, 128, 1, 1),
    "e": (4, 224, 224, 3, 7, 64, 2, 3), "f": (8, 28, 28, 256, 1, 256, 1, 0),
    "g": (8, 14, 14, 256, 3, 256, 1, 1)}
TARGET = {"forward a": 1.2, "forward b": 2.0, "forward c": 0.95,
          "forward d": 0.75, "forward e": 1.15, "forward f": 1.1,
          "forward g": 0.9, "backward b": 1.5, "backward c": 0.9,
          "backward d": 0.9, "backward g": 0.9, "training step": 1.0,
          "pool 2x2 forward": 1.2, "pool 2x2 backward": 2.0,
          "pool 3x3 forward": 2.0, "pool 3x3 backward": 3.0,
          "conv1d": 1.0, "conv2d": 1.0}


def layouts(x, W, grad=False):
    "The tensors of a layer in PyTorch's two layouts."
    for name in "contiguous_format", "channels_last":
        layout = getattr(torch, name)
        yield name.replace("contiguous_format", "NCHW"), *(
            torch.from_numpy(v).permute(*axes).contiguous(
                memory_format=layout).requires_grad_(grad)
            for v, axes in ((x, (0, 3, 1, 2)), (W, (3, 2, 0, 1))))


def silent(function):
    def run():
        with torch.no_grad():
            return function()
    return run


def conv_case(key, direction, dtype=np.float32):
    m, H, Wd, C, f, n, s, p = LAYERS[key]
    x, W = normal(m, H, Wd, C, dtype=dtype), normal(f, f, C, n, dtype=dtype)
    b, hp = normal(1, 1, 1, n, dtype=dtype), {"stride": s, "pad": p}
    Z, cache = fast.conv_forward(x, W, b, hp)
    dZ, peers = normal(*Z.shape, dtype=dtype), {}
    for name, X, K in layouts(x, W, direction == "backward") if torch else ():
        B = torch.from_numpy(b.ravel()).requires_grad_(
            direction == "backward")
        forward = lambda X=X, K=K, B=B: F.conv2d(X, K, B, s, p)
        if direction == "forward":
            peers[f"torch {name}"] = silent(forward)
            continue
        z = forward()
        G = torch.from_numpy(dZ).permute(0, 3, 1, 2).contiguous(
            memory_format=torch.channels_last if "last" in name
            else torch.contiguous_format)
        peers[f"torch {name}"] = lambda z=z, X=X, K=K, B=B, G=G: (
            torch.autograd.grad(z, (X, K, B), G, retain_graph=True))
    work = Z.size * f * f * C * (1 if direction == "forward" else 2)
    ours = ((lambda: fast.conv_forward(x, W, b, hp))
            if direction == "forward"
            else (lambda: fast.conv_backward(dZ, cache)))
    return ours, peers, work, (key, direction)


def pool_case(shape, f, mode, direction):
    "forward: in inference; training: forward, with what backward needs."
    x, hp = normal(*shape), {"f": f, "stride": 2}
    A, cache = fast.pool_forward(x, hp, mode)
    dA, peers = normal(*A.shape), {}
    for name, X, _ in layouts(x, normal(1, 1, 1, 1)) if torch else ():
        op = F.max_pool2d if mode == "max" else F.avg_pool2d
        if direction == "forward":
            peers[f"torch {name}"] = silent(lambda X=X, op=op: op(X, f, 2))
            continue
        X.requires_grad_()
        if direction == "training":
            peers[f"torch {name}"] = lambda X=X, op=op: op(X, f, 2)
            continue
        z = op(X, f, 2)
        G = torch.from_numpy(dA).permute(0, 3, 1, 2).contiguous(
            memory_format=torch.channels_last if "last" in name
            else torch.contiguous_format)
        peers[f"torch {name}"] = lambda z=z, X=X, G=G: torch.autograd.grad(
            z, X, G, retain_graph=True)
    ours = ((lambda: fast.pool_backward(dA, cache, mode))
            if direction == "backward" else
            (lambda: fast.pool_forward(x, hp, mode,
                                       places=direction == "training")))
    return ours, peers, None, None


def conv1d_case(k):
    x, w = normal(10 ** 6), normal(k)
    peers = {}
    if k < 10001:                       # np.convolve takes seconds there
        peers["np.convolve"] = lambda: np.convolve(x, w, "same")
    if signal:
        peers["oaconvolve"] = lambda: signal.oaconvolve(x, w, "same")
    return lambda: fast.conv1d(x, w, "same"), peers, None, None


def conv2d_case(k, separable=False):
    X, W, peers = normal(512, 512), normal(k, k), {}
    if separable:
        W = np.outer(W[0], W[1])
    if signal:
        if k < 60:
            peers["convolve2d"] = lambda: signal.convolve2d(X, W, "same")
        for name in "fftconvolve", "oaconvolve":
            peers[name] = lambda f=getattr(signal, name): f(X, W, "same")
    return lambda: fast.conv2d(X, W, "same"), peers, None, None


def step_case():
    "Conv 16, ReLU, pool, conv 32, ReLU, pool, dense 10, softmax, SGD."
    x, y = normal(64, 32, 32, 3), rng.integers(0, 10, 64)
    hp, pool, rate = {"stride": 1, "pad": 1}, {"f": 2, "stride": 2}, 1e-3
    scale = np.float32(0.1)
    P = [normal(3, 3, 3, 16) * scale, np.zeros((1, 1, 1, 16), np.float32),
         normal(3, 3, 16, 32) * scale, np.zeros((1, 1, 1, 32), np.float32),
         normal(2048, 10) * scale, np.zeros(10, np.float32)]
    Y = np.eye(10, dtype=np.float32)[y]

    def ours():
        W1, b1, W2, b2, W3, b3 = P
        Z1, c1 = fast.conv_forward(x, W1, b1, hp)
        # ReLU and max pooling commute; after it there is a quarter to do
        A1p, q1 = fast.pool_forward(Z1, pool)
        mask1 = A1p > 0
        A1p *= mask1
        Z2, c2 = fast.conv_forward(A1p, W2, b2, hp)
        A2p, q2 = fast.pool_forward(Z2, pool)
        mask2 = A2p > 0
        A2p *= mask2
        flat = A2p.reshape(64, -1)
        logits = flat @ W3 + b3
        E = np.exp(logits - logits.max(axis=1, keepdims=True))
        d = (E / E.sum(axis=1, keepdims=True) - Y) / 64
        dW3, db3 = flat.T @ d, d.sum(axis=0)
        dA2p = (d @ W3.T).reshape(A2p.shape) * mask2
        dA2 = fast.pool_backward(dA2p, q2)
        dA1p, dW2, db2 = fast.conv_backward(dA2, c2)
        dA1p *= mask1
        dA1 = fast.pool_backward(dA1p, q1)
        _, dW1, db1 = fast.conv_backward(dA1, c1, input_gradient=False)
        for p, g in zip(P, (dW1, db1, dW2, db2, dW3, db3)):
            p -= np.float32(rate) * g

    peers = {}
    for layout in ("NCHW", "channels_last") if torch else ():
        memory = (torch.channels_last if layout == "channels_last"
                  else torch.contiguous_format)
        X = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(
            memory_format=memory)
        target = torch.from_numpy(y)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU(),
            torch.nn.MaxPool2d(2), torch.nn.Conv2d(16, 32, 3, padding=1),
            torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
            torch.nn.Linear(2048, 10)).to(memory_format=memory)
        sgd = torch.optim.SGD(net.parameters(), lr=rate)

        def step(net=net, sgd=sgd, X=X):
            sgd.zero_grad()
            F.cross_entropy(net(X), target).backward()
            sgd.step()
        peers[f"torch {layout}"] = step
    return ours, peers, None, None


def cases():
    for key in LAYERS:
        yield f"forward {key}", lambda key=key: conv_case(key, "forward")
    for key in "cd":
        yield f"forward {key} float64", lambda key=key: conv_case(
            key, "forward", np.float64)
    for key in "bcdg":
        yield f"backward {key}", lambda key=key: conv_case(key, "backward")
    for key in "cd":
        yield f"backward {key} float64", lambda key=key: conv_case(
            key, "backward", np.float64)
    for f in 2, 3:
        for direction, mode in (
                ("forward", "max"), ("forward", "average"),
                ("training", "max"), ("backward", "max"),
                ("backward", "average")):
            for shape in (64, 32, 32, 16), (8, 56, 56, 64):
                yield (f"pool {f}x{f} {direction} {mode} "
                       + "x".join(map(str, shape)),
                       lambda a=(shape, f, mode, direction): pool_case(*a))
    for k in 5, 101, 10001:
        yield f"conv1d 1e6, {k}", lambda k=k: conv1d_case(k)
    for k in 3, 15, 63:
        yield f"conv2d 512x512, {k}x{k}", lambda k=k: conv2d_case(k)
    yield "conv2d 512x512, 15x15 separable", lambda: conv2d_case(15, True)
    yield "training step", step_case


def loops_seconds(key, direction):
    "Seconds of the loops for a layer, from one small piece of it."
    m, H, Wd, C, f, n, s, p = LAYERS[key]
    side = min(H, f + 2 * s)                    # about 3 x 3 windows
    x, W = normal(1, side, side, C), normal(f, f, C, n)
    b, hp = normal(1, 1, 1, n), {"stride": s, "pad": p}
    out = [None]
    def forward():
        out[0] = conv_layer.conv_forward(x, W, b, hp)
    seconds = clock(forward)
    Z, cache = out[0]
    if direction == "backward":
        seconds = clock(lambda: backprop.conv_backward(Z, cache))
    whole = m * ((H + 2 * p - f) // s + 1) * ((Wd + 2 * p - f) // s + 1) * n
    return seconds * whole / Z.size


# ---- the report ----------------------------------------------------------
def measure(machine, name, make, seconds, peak, others):
    ours, peers, work, loops = make()
    if others:
        ours, peers = rested(ours), others.of(name)
    else:
        ours, peers = timed(ours), {k: timed(f) for k, f in peers.items()}
    times, dropped = compare(machine, ours, peers, seconds)
    row = {"case": name, "ms": 1e3 * statistics.median(times["ours"]),
           "rounds": len(times["ours"]), "dropped": dropped}
    best = min(peers, key=lambda p: statistics.median(times[p]), default=None)
    if best:
        ratios = sorted(a / b for a, b in zip(times["ours"], times[best]))
        row["peer"] = best
        row["peer ms"] = 1e3 * statistics.median(times[best])
        row["ratio"] = statistics.median(ratios)
        row["low"], row["high"] = (ratios[int(q * (len(ratios) - 1))]
                                   for q in (0.25, 0.75))
    if work:
        row["share"] = work / (row["ms"] / 1e3) / peak[
            np.float64 if "float64" in name else np.float32]
    if loops and "float64" not in name:
        row["loops"] = loops_seconds(*loops) / (row["ms"] / 1e3)
    row["target"] = next((v for k, v in TARGET.items() if "float64" not in
                          name and name.startswith(k)), None)
    return row


def table(rows):
    head = ["case", "ours (ms)", "best peer", "peer (ms)", "ratio",
            "quartiles", "to reach", "share of sgemm", "times the loops",
            "rounds (dropped)"]
    lines = ["| " + " | ".join(head) + " |", "|:--|" + "--:|" * (
        len(head) - 1)]
    for r in rows:
        peer = "peer" in r
        lines.append("| " + " | ".join([
            r["case"], f"{r['ms']:.3f}", r.get("peer", "none here"),
            f"{r['peer ms']:.3f}" if peer else "",
            f"{r['ratio']:.2f}" if peer else "",
            f"{r['low']:.2f} to {r['high']:.2f}" if peer else "",
            f"{r['target']}" if r["target"] else "",
            f"{r['share']:.0%}" if "share" in r else "",
            f"{r['loops']:.0f}" if "loops" in r else "",
            f"{r['rounds']} ({r['dropped']})"]) + " |")
    return "\n".join(lines)


def plot(results, path):
    "The ratios: a column for each number of threads."
    try:
        import matplotlib
    except ImportError:
        return print("no plot: matplotlib is not installed")
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    plt.rcParams["svg.hashsalt"] = "cnnbook"
    most = max(map(len, results.values()))
    fig, axes = plt.subplots(1, len(results), sharey=True, squeeze=False,
                             figsize=(10, 0.24 * most + 1))
    for ax, (threads, rows) in zip(axes[0], results.items()):
        draw(ax, [r for r in rows if "peer" in r])
        ax.set_title(f"threads: {threads}")
    fig.supxlabel("time of cnnbook / time of the best peer (bar: quartiles; "
                  "mark: to reach)", fontsize=9)
    fig.tight_layout()
    fig.savefig(path, bbox_inches="tight", metadata={"Date": None})


def draw(ax, rows):
    for y, r in enumerate(reversed(rows)):
        ok = r["ratio"] <= (r["target"] or 1)
        color = "#2a7f3f" if ok else "#c05a00"
        ax.plot([r["low"], r["high"]], [y, y], color=color, lw=3, alpha=0.5)
        ax.plot(r["ratio"], y, "o", color=color, ms=5)
        if r["target"]:
            ax.plot(r["target"], y, "|", color="black", ms=9)
    ax.axvline(1, color="0.6", lw=1)
    ax.set_yticks(range(len(rows)), [r["case"] for r in reversed(rows)],
                  fontsize=7)
    ax.set_xscale("log")
    ticks = [0.25, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, map(str, ticks))
    ax.minorticks_off()


def run(threads, options):
    "All the cases with this many threads: the rows, and a text."
    limit(threads)
    machine, rows = Machine(), []
    peak = {d: machine.sgemm(d) for d in (np.float32, np.float64)}
    others = Peers(threads) if threads > 1 else None
    chosen = [(name, make) for name, make in cases() if options.case in name]
    for name, make in chosen:
        rows.append(measure(machine, name, make,
                            0.6 if options.quick else 4, peak, others))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
    if others:
        others.pipe.send(None)
    where = ("all in one process" if threads == 1 else
             "ours and its peers in two processes that take turns")
    return rows, (f"## Threads: {threads}\n\nA large product here: "
                  f"{2e-9 * peak[np.float32]:.0f} GFLOP/s in float32, "
                  f"{2e-9 * peak[np.float64]:.0f} in float64; {where}.\n\n"
                  f"{table(rows)}\n")


def report(texts):
    versions = [f"Python {platform.python_version()}",
                f"NumPy {np.__version__}",
                f"PyTorch {torch.__version__}" if torch else "no PyTorch",
                f"SciPy {signal and sys.modules['scipy'].__version__}"]
    text = (f"# Benchmarks\n\n`{' '.join(['bench.py', *sys.argv[1:]])}` on "
            f"{processor()}, {os.cpu_count()} processors "
            f"({platform.machine()}); "
            f"{', '.join(versions)}.\n\n"
            "The ratio is time of cnnbook over time of the best peer: below "
            "1, cnnbook is faster. The share of sgemm counts the "
            "multiply-adds of the definition, so an algorithm that needs "
            "fewer can exceed 100%. The loops are timed on a small piece of "
            "each layer and extrapolated to the whole of it. Rounds that "
            "other programs disturbed were dropped; \"busy\" says that "
            "there were hardly any others, and that the row means little. "
            "Max pooling has two rows forward: in inference, and in "
            "training, where ours also keeps the place of each maximum, "
            "which its backward pass uses; PyTorch finds the places in "
            "both. In the training step, ours takes each ReLU after the max "
            "pooling, which gives the same values with less work; "
            "PyTorch's takes it before."
            "\n\n" + "\n".join(texts))
    if torch and sys.platform == "linux":
        import memory
        text += ("\n## Peak memory\n\nHow far the resident memory rises, "
                 "beside PyTorch in channels_last; all threads.\n\n"
                 f"{memory.table()}\n")
    notes = HERE / "notes.md"
    return text + "\n" + notes.read_text()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds: some minutes in all")
    parser.add_argument("--case", default="",
                        help="only the cases whose name contains this")
    parser.add_argument("--threads", type=int, nargs="+",
                        default=sorted({1, fast.number_of_threads()}),
                        help="for ours and for its peers; several: one table "
                             "for each")
    options = parser.parse_args()
    results = {n: run(n, options) for n in options.threads}
    if not options.case:
        (HERE / "results.md").write_text(report(
            [text for _, text in results.values()]))
        plot({n: rows for n, (rows, _) in results.items()},
             HERE / "results.svg")
        print(f"written: {HERE / 'results.md'}, {HERE / 'results.svg'}")


if __name__ == "__main__":
    main()

"""Time both sides of each limit that `cnnbook.fast` chooses an algorithm by.

    python benchmarks/limits.py [--rounds N]

One thread. For each limit, the sizes around it and the milliseconds of
processor that each algorithm that could be chosen there takes: the shortest
of some rounds in which they take turns. Prints tables in Markdown;
`limits.md` keeps some.
"""
import argparse
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from cnnbook import fast
from cnnbook.fast import columns, threads
from cnnbook.press.recorded import processor

rng = np.random.default_rng(0)


def race(runs, rounds):
    "The shortest time of each function of a dict, in ms; they take turns."
    best = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.thread_time()          # of the processor: others
            run()                               # may be using it too
            best[name] = min(best[name], 1e3 * (time.thread_time() - start))
    return best


def layer(m, n, C, K, f, s, names):
    "Functions that compute a layer by each algorithm, in float32."
    A = rng.standard_normal((m, n, n, C), dtype=np.float32)
    W = rng.standard_normal((f, f, C, K), dtype=np.float32)
    b = np.zeros((1, 1, 1, K), np.float32)
    hp = {"stride": s, "pad": f // 2}
    return {name: lambda name=name: fast.conv_forward(A, W, b, hp, name, 1)
            for name in names}


def cases():
    "What is varied, its limit, and for each value the functions to time."
    for C in 8, 16, 24, 32, 48, 64:
        yield "channels of a 3 x 3 layer (16)", C, layer(
            8, 32, C, C, 3, 1, ("winograd4", "columns", "im2col"))
    for C in 1, 2, 3, 8, 16, 28, 48:
        yield "channels of a 7 x 7 layer, stride 2 (3 to 28)", C, layer(
            4, 64, C, 32, 7, 2, ("winograd1d", "planes", "columns", "im2col"))
    for C in 1, 3, 6, 10, 16, 24:
        yield "channels in, 3 x 3 to 32, 32 x 32 pixels (10)", C, layer(
            8, 32, C, 32, 3, 1, ("planes", "columns", "im2col", "winograd4"))
    for C in 2, 4, 8, 16, 32:
        yield "channels of a 3 x 3 layer, stride 2 (8)", C, layer(
            8, 32, C, C, 3, 2, ("columns", "im2col", "planes"))
    photo = rng.standard_normal((512, 512), dtype=np.float32)
    for f in 9, 11, 13, 15, 19:
        w = rng.standard_normal((f, f), dtype=np.float32)
        yield "side of a matrix's kernel (13)", f, {
            name: lambda w=w, name=name: fast.conv2d(
                photo, w, algorithm=name, threads=1)
            for name in ("fft", "columns")}
    for f in 3, 5, 7, 9:
        w = np.outer(*rng.standard_normal((2, f), dtype=np.float32))
        yield "side of a separable kernel (5)", f, {
            name: lambda w=w, name=name: fast.conv2d(
                photo, w, algorithm=name, threads=1)
            for name in ("separable", "columns")}
    signal = rng.standard_normal(10 ** 6, dtype=np.float32)
    for f in 100, 200, 400, 600, 800:
        w = rng.standard_normal(f, dtype=np.float32)
        yield "samples of a signal's kernel (400)", f, {
            name: lambda w=w, name=name: fast.conv1d(
                signal, w, algorithm=name, threads=1)
            for name in ("fft", "toeplitz")}
    for power in range(17, 25):
        runs = layer(4, 56, 64, 64, 3, 1, ("im2col",))

        def run(power=power, inner=runs["im2col"]):
            before = columns.Columns.room
            columns.Columns.room = 1 << power
            try:
                inner()
            finally:
                columns.Columns.room = before
        yield "KiB of columns in a block (1024)", 1 << power - 10, {
            "im2col": run}
    rows = rng.standard_normal((6144, 148), dtype=np.float32)
    T, out = rows[:148, :64].copy(), np.empty((6144, 64), np.float32)
    for size in 32, 64, 96, 128, 192, 384, 1536, 6144:
        def run(size=size):
            with threads.one_blas_thread():
                np.matmul(rows.reshape(-1, size, 148), T,
                          out=out.reshape(-1, size, 64))
        yield "rows of 148 in a product with 64 columns (104)", size, {
            "product": run}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"# The limits of the engine, measured\n\n`limits.py` on "
          f"{processor()}; Python {platform.python_version()}, NumPy "
          f"{np.__version__}; float32, one thread, milliseconds of "
          f"processor, the shortest of {rounds}. In brackets, the limit.")
    last = None
    for what, value, runs in cases():
        if what != last:
            print(f"\n**{what}**\n\n| | {' | '.join(runs)} |\n|--:|"
                  + "--:|" * len(runs))
            last = what
        for run in runs.values():               # the first one warms up
            run()
        times = race(runs, rounds)
        print(f"| {value} | "
              + " | ".join(f"{t:.2f}" for t in times.values()) + " |",
              flush=True)


if __name__ == "__main__":
    main()

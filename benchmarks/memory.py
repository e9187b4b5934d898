"""Peak memory of one forward and one backward pass, ours and PyTorch's.

    python benchmarks/memory.py

Each one runs in a process of its own, on layers c and d of bench.py; what
is printed is how far the resident memory rises above what it was before
(Linux only). The inputs are there already; outputs and scratch count.
"""
import ctypes
import gc
import subprocess
import sys

import bench


def peak():
    "The peak of resident memory since it was last reset, in MB."
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status
                    if line.startswith("VmHWM"))


def measure(key, direction, who):
    ours, peers, *_ = bench.conv_case(key, direction)
    run = ours if who == "ours" else peers["torch channels_last"]
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)        # what was freed is not ours yet
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = peak()
    run()
    return peak() - before


def table():
    lines = ["| layer | ours (MB) | PyTorch (MB) | ratio |",
             "|:--|--:|--:|--:|"]
    for key in "cd":
        for direction in "forward", "backward":
            mb = [float(subprocess.run(
                [sys.executable, __file__, key, direction, who], check=True,
                capture_output=True, text=True).stdout)
                for who in ("ours", "torch")]
            lines.append(f"| {direction} {key} | {mb[0]:.1f} | {mb[1]:.1f} | "
                         f"{mb[0] / mb[1]:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(measure(*sys.argv[1:]) if len(sys.argv) == 4 else table())

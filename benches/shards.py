#!/usr/bin/env python3
"""What it costs to split a run: benches/shards.py CORPUS [SHARDS...]

Orders the corpus from every start in 1, 2, 4, 8 and 16 shards (or as many as are given), one after
the other with the same command on this machine, and merges each. Prints the seconds of all shards
together and of the longest, and of the merge its seconds, megabytes a second and largest memory.
All merged files must have the same bytes. VKD (target/release/vkd) is the command.
"""

import filecmp
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VKD = os.environ.get("VKD", ROOT / "target/release/vkd")


def run(*arguments):
    """Seconds of a run, and the most memory that it had, in megabytes."""
    begin = time.perf_counter()
    process = subprocess.Popen([VKD, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status:
        sys.exit(f"vkd {' '.join(map(str, arguments))} ended with {status}")
    return seconds, usage.ru_maxrss / 1000


def split(corpus, shards, folder):
    """Orders the corpus in so many shards and merges them; returns the merged file."""
    parts = [folder / f"{shards}-{shard}" for shard in range(1, shards + 1)]
    seconds = []
    for shard, part in enumerate(parts, 1):
        seconds.append(run("order", corpus, "--shard", f"{shard}/{shards}", "-o", part)[0])
    merged = folder / f"merged-{shards}"
    merge, memory = run("merge", *parts, "-o", merged)
    size = merged.stat().st_size / 1e6
    for part in parts:
        part.unlink()
    print(
        f"| {shards} | {sum(seconds):.1f} s | {max(seconds):.1f} s "
        f"| {merge:.2f} s | {size / merge:.0f} MB/s | {memory:.0f} MB |",
        flush=True,
    )
    return merged


def main():
    corpus = sys.argv[1]
    counts = [int(count) for count in sys.argv[2:]] or [1, 2, 4, 8, 16]
    print("| shards | all | longest | merge | of the file | memory |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        files = [split(corpus, count, Path(folder)) for count in counts]
        for other in files[1:]:
            if not filecmp.cmp(files[0], other, shallow=False):
                sys.exit(f"{other.name} has other bytes than {files[0].name}")


main()

"""Baseline: the same integer method in numpy, one process. Prints microseconds per pick.

    numpy_integer.py CORPUS.npy STARTS

The contribution matrix is made once (not timed); then every pick adds one row to the scores
and takes the minimum over what is untaken. STARTS sequences of full length are timed.
"""
import sys
import time

import numpy as np


def main():
    x = np.load(sys.argv[1]).astype(np.float64)
    starts = int(sys.argv[2])
    norm = np.sqrt((x * x).sum(axis=1))
    q = np.rint(x / norm[:, None] * 32767.0)
    dots = (q @ q.T).astype(np.int64)
    c = np.clip((dots + (1 << 14)) >> 15, -32767, 32767).astype(np.int32)
    n = len(c)
    begin = time.perf_counter()
    for start in range(starts):
        score = np.zeros(n, np.int32)
        pick = start
        for _ in range(n - 1):
            score += c[pick]
            score[pick] = 1 << 30  # far above: no sum of 2,461 contributions reaches it
            pick = score.argmin()
    print((time.perf_counter() - begin) / (starts * (n - 1)) * 1e6)


if __name__ == "__main__":
    main()

"""Baseline: the direct method in numpy for batches of starts, with BLAS. Prints seconds for
all starts.

    numpy_direct.py CORPUS.npy PICKS CENTER

256 sequences advance together: their centroids (256 x D) times all items (D x N) in one float32
matrix product, then the minimum of each row. PICKS picks are timed and scaled
to N - 1 picks of all starts.
"""
import sys
import time

import numpy as np

BATCH = 256


def main():
    x = np.load(sys.argv[1]).astype(np.float32)
    picks, center = int(sys.argv[2]), sys.argv[3] == "1"
    if center:
        x = x - x.mean(axis=0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    n = len(x)
    pick = np.arange(min(BATCH, n))
    rows = np.arange(len(pick))
    centroids = np.zeros((len(pick), x.shape[1]), np.float32)
    taken = np.zeros((len(pick), n), np.float32)
    items = np.ascontiguousarray(x.T)
    begin = time.perf_counter()
    for _ in range(picks):
        centroids += x[pick]
        taken[rows, pick] = np.inf
        pick = (centroids @ items + taken).argmin(axis=1)
    each = (time.perf_counter() - begin) / (picks * len(pick))
    print(each * n * (n - 1))


if __name__ == "__main__":
    main()

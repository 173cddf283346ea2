"""Baseline: float32 similarity matrix and a running sum in numpy, one process. Prints seconds for
all starts.

    numpy_float.py CORPUS.npy STARTS CENTER

Cosine similarities are made once; every pick adds one row to the scores and takes the minimum.
STARTS sequences of full length are timed and scaled to all starts; the matrix is timed as it is.
"""
import sys
import time

import numpy as np


def main():
    x = np.load(sys.argv[1]).astype(np.float32)
    starts, center = int(sys.argv[2]), sys.argv[3] == "1"
    begin = time.perf_counter()
    if center:
        x = x - x.mean(axis=0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    similarity = x @ x.T
    matrix = time.perf_counter() - begin
    n = len(x)
    begin = time.perf_counter()
    for start in range(starts):
        score = np.zeros(n, np.float32)
        pick = start * (n // starts)
        for _ in range(n - 1):
            score += similarity[pick]
            score[pick] = np.inf
            pick = score.argmin()
    print(matrix + (time.perf_counter() - begin) / starts * n)


if __name__ == "__main__":
    main()

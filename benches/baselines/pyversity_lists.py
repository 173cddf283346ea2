"""Lists with pyversity 0.2.0: for some items, the LENGTH items that a list for each begins with.

    pyversity_lists.py CORPUS.npy mmr|msd LENGTH LISTS

Prints the seconds of one list, the mean over LISTS items that are spread over the corpus. The rows
are normalised once, before the clock starts, so that each call works on unit rows.
"""
import sys
import time

import numpy as np
from pyversity import Metric, Strategy, diversify

corpus, strategy, length, lists = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
x = np.load(corpus).astype(np.float32)
unit = x / np.linalg.norm(x, axis=1, keepdims=True)
diversity = {"mmr": 0.3, "msd": 1.0}[strategy]


def one(item):
    diversify(
        embeddings=unit,
        scores=unit @ unit[item],
        k=length,
        strategy=Strategy(strategy),
        diversity=diversity,
        metric=Metric.DOT,
        normalize=False,
    )


one(0)
begin = time.perf_counter()
for item in np.linspace(0, len(unit) - 1, lists).astype(int):
    one(item)
print((time.perf_counter() - begin) / lists)

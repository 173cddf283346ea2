"""One diverse subset with pyversity 0.2.0: PICKS items by MSD with diversity 1, from the first.

    pyversity_one.py CORPUS.npy PICKS        prints the items

The file is mapped and its rows are normalised in float32, as its users do it.
"""
import sys

import numpy as np
from pyversity import Metric, Strategy, diversify

x = np.load(sys.argv[1], mmap_mode="r").astype(np.float32)
x /= np.linalg.norm(x, axis=1, keepdims=True)
scores = np.zeros(len(x), np.float32)
scores[0] = 1.0  # the first pick is the item with the highest
result = diversify(
    embeddings=x,
    scores=scores,
    k=int(sys.argv[2]),
    strategy=Strategy.MSD,
    diversity=1.0,
    metric=Metric.DOT,
    normalize=False,
)
print(*result.indices)

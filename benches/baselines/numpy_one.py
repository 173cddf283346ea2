"""One diverse subset with numpy: a float32 product of the last pick with all items in each step.

    numpy_one.py CORPUS.npy PICKS        prints the items
"""
import sys

import numpy as np

x = np.load(sys.argv[1], mmap_mode="r").astype(np.float32)
x /= np.linalg.norm(x, axis=1, keepdims=True)
scores = np.zeros(len(x), np.float32)
picks = [0]
for _ in range(int(sys.argv[2]) - 1):
    scores += x @ x[picks[-1]]
    scores[picks[-1]] = np.inf
    picks.append(int(scores.argmin()))
print(*picks)

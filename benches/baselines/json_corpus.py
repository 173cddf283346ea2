"""A JSON file of embeddings as Python writes them: {"embeddings":[{"id":...,"embedding":[...]}]}.

    json_corpus.py FILE ITEMS DIMENSIONS
"""
import json
import sys

import numpy as np

rows, columns = int(sys.argv[2]), int(sys.argv[3])
values = np.random.default_rng(7).standard_normal((rows, columns)).astype(np.float32)
values /= np.linalg.norm(values, axis=1, keepdims=True)
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write('{"embeddings": [')
    for number, row in enumerate(values):
        item = {"id": f"text-{number}", "embedding": row.tolist()}
        file.write(", " * bool(number) + json.dumps(item))
    file.write("]}\n")

"""Parses a JSON file with Python's json, and does no more with it.

    json_python.py FILE        prints the seconds, the share of the file, and the bytes it took
"""
import json
import resource
import sys
import time

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
with open(sys.argv[1], encoding="utf-8") as file:
    kept = json.load(file)
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert len(kept["embeddings"]) > 0
print(seconds, 1, (peak - before) * 1024)

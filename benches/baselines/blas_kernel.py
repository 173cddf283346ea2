"""Prints which kernel the OpenBLAS of numpy runs, such as SkylakeX or Haswell.

    blas_kernel.py
"""
import ctypes
import itertools
import re

import numpy as np

PREFIXES = ("openblas", "scipy_openblas")
SUFFIXES = ("", "64_")

np.ones((2, 2)) @ np.ones((2, 2))
maps = open("/proc/self/maps").read()
for path in sorted(set(re.findall(r"/\S*blas\S*\.so\S*", maps))):
    library = ctypes.CDLL(path)
    for prefix, suffix in itertools.product(PREFIXES, SUFFIXES):
        function = getattr(library, f"{prefix}_get_corename{suffix}", None)
        if function:
            function.restype = ctypes.c_char_p
            print(function().decode())
            raise SystemExit

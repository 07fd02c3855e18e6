"""The films of a barbell of known metres, as the benchmark makes them."""

import importlib
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

bar_films = importlib.import_module("bar_films")

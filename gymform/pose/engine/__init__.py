"""What computes a pose network: normalised crops in, heatmaps out.

PyTorch can do it on every machine. On most processors ONNX Runtime or OpenVINO with matrices of
8 bits are faster; they compute the blocks of the transformer, nearly all of the work, from a file
that is made on this machine. Which one is used is measured once (``choice.py``).
"""

from gymform.pose.engine.base import Engine, TokenEngine
from gymform.pose.engine.choice import ENGINES, chosen_engine, make_engine

__all__ = ["ENGINES", "Engine", "TokenEngine", "chosen_engine", "make_engine"]

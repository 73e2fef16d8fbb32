"""A model in the formats of other programs.

What is written answers as the model does: columns in, classes and confidences or numbers out. It is compared
with the model before it is there.
"""

from threestep.export.onnx_file import to_onnx

__all__ = ["to_onnx"]

"""Ours beside other libraries, measured side by side; see README.md."""

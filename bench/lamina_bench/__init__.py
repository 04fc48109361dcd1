"""Measures lamina and its peers, interleaved in one run: see run.sh."""

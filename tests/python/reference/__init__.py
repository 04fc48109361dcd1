"""Float64 NumPy references, written from the formulas and independent of lamina."""

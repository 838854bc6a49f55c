"""Small exact problems on K numbers, in float64: bargaining, minimum norm, simplex projection."""

"""Projection onto the dual cone of K rows: the vectors that oppose none of them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector
from mtbalance.balancing.solvers.ties import null_space, shortest


def project(cosines: Matrix, coefficients: Vector) -> Vector:
    """Coefficients v >= 0 [K] such that U'(c + v) is the nearest vector to U'c with U U'(c + v) >= 0.

    U are rows of length 1, with the cosines U U' = C [K, K], and c [K] are ``coefficients``. By duality v minimizes
    |U'(c + v)| over v >= 0, a problem of non-negative least squares (Lawson and Hanson 1974) on a factor of C.
    Eigenvalues of C that are rounding count as zero. Dependent rows may have many such v, with one U'v; the result is
    the shortest.
    """
    values, vectors = np.linalg.eigh(cosines)
    kept = values > len(cosines) * ROUNDING
    factor = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
    size = float(np.abs(coefficients).max())
    found: Vector = nnls(factor, -factor @ (coefficients / size), maxiter=100 * len(cosines))[0]
    gains = factor.T @ (factor @ (coefficients / size + found))
    tied = (gains <= len(cosines) * ROUNDING * max(1.0, found.max())) | (found > 0)
    directions = null_space(cosines[np.ix_(tied, tied)])
    if directions.shape[1]:
        found[tied] = shortest(found[tied], np.ones(int(tied.sum())), directions, same_sum=False)
    return size * found

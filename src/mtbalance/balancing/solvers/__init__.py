"""Solvers of small problems on K numbers, in float64.

Exact: ``bargaining`` (Nash bargain), ``conflict_averse`` (dual of CAGrad), ``dual_cone`` (projection on it),
``fair`` (FairGrad), ``min_norm``, ``simplex`` (projection).
Iterative: ``ccp``, the papers' solver of the Nash bargain. ``vector_adam`` is an optimizer, for learned weights.
"""

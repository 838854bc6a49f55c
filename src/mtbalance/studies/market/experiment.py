"""The market of an experiment: the A/B tests on each of its data sets, from the predictions that its runs kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.data import DataError
from mtbalance.data.adapters.synthetic import Synthetic
from mtbalance.records.run import RunRecord
from mtbalance.studies.market.candidates import read_candidates, read_predictions
from mtbalance.studies.market.simulation import SETTINGS, Model, simulate


def market(parameters: Parameters, experiment: str, records: Sequence[RunRecord]) -> pd.DataFrame:
    """The rows of :func:`~mtbalance.studies.market.simulation.simulate` for all data sets of an experiment.

    ``records`` are those of its runs, of a tuned experiment those of the chosen trials; diverged ones have no
    predictions and take no part. Further columns are ``experiment``, ``problem``, ``synthetic``, ``selection`` and
    ``grid``, as in collected metrics. Raises :class:`DataError` for a data set whose true probabilities are not known,
    and for predictions that do not belong to its test split.
    """
    frames = []
    trials = parameters.experiments[experiment].trials()
    grids = {trial.method: trial.written() for trial in trials.values()}
    for name in parameters.experiments[experiment].datasets:
        dataset = parameters.datasets[name]
        if not isinstance(dataset, Synthetic):
            raise DataError(f"data set {name}: its true probabilities are not known; a market needs adapter: synthetic")
        raw, prepared = (Path(place.format(dataset=name)) for place in (places.RAW, places.PREPARED))
        candidates = read_candidates(raw, prepared, dataset.split)
        finished = [record for record in records if record.run.dataset == name and record.status == "finished"]
        predictions = {
            Model(run.backbone, trials[run.balancer].method, run.seed): read_predictions(
                Path(places.PREDICTIONS.format(**run.model_dump())), candidates
            )
            for run in (record.run for record in finished)
        }
        tests = simulate(name, candidates, predictions, parameters.tables.baseline, SETTINGS)
        grid = tests["balancer"].map(grids).fillna("")  # none of the true probabilities
        frames.append(tests.assign(selection=finished[0].selection, grid=grid))
    problem = parameters.experiments[experiment].model.problem
    return pd.concat(frames, ignore_index=True).assign(experiment=experiment, problem=problem, synthetic=True)

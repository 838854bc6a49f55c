"""Parameters: ``params.yaml`` as a whole, with its blocks, the experiments made of them, and the preset that is run."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.balancing.checking import AnyBalancer, balancer_options
from mtbalance.balancing.options import BalancerOptions
from mtbalance.blocks import Block, Fraction
from mtbalance.config.datasets import AnyDataset
from mtbalance.config.experiments import Experiment, Names
from mtbalance.config.models import AnyBackbone
from mtbalance.config.names import Name
from mtbalance.config.run import BackboneChoice, BalancerChoice, RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.config.variants import parsed, replaced


class Tables(Block):
    """The comparison of runs in tables."""

    baseline: str = "ls"
    """The balancer that the others are compared with, on the same backbone with the same seeds."""
    significance: Fraction = 0.05
    """Largest two-sided p of the paired t-test that gets a mark."""


class Parameters(Block):
    """All of ``params.yaml``."""

    preset: str
    """The preset that is run."""
    presets: dict[Name, Names]
    """The experiments of each preset."""
    experiments: dict[Name, Experiment]
    """Experiments: data sets, a grid of backbones and balancers, and seeds."""
    datasets: dict[Name, AnyDataset]
    """Data sets: the places of their raw files, and their preparation."""
    backbones: dict[Name, AnyBackbone]
    """Models that fork."""
    balancers: dict[Name, AnyBalancer]
    """A rule at a level, each with its options."""
    tables: Tables = Tables()
    """The comparison of runs in tables."""

    def active(self) -> dict[str, Experiment]:
        """The experiments of the chosen preset."""
        return {name: self.experiments[name] for name in self.presets[self.preset]}

    def run(self, experiment: str, dataset: str, backbone: str, balancer: str, seed: int) -> RunConfig:
        """The complete configuration of one run."""
        chosen = self.experiments[experiment]
        return RunConfig(
            experiment=experiment,
            dataset=dataset,
            backbone=BackboneChoice(name=backbone, options=self.backbones[backbone]),
            balancer=BalancerChoice(name=balancer, options=self.balancer(balancer)),
            model=chosen.model.closed(self.datasets[dataset].model),
            training=self.training(experiment, balancer),
            seed=seed,
        )

    def balancer(self, name: str) -> BalancerOptions:
        """The options of a balancer, or of a variant of one (:mod:`mtbalance.config.variants`)."""
        balancer, options, _ = parsed(name)
        block = self.balancers[balancer]
        return balancer_options(replaced(block.model_dump(exclude_unset=True), options)) if options else block

    def training(self, experiment: str, balancer: str) -> TrainingConfig:
        """The training of an experiment, with the options that a variant replaces."""
        training, options = self.experiments[experiment].training, parsed(balancer).training
        return TrainingConfig.model_validate(replaced(training.model_dump(), options)) if options else training

    def balancer_names(self) -> list[str]:
        """The balancers, and the variants that experiments have in their grids or as trials."""
        variants = (name for experiment in self.experiments.values() for name in experiment.trials())
        return list(dict.fromkeys([*self.balancers, *variants]))

    def runs(self, experiment: str) -> list[RunConfig]:
        """The configurations of all runs of an experiment."""
        return [self.run(experiment, *cell) for cell in self.cells(experiment)]

    def timed(self, experiment: str) -> list[tuple[str, str]]:
        """Data set and backbone of each timing: wherever the baseline is run and another balancer beside it."""
        chosen, baseline = self.experiments[experiment], self.tables.baseline
        backbones = [name for name, grid in chosen.grid.items() if baseline in grid and set(grid) != {baseline}]
        return [(dataset, backbone) for dataset in chosen.datasets for backbone in backbones]

    def timing_runs(self, experiment: str, dataset: str, backbone: str) -> list[RunConfig]:
        """The runs that are timed in turn: the first trial of the baseline, then of the others, with the first seed (0
        without one).
        """
        chosen = self.experiments[experiment]
        others = [name for name in chosen.grid[backbone] if name != self.tables.baseline]
        first = [chosen.variants(name)[0] for name in (self.tables.baseline, *others)]
        return [self.run(experiment, dataset, backbone, name, (*chosen.seeds, 0)[0]) for name in first]

    def all_timing_runs(self, experiment: str) -> list[RunConfig]:
        """The runs of all timings of an experiment."""
        return [run for timed in self.timed(experiment) for run in self.timing_runs(experiment, *timed)]

    def excerpt(self, experiment: str) -> Parameters:
        """The parameters that one experiment's numbers depend on, without those that only affect its presentation."""
        chosen = self.experiments[experiment].model_copy(update={"title": "", "keep": (), "tables": (), "figures": ()})
        names = [self.tables.baseline, *(name for balancers in chosen.grid.values() for name in balancers)]
        used = {parsed(name).balancer for name in names}
        return Parameters(
            preset=experiment,
            presets={experiment: [experiment]},
            experiments={experiment: chosen},
            datasets={name: self.datasets[name] for name in chosen.datasets},
            backbones={name: self.backbones[name] for name in chosen.grid},
            balancers={name: block for name, block in self.balancers.items() if name in used},
            tables=Tables(baseline=self.tables.baseline),
        )

    def cells(self, experiment: str) -> Iterator[tuple[str, str, str, int]]:
        """Data set, backbone, balancer and seed of every run of an experiment."""
        chosen = self.experiments[experiment]
        for dataset in chosen.datasets:
            for backbone, balancers in chosen.trained().items():
                for balancer in balancers:
                    for seed in chosen.seeds:
                        yield dataset, backbone, balancer, seed

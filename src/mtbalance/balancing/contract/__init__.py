"""The contract of a rule: what every rule must hold, checked on any class, inside the package or in a file of its own.

``mtbalance test my_rule.py`` prints the verdicts (:mod:`mtbalance.cli.test`). The package's own tests ask for them for
each rule of the registry. A check is a function in ``form.py``, ``numbers.py``, ``memory.py`` or ``training.py``;
``checks.py`` lists them all.
"""

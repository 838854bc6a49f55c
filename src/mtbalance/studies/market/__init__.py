"""The market: a simulated online A/B test of trained models, on stand-in data whose true probabilities are known.

It answers what Table VI of the PUB paper asks on real traffic: how much more revenue a page of the other model earns.
Here the answer is known beforehand, so that the test itself can be judged too.
"""

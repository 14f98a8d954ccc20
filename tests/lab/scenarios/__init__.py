# SPDX-License-Identifier: MIT
"""What the lab's scenarios are registered with."""

SCENARIOS = []


class Skip(Exception):
    """The scenario cannot run on this machine; says why."""


def scenario(kind, name):
    """Registers a scenario for a kind of machine: container, vm or pi3."""

    def register(function):
        SCENARIOS.append((kind, name, function))
        return function

    return register

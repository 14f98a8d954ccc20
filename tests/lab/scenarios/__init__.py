# SPDX-License-Identifier: MIT
"""The register of the lab's scenarios."""

SCENARIOS = []


class Skip(Exception):
    """The scenario cannot run on this machine; says why."""


def scenario(kind, name):
    """Registers a scenario for a kind of machine: container, vm or pi3."""

    def register(function):
        SCENARIOS.append((kind, name, function))
        return function

    return register

# SPDX-License-Identifier: MIT
"""The register of the lab's scenarios."""

SCENARIOS = []


class Skip(Exception):
    """The scenario cannot run on this machine; says why."""


def scenario(kind, name, once=False):
    """Registers a scenario for a kind of machine: container, vm or pi3.

    once: tests/run --all has it on Debian 13 alone, because neither libgpiod nor systemd matters
    """

    def register(function):
        SCENARIOS.append((kind, name, once, function))
        return function

    return register

# SPDX-License-Identifier: MIT
"""Other brokers than mosquitto: what they lack. The table in led-mqtt(8), "Brokers", says the same.

BROKER in the environment is one of them: a program in the folder brokers, which the tests start in the
place of mosquitto.
"""

import os

from world import Skip

# Each as the table has it, and what it lacks.
LACKS = {
    "mosquitto": ("mosquitto 2", set()),
    "rabbitmq": ("RabbitMQ 3.10", {"MQTT 5", "wildcards", "dots"}),
    "aedes": ("aedes 1.2", {"MQTT 5"}),
}
FEATURES = ["MQTT 5", "wildcards", "dots"]
BROKER = os.environ.get("BROKER") or "mosquitto"


def rows():
    """The table: for each broker its name, and whether it has each feature."""
    return [[name, *("no" if f in lacks else "yes" for f in FEATURES)] for name, lacks in LACKS.values()]


def has(feature):
    return feature not in LACKS[BROKER][1]


def need(feature):
    """Skips a test for which the broker lacks something."""
    if not has(feature):
        raise Skip(f'{LACKS[BROKER][0]} lacks "{feature}": led-mqtt(8), Brokers')

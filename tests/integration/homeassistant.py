# SPDX-License-Identifier: MIT
"""What Home Assistant takes as discovery: the keys of its MQTT integration, by component.

A key that is not here would be dropped without a word, one of the wrong type makes it refuse the
message. The keys are those of its schemas, compared row by row: schemas.py and config.py of 2026,
light/schema_basic.py of about 2025.1, event.py and device_trigger.py of about 2024, binary_sensor.py,
and older versions of switch.py and util.py. What a topic of discovery may be, and when two messages
clash, is in discovery.py and device_trigger.py. Keys that only some of these versions have are left
out, such as object_id, default_entity_id and entity_picture.
"""

import json
import re
from urllib.parse import urlsplit

# PREFIX/COMPONENT/NODE/OBJECT/config, or without NODE
TOPIC = re.compile(r"\w+/(?:([a-zA-Z0-9_-]+)/)?([a-zA-Z0-9_-]+)/config")


def text(value):
    # What Home Assistant makes a text of.
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def text_or_null(value):
    return value is None or text(value)


def flag(value):
    return isinstance(value, bool)


def count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def icon(value):
    return isinstance(value, str) and ":" in value


def qos(value):
    return value in (0, 1, 2)


def is_topic(value):
    """Without control characters, and what Unicode calls no characters."""
    return (
        isinstance(value, str) and 0 < len(value.encode()) <= 65535
        and not re.search("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef]", value)
        and all(ord(its) & 0xFFFE != 0xFFFE for its in value)
    )  # fmt: skip


def publish_topic(value):
    return is_topic(value) and "+" not in value and "#" not in value


def subscribe_topic(value):
    return is_topic(value) and re.fullmatch(r"(?:(?:[^+#/]*|\+)/)*(?:[^+#/]*|\+|#)", value)


def template(value):
    return isinstance(value, str) and value.count("{{") == value.count("}}")


def texts(value):
    return isinstance(value, list) and all(map(text, value))


def url(value):
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https", "homeassistant") and parts.hostname and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        return False  # brackets or a port that are wrong, or no text


def one_of(*values):
    return lambda value: value in values


def table(value, required, optional):
    """What is wrong with an object, or None."""
    if not isinstance(value, dict):
        return "no object"
    for key in required:
        if key not in value:
            return f"{key} is missing"
    for key, its in value.items():
        check = required.get(key) or optional.get(key)
        if not check:
            return f"{key} is unknown"
        why = check(its)
        if isinstance(why, str) or not why:
            return f"{key}: {its!r} {why if isinstance(why, str) else ''}"
    return None


def of(required, optional):
    """A check of an object within an object."""
    return lambda value: table(value, required, optional) or True


def some(check):
    return lambda value: isinstance(value, list) and all(check(its) is True for its in value)


DEVICE_KEYS = {
    "identifiers": texts, "connections": lambda value: isinstance(value, list), "manufacturer": text,
    "model": text, "model_id": text, "name": text, "hw_version": text, "serial_number": text,
    "sw_version": text, "via_device": text, "suggested_area": text, "configuration_url": url,
}


def device(value):
    why = table(value, {}, DEVICE_KEYS)
    return why or bool(value.get("identifiers") or value.get("connections"))


ORIGIN = of({"name": text}, {"sw_version": text, "support_url": url})
AVAILABILITY = of(
    {"topic": subscribe_topic},
    {"payload_available": text, "payload_not_available": text, "value_template": template},
)
BASE = {"qos": qos, "encoding": text, "origin": ORIGIN}
ENTITY = {
    **BASE, "device": device, "enabled_by_default": flag, "icon": icon, "name": text_or_null,
    "json_attributes_topic": subscribe_topic, "json_attributes_template": template,
    "unique_id": text, "entity_category": one_of("config", "diagnostic", None),
    "availability": some(AVAILABILITY), "availability_mode": one_of("all", "any", "latest"),
    "availability_topic": subscribe_topic, "availability_template": template,
    "payload_available": text, "payload_not_available": text,
}
SWITCHED = {
    **ENTITY, "state_topic": subscribe_topic, "optimistic": flag, "retain": flag, "payload_on": text,
    "payload_off": text,
}
# Of a light, those of one that is on or off.
LIGHT = {
    **SWITCHED, "schema": one_of("basic"), "state_value_template": template,
    "on_command_type": one_of("first", "last", "brightness"),
}
SWITCH = {
    **SWITCHED, "state_on": text, "state_off": text, "value_template": template,
    "device_class": one_of("outlet", "switch", None),
}
EVENT = {
    **ENTITY, "value_template": template, "device_class": one_of("button", "doorbell", "motion"),
}
BINARY_CLASSES = (
    "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door",
    "gas", "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug",
    "power", "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update",
    "vibration", "window",
)  # fmt: skip
# It is no setting of a device, so it cannot be of the category config.
BINARY_SENSOR = {
    **ENTITY, "value_template": template, "device_class": one_of(*BINARY_CLASSES, None),
    "entity_category": one_of("diagnostic", None), "expire_after": count, "force_update": flag,
    "off_delay": count, "payload_on": text, "payload_off": text,
}
TRIGGER = {**BASE, "payload": text_or_null, "value_template": template}

# Required and optional keys.
COMPONENTS = {
    "light": ({"command_topic": publish_topic}, LIGHT),
    "switch": ({"command_topic": publish_topic}, SWITCH),
    "event": ({"state_topic": subscribe_topic, "event_types": texts}, EVENT),
    "binary_sensor": ({"state_topic": subscribe_topic}, BINARY_SENSOR),
    "device_automation": (
        {"automation_type": one_of("trigger"), "device": device, "topic": subscribe_topic,
         "type": text, "subtype": text},
        TRIGGER,
    ),
}


def why_not(prefix, topic, payload):
    """Why Home Assistant does not take a message of discovery as it is, or None."""
    rest = topic.removeprefix(f"{prefix}/")
    component = rest.partition("/")[0]
    if rest == topic or not TOPIC.fullmatch(rest) or component not in COMPONENTS:
        return f"{topic} is no topic of discovery"
    try:
        message = json.loads(payload)
    except ValueError as why:
        return f"{topic}: {why}"
    why = table(message, *COMPONENTS[component])
    if not why and component != "device_automation":
        # Without these it has no place in the registry, or no device.
        why = next((f"{key} is missing" for key in ("unique_id", "device") if key not in message), None)
    if not why and "availability" in message and "availability_topic" in message:
        why = "two availabilities"
    return why and f"{topic}: {why}"


def why_not_together(messages):
    """Why it does not take one of a machine's messages, by the others. By PLATFORM/OBJECT, or None."""
    seen = {}
    for topic, message in messages.items():
        component = topic.partition("/")[0]
        identity = (
            (str(message["device"].get("identifiers")), message["type"], message["subtype"])
            if component == "device_automation" else (component, message["unique_id"])
        )  # fmt: skip
        if identity in seen:
            return f"{topic} is the same as {seen[identity]}"
        seen[identity] = topic
    return None


def event_of(value_template, value):
    """What it makes of a payload by such a template: one that has {{ value }} alone."""
    return json.loads(re.sub(r"\{\{ *value *\}\}", lambda _: value, value_template))

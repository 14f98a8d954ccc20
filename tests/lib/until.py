# SPDX-License-Identifier: MIT
"""The end that tests/run --all sets: no more tests begin then."""

import os
import time


def no_time_left():
    """Why a test is skipped, or None: UNTIL is in seconds of /proc/uptime."""
    late = time.monotonic() >= float(os.environ.get("UNTIL", "inf"))
    return "no time left" if late else None

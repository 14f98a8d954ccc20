# SPDX-License-Identifier: MIT
"""The end that tests/run --all sets: no more tests begin then."""

import os
import time


def no_time_left(before=0):
    """Why a test is skipped, or None: so many seconds before UNTIL, which is in seconds of /proc/uptime."""
    late = time.monotonic() >= float(os.environ.get("UNTIL", "inf")) - before
    return "no time left" if late else None

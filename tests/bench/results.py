# SPDX-License-Identifier: MIT
"""The results of the benchmark: races against a floor, and single figures."""

import math
import statistics
import sys
from dataclasses import dataclass

# In --check a ratio may exceed its bound by this factor: on two busy cores, the ratio of two
# medians of 300 interleaved connections stayed within 10 % of its mean from run to run.
MARGIN = 1.10
CHECK = "--check" in sys.argv

ANSWER, END = 0, 1


@dataclass
class Race:
    """Ours and what it is compared with: ms (until answer, until end) of each connection."""

    what: str
    ours: list
    against: str
    other: list
    bound: float | tuple = math.inf  # of both, or of the answer and of the end

    def ratio(self, which):
        return median(self.ours, which) / median(self.other, which)

    @property
    def bounds(self):
        return self.bound if isinstance(self.bound, tuple) else (self.bound, self.bound)

    @property
    def problem(self):
        return ", ".join(
            f"{self.ratio(which):.2f} times, where {bound:g} is the bound"
            for which, bound in zip((ANSWER, END), self.bounds)
            if self.ratio(which) > bound * (MARGIN if CHECK else 1)
        )

    def __str__(self):
        bound = "".join(f"{bound:7.2f}" for bound in dict.fromkeys(self.bounds) if bound != math.inf)
        ratios = f"{self.ratio(ANSWER):9.2f} {self.ratio(END):5.2f}"
        return (f"{self.what:40}{columns(self.ours)}{ratios}{bound}\n"
                f"  {self.against:38}{columns(self.other)}")


@dataclass
class Figure:
    what: str
    value: str
    problem: str = ""

    def __str__(self):
        return f"{self.what:64}  {self.value}"


def percentile(times, share, which):
    values = sorted(time[which] for time in times)
    return values[min(int(len(values) * share), len(values) - 1)]


def median(times, which):
    return statistics.median(time[which] for time in times)


def columns(times):
    answer, end, slow = median(times, ANSWER), median(times, END), percentile(times, 0.99, END)
    return f"{answer:9.3f} {end:9.3f} {slow:9.3f}"


HEAD = f"{'milliseconds':40}   answer       end   its p99   ratios        bound"

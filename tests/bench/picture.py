# SPDX-License-Identifier: MIT
"""The picture of the benchmark: a dot for each median, and a line to the 99th percentile."""

from matplotlib import rcParams
from matplotlib.figure import Figure
from results import END, median, percentile

OURS, OTHER, LINES = "#1d4ed8", "#6b7280", "#e5e7eb"
TITLE = "Milliseconds until the server has answered and closed: the median, and a line to the p99"


def rows(races):
    """The rows from top to bottom, in groups: name, median, p99, colour."""
    groups, last = [], None
    for race in races:
        if race.ours is not last:
            groups.append([row(race.what, race.ours, OURS)])
        groups[-1].append(row(race.against, race.other, OTHER))
        last = race.ours
    return groups


def row(name, times, colour):
    return name, median(times, END), percentile(times, 0.99, END), colour


def draw(groups, where, path):
    """Writes the SVG. The same rows make the same bytes."""
    # Text stays text, and no name in the file is random.
    rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "led-socket",
                     "font.sans-serif": ["DejaVu Sans", "Arial"], "font.size": 10})
    count = sum(map(len, groups))
    figure = Figure(figsize=(9, 0.25 * count + 0.12 * len(groups) + 1))
    axes = figure.add_axes([0.36, 0.14, 0.56, 0.78])
    y, places, names = 0, [], []
    for group in groups:
        for name, middle, slow, colour in group:
            axes.plot([middle, slow], [y, y], color=colour, linewidth=2)
            axes.plot(middle, y, "o", color=colour, markersize=7)
            axes.annotate(f"{middle:.3g}", (slow, y), xytext=(6, 0), textcoords="offset points",
                          va="center", color=colour)
            places.append(y)
            names.append((name, colour))
            y += 1
        y += 0.5
    axes.set_yticks(places, [name for name, _ in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(axis="x", color=LINES)
    axes.set_axisbelow(True)
    axes.minorticks_off()
    axes.tick_params(length=0, colors=OTHER)
    for label, (_, colour) in zip(axes.get_yticklabels(), names):
        label.set_color(colour)
    axes.spines[:].set_visible(False)
    figure.text(0.02, 0.95, TITLE, weight="bold", size=11)
    figure.text(0.02, 0.03, where, color=OTHER)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None, "Title": TITLE})

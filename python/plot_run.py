#!/usr/bin/python3
"""Draws a run of weir over time: TTFT, TBT, and the load of its pools.

usage: python/plot_run.py RUN.h5 PICTURE [--dark]

PICTURE may be .png, .svg or .pdf. Needs h5py, numpy and matplotlib (Debian: python3-h5py
python3-matplotlib).
"""

import argparse

import h5py
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import matplotlib.ticker

BINS = 60
LIGHT = {"ink": "#1f2328", "faint": "#d1d9e0", "ground": "#ffffff", "colours": ["#0969da", "#bc4c00", "#1a7f37"]}
DARK = {"ink": "#e6edf3", "faint": "#3d444d", "ground": "#0d1117", "colours": ["#58a6ff", "#f0883e", "#56d364"]}


def percentiles_over_time(time, value, end):
    """The 50th, 90th and 99th percentile of `value` in equal intervals of `time`; NaN where there is none."""
    edges = np.linspace(0, end, BINS + 1)
    place = np.digitize(time, edges) - 1
    rows = [value[(place == i) & ~np.isnan(value)] for i in range(BINS)]
    table = [np.percentile(row, [50, 90, 99]) if len(row) else [np.nan] * 3 for row in rows]
    return (edges[:-1] + edges[1:]) / 2, np.array(table).T


def plot_percentiles(axes, requests, metric, title, end, theme):
    middle, table = percentiles_over_time(requests["arrival"], 1000 * requests[metric], end)
    for values, name, width, alpha in zip(table, ["p50", "p90", "p99"], [1.8, 1.4, 1.1], [1, 0.8, 0.65]):
        axes.plot(middle / 60, values, color=theme["colours"][0], linewidth=width, alpha=alpha, label=name)
    axes.set_ylabel("ms")
    axes.set_ylim(0, 1.15 * np.nanmax(table))
    axes.set_title(title)
    axes.legend(loc="upper right", ncol=3)


def plot_pools(axes, samples, pools, column, title, theme):
    for pool, colour in zip(pools, theme["colours"]):
        rows = samples["pool"] == pool
        axes.plot(samples["time"][rows] / 60, 100 * samples[column][rows], color=colour, linewidth=1.3, label=pools[pool])
    axes.set_ylabel("%")
    axes.set_ylim(0, 118)
    axes.set_yticks([0, 50, 100])
    axes.set_title(title)
    axes.legend(loc="upper right", ncol=3)


def draw(run, path, theme):
    matplotlib.rcParams.update(
        {"text.color": theme["ink"], "axes.labelcolor": theme["ink"], "xtick.color": theme["ink"],
         "ytick.color": theme["ink"], "axes.edgecolor": theme["faint"], "grid.color": theme["faint"],
         "figure.facecolor": theme["ground"], "axes.facecolor": theme["ground"], "legend.frameon": False,
         "font.size": 9, "axes.titlesize": 9.5, "axes.titlelocation": "left", "axes.grid": True,
         "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False, "legend.fontsize": 8,
         "legend.borderaxespad": 0.1, "legend.handlelength": 1.4}
    )
    requests = {name: run["requests"][name][:] for name in ("arrival", "ttft", "tbt")}
    samples = {name: run["samples"][name][:] for name in ("time", "pool", "load_busy", "load_kv")}
    names = [name.decode() if isinstance(name, bytes) else name for name in run["samples/pool"].attrs["values"]]
    pools = {pool: names[pool] + " pool" for pool in np.unique(samples["pool"])}
    end = samples["time"].max()
    figure, axes = plt.subplots(2, 2, figsize=(9, 4.4), sharex=True, layout="constrained")
    plot_percentiles(axes[0, 0], requests, "ttft", "Time to first token, by arrival", end, theme)
    plot_percentiles(axes[1, 0], requests, "tbt", "Time between tokens, by arrival", end, theme)
    plot_pools(axes[0, 1], samples, pools, "load_busy", "Instances busy", theme)
    plot_pools(axes[1, 1], samples, pools, "load_kv", "KV-cache memory promised", theme)
    for bottom in axes[1]:
        bottom.set_xlabel("minutes")
        bottom.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
        bottom.set_xlim(0, end / 60)
    figure.savefig(path, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", help="a file that weir run wrote")
    parser.add_argument("picture", help=".png, .svg or .pdf")
    parser.add_argument("--dark", action="store_true", help="for a dark page")
    arguments = parser.parse_args()
    with h5py.File(arguments.run) as run:
        draw(run, arguments.picture, DARK if arguments.dark else LIGHT)


if __name__ == "__main__":
    main()

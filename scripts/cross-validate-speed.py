#!/usr/bin/env python3
"""Cross-validates predicted speeds: what is found on published rows is found again without whole models, devices, engines.

usage: cross-validate-speed.py DACHLAST TABLE...      tables of kind throughput and serving_silicon

Operator curves know nothing of these rows. What does are an engine's few constants and its intervals. For each group left out:
  bias       the engine's median log error, which re-fitted constants would absorb, from the other groups' rows
  interval   the 5 % and 95 % quantiles of published / predicted, likewise (of all engines where an engine is left out)
Printed: errors as the program states them, errors on the groups left out, and how many of their figures lie inside.
With --intervals, prints each engine's quantiles for its profile instead. Standard library only.
"""
import json, math, statistics, subprocess, sys
from collections import defaultdict

LEAST = 8  # figures of a group below which the engine's others say nothing


def figures(program, tables, model="curves"):
    out = subprocess.run([program, "validate", *tables, "--json", "--worst", "1000000", "--time-model", model],
                         check=True, capture_output=True, text=True).stdout
    return [f for f in json.loads(out)["worst"] if f.get("engine")]


def quantile(values, share):
    values = sorted(values)
    h = (len(values) - 1) * share
    low = math.floor(h)
    return values[low] + (h - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def line(name, errors, inside=None):
    sizes = [abs(e) for e in errors]
    text = f"| {name} | {len(sizes)} | {100 * statistics.median(sizes):.1f} | {100 * quantile(sizes, 0.9):.0f} " \
           f"| {100 * statistics.median(errors):+.1f} |"
    print(text + (f" {100 * inside:.0f} |" if inside is not None else " |"))


def ratio(figure):
    return math.log(figure["published"] / figure["predicted"])


def leave_out(rows, key):
    errors, n_inside = [], 0
    for group in sorted({r[key] for r in rows}):
        others = [r for r in rows if r[key] != group]
        by_engine = defaultdict(list)
        for r in others:
            by_engine[r["engine"]].append(ratio(r))
        everyone = [ratio(r) for r in others]
        for r in (r for r in rows if r[key] == group):
            known = by_engine[r["engine"]] if len(by_engine[r["engine"]]) >= LEAST else everyone
            bias = statistics.median(known)
            errors.append(r["predicted"] * math.exp(bias) / r["published"] - 1)
            n_inside += quantile(known, 0.05) <= ratio(r) <= quantile(known, 0.95)
    return errors, n_inside / len(errors)


def print_intervals(rows):
    for engine in sorted({r["engine"] for r in rows}):
        for component in ("ttft", "tpot", "tok_s"):
            ratios = [ratio(r) for r in rows if r["engine"] == engine and r["component"] == component]
            if len(ratios) >= LEAST:
                print(f"{engine} {component} n={len(ratios)} low={math.exp(quantile(ratios, 0.05)):.3f} "
                      f"high={math.exp(quantile(ratios, 0.95)):.3f}")


def main():
    arguments = [a for a in sys.argv[1:] if a != "--intervals"]
    program, tables = arguments[0], arguments[1:]
    rows = figures(program, tables)
    if "--intervals" in sys.argv:
        return print_intervals(rows)
    simple = {model: figures(program, tables, model) for model in ("constant", "roofline")}
    print("| | n | median % | p90 % | bias % | inside 90 % interval |\n|---|---|---|---|---|---|")
    for component in ("tpot", "ttft", "tok_s"):
        of = [r for r in rows if r["component"] == component]
        stated = [r for r in of if "interval" in r]
        inside = sum(r["interval"][0] <= r["published"] <= r["interval"][1] for r in stated)
        line(f"{component}, as stated", [r["error_pct"] / 100 for r in of], inside / max(1, len(stated)))
        for key in ("model", "device", "engine"):
            line(f"{component}, {key}s left out", *leave_out(of, key))
        for model, figures_of in simple.items():
            line(f"{component}, {model} shares" if model == "constant" else f"{component}, plain roofline",
                 [r["error_pct"] / 100 for r in figures_of if r["component"] == component])


main()

#!/usr/bin/env python3
"""Fits and cross-validates what predicted speeds owe to published rows: an engine's few constants and its intervals.

usage: cross-validate-speed.py DACHLAST TABLE...           prints the table of docs/accuracy.md
       cross-validate-speed.py DACHLAST TABLE... --fit OUT  writes constants and intervals found on all rows into the data folder OUT
  DACHLAST  the program; its data folder is copied and changed, never written to
  TABLE     of kind throughput and serving_silicon

Operator curves know nothing of these rows. The constants below do: host time of an engine by release, and the shares of
llama.cpp's kernels, whose times nobody publishes. Where a group of rows is left out, all constants and intervals are found again
on the other rows: one step of the fit's own least squares from the constants of all rows, which is what their rows add to them,
and the program is run with the result. An engine left out gets the median of the other engines' constants; llama.cpp's kernels
cannot be guessed from others and stay out of that line.
Needs numpy.
"""
import json, math, os, re, shutil, statistics, subprocess, sys, tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

LEAST = 8  # figures of a group below which the engine's others say nothing
ROUNDS = int(os.environ.get("ROUNDS", "8"))
# A fit starts at the constants that stand in the files, and may not leave what their names can mean: us, passes, factors.
HOST = {"step_us": (20, 3000), "sequence_us": (0.3, 300), "launch_us": (1, 30), "prompt_factor": (1.0, 2.0),
        "wait_passes": (0.1, 40), "group_wait_passes": (0.1, 120), "request_us": (500, 300000)}
SHARES = {"floor_us": (1, 100), "memory": (0.02, 1.0), "compute": (0.02, 1.0), "unit_gb_s": (2, 30)}
NUDGE = 0.05
PRIOR = 0.02  # weight of a constant's last value, in rows: what no row shows stays as it was


class Constants:
    """Numbers in the data files, by file, place and name."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.places = []
        for engine in ("vllm", "sglang", "tensorrt-llm"):
            file = f"engines/{engine}.json"
            for block in range(len(self.blocks(file, '"speed": {'))):
                self.places += [(file, '"speed": {', block, name) for name in HOST]
        file = "efficiency/llama.cpp.json"
        for block, text in enumerate(self.blocks(file, '"law": {')):
            self.places += [(file, '"law": {', block, name) for name in SHARES if re.search(rf'"{name}": [\d.]+', text)]
        self.values = np.array([self.read(*place) for place in self.places])

    def blocks(self, file, opening):
        return (self.folder / file).read_text().split(opening)[1:]

    def read(self, file, opening, block, name):
        return max(1e-6, float(re.search(rf'"{name}": ([-\d.e]+)', self.blocks(file, opening)[block]).group(1)))

    def bounds(self):
        return np.log(np.array([{**HOST, **SHARES}[name] if file.startswith("engines") else SHARES[name]
                                for file, _, _, name in self.places])).T

    def write(self, values, folder):
        changed = defaultdict(list)
        for (file, opening, block, name), value in zip(self.places, values):
            changed[file, opening].append((block, name, value))
        for (file, opening), numbers in changed.items():
            parts = (self.folder / file).read_text().split(opening)
            for block, name, value in numbers:
                parts[block + 1] = re.sub(rf'"{name}": [-\d.e]+', f'"{name}": {float(f"{value:.3g}"):g}', parts[block + 1], count=1)
            (Path(folder) / file).write_text(opening.join(parts))


class Program:
    def __init__(self, path, tables):
        self.path, self.tables = path, tables
        self.data = tempfile.mkdtemp()
        shutil.copytree(Path(path).resolve().parent.parent / "share/dachlast", self.data, dirs_exist_ok=True)
        self.constants = Constants(Path(path).resolve().parent.parent / "share/dachlast")

    def figures(self, values=None, tables=None, model="curves"):
        """Predicted and published figures, by id and metric, in the order of the tables."""
        self.constants.write(self.constants.values if values is None else values, self.data)
        command = [self.path, "validate", *(tables or self.tables), "--json", "--worst", "1000000", "--time-model", model]
        out = subprocess.run(command, check=True, capture_output=True, text=True,
                             env={**os.environ, "DACHLAST_DATA_DIR": self.data}).stdout
        found = [f for f in json.loads(out)["worst"] if f.get("engine")]
        return sorted(found, key=lambda f: (f["id"], f["item"]))

    def only(self, ids):
        """Tables with the rows of these ids."""
        made = []
        for table in self.tables:
            lines = Path(table).read_text().splitlines(keepends=True)
            kept = [line for line in lines[1:] if line.split(",", 1)[0] in ids]
            if kept:
                made.append(Path(self.data) / f"{len(made)}.csv")
                made[-1].write_text(lines[0] + "".join(kept))
        return [str(table) for table in made]


def ratio(figure):
    return math.log(figure["published"] / figure["predicted"])


def logs(figures):
    return np.array([math.log(f["predicted"]) for f in figures])


class Fit:
    """Least squares on logarithms; a figure counts by its distance beyond 10 %, not its square."""

    def __init__(self, program):
        self.program = program
        self.low, self.high = program.constants.bounds()
        self.y = np.clip(np.log(program.constants.values), self.low, self.high)
        self.figures = program.figures(np.exp(self.y))
        self.published = np.array([math.log(f["published"]) for f in self.figures])

    def slopes(self):
        """Of every figure's logarithm. A constant of one release moves no row of another, so that one run changes it in all files."""
        now, slopes = logs(self.figures), np.zeros((len(self.figures), len(self.y)))
        owner, places = self.owners(), self.program.constants.places
        for name in HOST:
            columns = [i for i, place in enumerate(places) if place[0].startswith("engines") and place[3] == name]
            moved = self.moved(columns) - now
            for column in columns:
                slopes[:, column] = np.where(owner == self.owner_key(column), moved / NUDGE, 0.0)
        kernels = owner == "efficiency/llama.cpp.json"
        tables = self.program.only({f["id"] for f, own in zip(self.figures, kernels) if own})
        for column in (i for i, place in enumerate(places) if place[0].startswith("efficiency")):
            slopes[kernels, column] = (self.moved([column], tables) - now[kernels]) / NUDGE
        return slopes

    def moved(self, columns, tables=None):
        y = self.y.copy()
        y[columns] += NUDGE
        return logs(self.program.figures(np.exp(y), tables))

    def owner_key(self, column):
        file, _, block, _ = self.program.constants.places[column]
        return file if file.startswith("efficiency") else f"{file}/{block}"

    def owners(self):
        """Which release's constants each figure is predicted with: the one whose host times, made large, move it."""
        if hasattr(self, "_owners"):
            return self._owners
        now = logs(self.figures)
        owner = np.array(["efficiency/llama.cpp.json"] * len(now), dtype=object)
        keys = {self.owner_key(i) for i, p in enumerate(self.program.constants.places) if p[0].startswith("engines")}
        for key in sorted(keys):
            y = self.y.copy()
            for i, place in enumerate(self.program.constants.places):
                if place[0].startswith("engines") and self.owner_key(i) == key and place[3] in ("step_us", "sequence_us", "request_us"):
                    y[i] += 3.0
            owner[np.abs(logs(self.program.figures(np.exp(y))) - now) > 1e-9] = key
        self._owners = owner
        return owner

    def step(self, slopes, kept, damping=0.0):
        r = (self.published - logs(self.figures))[kept]
        j = slopes[kept]
        weight = 1 / np.maximum(np.abs(r), 0.1)
        square = j.T @ (j * weight[:, None]) + (PRIOR + damping) * np.eye(len(self.y))
        return np.clip(self.y + np.clip(np.linalg.solve(square, j.T @ (r * weight)), -0.7, 0.7), self.low, self.high)

    def loss(self, figures):
        r = np.abs(self.published - logs(figures))
        return float(np.mean(np.where(r < 0.1, r * r / 0.2, r - 0.05)))

    def run(self):
        everyone = np.ones(len(self.figures), bool)
        for _ in range(ROUNDS):
            slopes, before, damping = self.slopes(), self.loss(self.figures), 0.0
            for damping in (0.0, 3.0, 30.0, 300.0):
                tried = self.step(slopes, everyone, damping)
                figures = self.program.figures(np.exp(tried))
                if self.loss(figures) < before:
                    break
            else:
                break
            self.y, self.figures = tried, figures
            print(f"loss {before:.4f} -> {self.loss(figures):.4f}", file=sys.stderr)
            if before - self.loss(figures) < 5e-4:
                break


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


def without(fit, slopes, key, group):
    """Constants found without a group; an engine left out gets the others' medians."""
    kept = np.array([f[key] != group for f in fit.figures])
    y = fit.step(slopes, kept)
    if key != "engine":
        return np.exp(y)
    owned = {fit.owner_key(i) for i in range(len(y))} - {o for o, f in zip(fit.owners(), fit.figures) if f["engine"] != group}
    places = fit.program.constants.places
    for i, place in enumerate(places):
        if place[0].startswith("engines") and fit.owner_key(i) in owned:
            y[i] = np.median([y[k] for k, other in enumerate(places)
                              if other[3] == place[3] and other[0] != place[0] and other[0].startswith("engines")])
    return np.exp(y)


def leave_out(fit, slopes, key):
    """Error and whether it lies inside the interval, for each figure, predicted without its group."""
    results = {}
    for group in sorted({f[key] for f in fit.figures}):
        if key == "engine" and group == "llama.cpp":
            continue
        ids = {f["id"] for f in fit.figures if f[key] == group}
        figures = [f for f in fit.program.figures(without(fit, slopes, key, group), fit.program.only(ids)) if f[key] == group]
        known = defaultdict(list)
        for f in fit.figures:
            if f[key] != group:
                known[f["engine"], f["component"]].append(ratio(f))
                known[None, f["component"]].append(ratio(f))
        for f in figures:
            same = known[f["engine"], f["component"]]
            ratios = same if len(same) >= LEAST else known[None, f["component"]]
            inside = quantile(ratios, 0.05) <= ratio(f) <= quantile(ratios, 0.95)
            results[f["id"], f["item"]] = (f["component"], f["predicted"] / f["published"] - 1, inside)
    return list(results.values())


def print_table(program):
    figures = program.figures()
    simple = {model: program.figures(model=model) for model in ("constant", "roofline")}
    fit = Fit(program)
    slopes = fit.slopes()
    left = {key: leave_out(fit, slopes, key) for key in ("model", "device", "engine")}
    print("| | n | median % | p90 % | bias % | inside 90 % interval |\n|---|---|---|---|---|---|")
    for component in ("tpot", "ttft", "tok_s"):
        of = [f for f in figures if f["component"] == component]
        stated = [f for f in of if "interval" in f]
        inside = sum(f["interval"][0] <= f["published"] <= f["interval"][1] for f in stated)
        line(f"{component}, as stated", [f["error_pct"] / 100 for f in of], inside / max(1, len(stated)))
        for key, results in left.items():
            part = [r for r in results if r[0] == component]
            line(f"{component}, {key}s left out", [r[1] for r in part], sum(r[2] for r in part) / len(part))
        for model, of_model in simple.items():
            line(f"{component}, " + ("constant shares" if model == "constant" else "plain roofline"),
                 [f["error_pct"] / 100 for f in of_model if f["component"] == component])


def write_intervals(figures, folder):
    names = {"vLLM": "vllm", "SGLang": "sglang", "TensorRT-LLM": "tensorrt-llm", "llama.cpp": "llama.cpp"}
    for engine, name in names.items():
        file = Path(folder) / f"engines/{name}.json"
        text = file.read_text()
        for component, key in (("ttft", "ttft"), ("tpot", "tpot"), ("tok_s", "rate")):
            ratios = [ratio(f) for f in figures if f["engine"] == engine and f["component"] == component]
            for bound, share in (("low", 0.05), ("high", 0.95)):
                if len(ratios) >= LEAST:
                    text = re.sub(rf'"{key}_{bound}": [-\d.e]+', f'"{key}_{bound}": {math.exp(quantile(ratios, share)):.3f}', text)
        file.write_text(text)


def main():
    arguments = sys.argv[1:]
    out = arguments[arguments.index("--fit") + 1] if "--fit" in arguments else None
    program = Program(arguments[0], [a for a in arguments[1:] if a not in ("--fit", out)])
    if out is None:
        return print_table(program)
    fit = Fit(program)
    fit.run()
    program.constants.write(np.exp(fit.y), out)
    write_intervals(fit.figures, out)


main()

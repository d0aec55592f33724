#!/usr/bin/env python3
"""Fits the efficiency curves of core/roofline/efficiency/ to measured operator times.

usage: fit-efficiency.py OPERATORS DEVICES OUT [--only DEVICE]
  OPERATORS  folder with gemm.csv, attention_*.csv, mla_*.csv, moe.csv, allreduce.csv, collectives.csv, quantize.csv
  DEVICES    core/hardware/catalog, whose bandwidths and peaks the efficiencies are shares of
  OUT        folder for one <device>.json each

Needs numpy and pandas. Each law is that of core/roofline/op_time.cpp, constant by constant. One of five shapes (by a hash of its
sizes) is never fitted: the errors written beside each curve are those on these shapes.
"""
import json, math, sys, zlib
from pathlib import Path

import numpy as np
import pandas as pd

SYSTEMS = {"a100_sxm": "a100-sxm-80gb", "h100_sxm": "h100-sxm", "h200_sxm": "h200-sxm", "b200_sxm": "b200-sxm",
           "gb200": "gb200", "l40s": "l40s", "rtx_pro_6000_server": "rtx-pro-6000-bw"}
KERNELS = {"trtllm": "tensorrt-llm", "vllm": "vllm", "nccl": "nccl"}
# type: (bytes per weight with scales, arithmetic)
TYPES = {"bfloat16": ("bf16", 2.0, "bf16"), "fp8": ("fp8", 1.0, "fp8"), "fp8_block": ("fp8_block", 1.0, "fp8"),
         "nvfp4": ("nvfp4", 0.5625, "fp4"), "int8_wo": ("int8_weights", 1.0, "bf16"),
         "int4_wo": ("int4_weights", 0.5156, "bf16"), "sq": ("int8", 1.0, "int8"),
         "w4a16_mxfp4": ("mxfp4", 0.53125, "bf16"), "w4a8_mxfp4_mxfp8": ("mxfp4_mxfp8", 0.53125, "fp8")}


class Device:
    def __init__(self, folder, name):
        spec = json.loads((Path(folder) / f"{name}.json").read_text())
        self.name = name
        self.bw = spec["memory"][0]["bandwidth_gb_s"] * 1e9
        peaks = spec["peak_dense"]
        self.peak = {k.rsplit("_", 1)[0]: v * 1e12 for k, v in peaks.items()}
        self.peak.setdefault("fp8", self.peak["bf16"])
        self.peak.setdefault("fp4", self.peak["fp8"])
        self.sms = spec.get("n_units") or {"gb200": 148}[name]  # GB200 carries the GB100 of a B200
        self.l2 = spec["last_level_cache"]["size_mib"] * 2**20
        rates = {a["type"]: a["rate_tflops"] * 1e12 for a in spec.get("achieved_matmul", [])}
        self.achieved = next(((dtype, rates[t]) for t, dtype in (("bf16", "bfloat16"), ("fp8", "fp8")) if t in rates), None)

    def sustained(self, folder, system):
        """Share of the operator tables' best rate that long runs of matrix products keep: the tables time short bursts at
        locked clocks, a device under load lowers its clock to hold its power limit."""
        if self.achieved is None:
            return None
        dtype, rate = self.achieved
        rows = pd.read_csv(folder / "gemm.csv").query("system == @system and dtype == @dtype")
        return min(1.0, rate / (2.0 * rows.m * rows.n * rows.k / (rows.latency_ms * 1e-3)).max())


# ---------------------------------------------------------------- laws; x are the constants, f the columns of a frame

def join(p, *terms):
    return sum(np.maximum(t, 1e-12) ** p for t in terms) ** (1 / p)


def waves(u, tail):
    return u + tail * (np.ceil(u) - u)


GEMM = dict(floor_us=3.0, memory=0.8, compute=0.8, join=3.0, per_k_ns=0.3, quantize=0.2, k_offset=100.0, tail=0.5,
            small_tile=0.9)


def gemm(x, f, d):
    m, n, k = f["m"], f["n"], f["k"]
    tm = (n * k * f["wb"] + 2 * m * (n + k)) / (d.bw * x["memory"])
    tc = None
    for rows, columns in ((64, 64), (64, 128), (128, 128), (128, 256)):
        tiles = np.ceil(m / rows) * np.ceil(n / columns)
        u = tiles / d.sms
        split = np.maximum(1.0, np.minimum.reduce([np.full(len(m), 16.0), 1 / u, k / 512]))
        j = math.log2(128 * 256 / (rows * columns))
        w = waves(u * split, x["tail"]) / split
        t = w * rows * columns * 2 * (k + x["k_offset"]) * d.sms / (f["peak"] * x["compute"] * x["small_tile"] ** j)
        tc = t if tc is None else np.minimum(tc, t)
    quantized = np.where(f["quantized"], x["quantize"] * 3 * m * k / d.bw, 0.0)
    return 1e-6 * x["floor_us"] + join(x["join"], tc, tm) + 1e-9 * x["per_k_ns"] * k + quantized


DECODE = dict(floor_us=6.0, per_wave_us=0.3, memory=0.8, cached=1.5, compute=0.3, block=1.0, join=3.0, per_split_ns=2.0)


def decode(x, f, d):
    blocks = f["batch"] * f["kv_heads"]
    seen = np.maximum(f["kv_len"], 1.0)
    u = blocks / d.sms
    kv = blocks * seen * f["row_bytes"]
    efficiency = np.where(kv < 0.6 * d.l2, x["cached"], x["memory"])
    tm = kv / (d.bw * efficiency)
    rows = 16 * np.ceil(f["group"] / 16)
    tc = 2.0 * f["dims"] * rows * blocks * seen / (f["peak"] * x["compute"])
    split = np.maximum(1.0, np.minimum(np.floor(2 / u), np.ceil(seen / 256)))
    ts = seen / split * f["row_bytes"] * d.sms / (d.bw * x["block"])
    return (1e-6 * (x["floor_us"] + x["per_wave_us"] * u) + 1e-9 * x["per_split_ns"] * seen / split
            + join(x["join"], tm, tc, ts))


PREFILL = dict(floor_us=8.0, per_wave_us=0.5, memory=0.8, compute=0.6, join=3.0, tail=0.5, extra_keys=64.0, width=0.3)


def prefill(x, f, d):
    q, kv = f["q_len"], f["kv_len"]
    window = np.where(f["window"] > 0, f["window"], 1e12)
    before = kv - q
    full = before + (q + 1) / 2
    # Rows below the window see all before them, the others the window.
    below = np.clip(window - before, 0, q)
    capped = (below * (before + (below + 1) / 2) + (q - below) * window) / q
    visible = np.minimum(full, capped)
    longest = np.minimum(kv, window)
    rate = f["peak"] * x["compute"] * (f["dims"] / 256) ** x["width"]
    tiles = f["batch"] * f["n_heads"] * np.ceil(q / 128)
    tile = 2.0 * 128 * f["dims"]
    tc = waves(tiles / d.sms, x["tail"]) * d.sms * tile * (visible + x["extra_keys"]) / rate
    tc = np.maximum(tc, tile * (longest + x["extra_keys"]) * d.sms / rate)
    moved = f["batch"] * (q * f["n_heads"] * f["dims"] * 2 + np.minimum(kv, window + q) * f["kv_heads"] * f["row_bytes"])
    return 1e-6 * (x["floor_us"] + x["per_wave_us"] * f["batch"] * f["n_heads"] / d.sms) + join(
        x["join"], tc, moved / (d.bw * x["memory"]))


MOE = dict(floor_us=20.0, per_expert_ns=20.0, per_row_ns=0.5, memory=0.8, compute=0.5, join=3.0, extra_rows=16.0,
           offset=64.0, activations=0.5)


def moe(x, f, d):
    experts, inter = f["experts"] / f["moe_ep"], f["inter"] / f["moe_tp"]
    rows = f["tokens"] * f["topk"] / f["moe_ep"]
    touched = np.minimum(experts, np.maximum(rows, 1.0))
    tm = touched * f["products"] * f["hidden"] * inter * f["wb"] / (d.bw * x["memory"])
    flops = 2.0 * f["products"] * (rows + touched * x["extra_rows"]) * (f["hidden"] + x["offset"]) * (inter + x["offset"])
    moved = rows * (2 * f["hidden"] + f["products"] * inter) * 2
    return (1e-6 * x["floor_us"] + 1e-9 * (x["per_expert_ns"] * experts + x["per_row_ns"] * rows)
            + join(x["join"], tm, flops / (f["peak"] * x["compute"])) + moved / (d.bw * x["activations"]))


STREAM = dict(floor_us=2.0, memory=0.8)


def stream(x, f, d):
    return 1e-6 * x["floor_us"] + f["bytes"] / (d.bw * x["memory"])


MESSAGE = dict(floor_us=5.0, sqrt_us=0.001, gb_s=200.0)


def message(x, f, d):
    return 1e-6 * (x["floor_us"] + x["sqrt_us"] * np.sqrt(f["bytes"])) + f["bytes"] / (1e9 * x["gb_s"])


# ---------------------------------------------------------------- fitting

# Beyond these a constant no longer means what its name says. "compute" passes 1 where products of a 16-bit peak run in FP8.
BOUNDS = {"join": (1.0, 8.0), "tail": (0.02, 1.0), "small_tile": (0.5, 1.2), "width": (0.05, 2.0), "memory": (0.05, 1.1),
          "compute": (0.01, 2.2), "cached": (0.1, 4.0), "block": (0.02, 30.0), "floor_us": (0.5, 300.0)}


def fit(law, start, frame, device, rounds=60):
    """Levenberg-Marquardt on the logarithm of constants and times; far points count by their distance, not its square."""
    names = list(start)
    columns = {c: frame[c].to_numpy() for c in frame.columns}
    seconds = frame["latency_ms"].to_numpy() * 1e-3
    low = np.log([BOUNDS.get(n, (1e-6, 1e5))[0] for n in names])
    high = np.log([BOUNDS.get(n, (1e-6, 1e5))[1] for n in names])

    def residual(y):
        return np.log(law(dict(zip(names, np.exp(y))), columns, device) / seconds)

    def loss(r):
        return np.mean(np.where(np.abs(r) < 0.1, r * r / 0.2, np.abs(r) - 0.05))

    y, damping = np.log(list(start.values())), 1e-2
    r = residual(y)
    for _ in range(rounds):
        jacobian = np.stack([(residual(y + 1e-4 * e) - r) / 1e-4 for e in np.eye(len(y))], axis=1)
        weight = 1 / np.maximum(np.abs(r), 0.1)
        square = jacobian.T @ (jacobian * weight[:, None])
        gradient = jacobian.T @ (r * weight)
        for _ in range(8):
            step = np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-6), gradient)
            tried = np.clip(y - np.clip(step, -1, 1), low, high)
            if loss(residual(tried)) < loss(r):
                break
            damping *= 4
        else:
            break
        gained = loss(r) - loss(residual(tried))
        y, damping = tried, damping / 3
        r = residual(y)
        if gained < 1e-6:
            break
    return dict(zip(names, np.exp(y)))


def held_out(frame, keys):
    return frame[keys].astype(str).agg("/".join, axis=1).map(lambda s: zlib.crc32(s.encode()) % 5 == 0).to_numpy()


def curve(op, kernels, kind, law, start, frame, device, keys, **more):
    aside = held_out(frame, keys)
    constants = fit(law, start, frame[~aside], device)
    tested = frame[aside] if aside.any() else frame
    columns = {c: tested[c].to_numpy() for c in tested.columns}
    error = np.abs(law(constants, columns, device) / (tested["latency_ms"].to_numpy() * 1e-3) - 1) * 100
    made = {"op": op, "kernels": kernels, "type": kind, "n_shapes": int((~aside).sum()),
            "held_out_median_pct": round(float(np.median(error)), 1),
            "held_out_p90_pct": round(float(np.percentile(error, 90)), 1)}
    made.update(more)
    made["law"] = {name: float(f"{value:.4g}") for name, value in constants.items()}
    print(f"{device.name:16} {op:12} {kernels:12} {kind:14} {len(frame):5} {made['held_out_median_pct']:6} "
          f"{made['held_out_p90_pct']:6} {made['law']}", flush=True)
    return made


def typed(frame, device, column="dtype"):
    frame = frame[frame[column].isin(TYPES)].copy()
    frame["type"] = frame[column].map(lambda t: TYPES[t][0])
    frame["wb"] = frame[column].map(lambda t: TYPES[t][1])
    frame["peak"] = frame[column].map(lambda t: device.peak[TYPES[t][2]])
    return frame


def fit_gemm(folder, system, device):
    rows = pd.read_csv(folder / "gemm.csv").query("system == @system and n >= 512 and k >= 512 and n <= 16384")
    rows = typed(rows, device)
    rows["quantized"] = rows["type"].isin(["fp8", "fp8_block", "nvfp4", "int8"])
    # vLLM's block-scaled products were timed without a captured graph: host time, not kernel time.
    rows = rows[~((rows.backend == "vllm") & (rows.dtype == "fp8_block"))]
    rows = pd.concat([rows, with_fixed_scales(folder, system, rows)])
    return [curve("gemm", KERNELS[b], t, gemm, GEMM, g, device, ["m", "n", "k"])
            for (b, t), g in rows.groupby(["backend", "type"])]


def with_fixed_scales(folder, system, rows):
    """FP8 products whose input scale is known beforehand: without the time of finding it."""
    scale = pd.read_csv(folder / "quantize.csv").query("system == @system and op == 'computescale'")
    scale = scale[["backend", "m", "k", "latency_ms"]].rename(columns={"latency_ms": "scale_ms"})
    fixed = rows[rows.type == "fp8"].merge(scale, on=["backend", "m", "k"])
    fixed["latency_ms"] -= fixed["scale_ms"]
    fixed["type"] = "fp8_static"
    return fixed[fixed["latency_ms"] > 0.0015].drop(columns="scale_ms")


def attention_columns(rows, device, kind):
    rows = rows.copy()
    rows["type"] = rows["kv_dtype"].map({"bfloat16": "bf16", "fp8": "fp8"})
    rows["peak"] = rows[kind].map(lambda t: device.peak["fp8" if t == "fp8" else "bf16"])
    rows["element"] = rows["kv_dtype"].map({"bfloat16": 2.0, "fp8": 1.0})
    return rows


def fit_attention(folder, system, device):
    made = []
    rows = pd.read_csv(folder / "attention_decode.csv").query("system == @system and head_dim <= 256")
    rows = attention_columns(rows, device, "fmha_dtype")
    rows["kv_heads"], rows["group"] = rows["n_kv_heads"], rows["n_heads"] / rows["n_kv_heads"]
    rows["dims"], rows["row_bytes"] = 2 * rows["head_dim"], 2 * rows["head_dim"] * rows["element"]
    rows["kv_len"] = np.where(rows["window"] > 0, np.minimum(rows["kv_len"] + 1, rows["window"]), rows["kv_len"] + 1)
    kv = rows["batch"] * rows["kv_heads"] * rows["kv_len"] * rows["row_bytes"]
    rows = rows[~((kv > 4 * device.l2) & (kv / (rows["latency_ms"] * 1e-3) > device.bw))]  # faster than memory: not read
    for (b, t), g in rows.groupby(["backend", "type"]):
        made.append(curve("decode", KERNELS[b], t, decode, DECODE, g, device, ["n_heads", "n_kv_heads", "head_dim", "batch"]))

    rows = pd.read_csv(folder / "attention_prefill.csv").query("system == @system and head_dim <= 256 and q_len > 1")
    rows = rows[~((rows.backend == "vllm") & (rows.head_dim == 192) & (rows.kv_dtype == "fp8"))]  # Triton fallback
    rows = attention_columns(rows, device, "fmha_dtype")
    rows["kv_len"], rows["kv_heads"], rows["dims"] = rows["q_len"], rows["n_kv_heads"], 2 * rows["head_dim"]
    rows["row_bytes"] = 2 * rows["head_dim"] * rows["element"]
    rows["peak"] = device.peak["bf16"]  # an FP8 product shows as an efficiency above
    # Where a backend has FP8 arithmetic under FP8 caches, that is what it uses.
    both = rows[rows.fmha_dtype == "fp8"].backend.unique()
    rows = rows[~(rows.backend.isin(both) & (rows.kv_dtype == "fp8") & (rows.fmha_dtype == "bfloat16"))]
    for (b, t), g in rows.groupby(["backend", "type"]):
        made.append(curve("prefill", KERNELS[b], t, prefill, PREFILL, g, device,
                          ["n_heads", "n_kv_heads", "head_dim", "batch", "q_len"]))
    return made


def fit_latent(folder, system, device):
    made = []
    rows = pd.read_csv(folder / "mla_decode.csv").query("system == @system and backend == 'trtllm'")
    rows = attention_columns(rows, device, "mla_dtype")
    rows["kv_heads"], rows["group"], rows["dims"], rows["row_bytes"] = 1.0, rows["n_heads"], 576 + 512, 576 * rows["element"]
    rows["kv_len"] = rows["kv_len"] + 1
    for t, g in rows.groupby("type"):
        made.append(curve("latent_decode", "tensorrt-llm", t, decode, DECODE, g, device, ["n_heads", "batch", "kv_len"]))
    rows = pd.read_csv(folder / "mla_prefill.csv").query("system == @system and backend == 'trtllm' and q_len > 1")
    rows = attention_columns(rows, device, "mla_dtype")
    rows["kv_len"], rows["kv_heads"], rows["dims"], rows["window"] = rows["q_len"], rows["n_heads"], 192 + 128, 0
    rows["row_bytes"], rows["peak"] = 320 * 2.0, device.peak["bf16"]
    for t, g in rows.groupby("type"):
        made.append(curve("latent_prefill", "tensorrt-llm", t, prefill, PREFILL, g, device, ["n_heads", "batch", "q_len"]))
    return made


def fit_moe(folder, system, device):
    rows = pd.read_csv(folder / "moe.csv").query("system == @system")
    balanced = rows[rows.distribution == "balanced"]
    rows = typed(balanced if len(balanced) else rows, device)
    two = {(2688, 1856), (1024, 2688), (4096, 2688), (2048, 5120), (8192, 5120)}
    rows["products"] = [2.0 if pair in two else 3.0 for pair in zip(rows.hidden, rows.inter)]
    made = []
    for (b, t), g in rows.groupby(["backend", "type"]):
        if t == "mxfp4" and (g.kernel != "marlin").any():
            g = g[g.kernel != "marlin"]  # vLLM takes it where nothing else runs
        # Of several kernels for one shape engines tune to the fastest.
        shape = ["hidden", "inter", "topk", "experts", "moe_tp", "moe_ep", "tokens"]
        g = g.sort_values("latency_ms").drop_duplicates(shape)
        made.append(curve("experts", KERNELS[b], t, moe, MOE, g, device, shape))
    return made


def fit_stream(folder, system, device):
    rows = pd.read_csv(folder / "quantize.csv").query("system == @system and op == 'scale_matrix' and k >= 512")
    rows["bytes"] = 3.0 * rows["m"] * rows["k"]
    return [curve("stream", KERNELS[b], "any", stream, STREAM, g, device, ["m", "k"]) for b, g in rows.groupby("backend")]


def fit_messages(folder, system, device):
    made = []
    if system == "l40s":
        return made  # 2 to 5 GB/s at 4 and 8 devices: that host's PCIe, slower by ten times than other hosts'
    rows = pd.read_csv(folder / "allreduce.csv").query("system == @system and dtype != 'int8' and mode != 'eager'")
    rows = pd.concat([rows, pd.read_csv(folder / "collectives.csv").query("system == @system and dtype == 'half'")])
    rows["bytes"] = rows["message_bytes"].astype(float)
    for (op, b, n), g in rows.groupby(["op", "backend", "n_gpus"]):
        made.append(curve(op, KERNELS[b], "any", message, MESSAGE, g, device, ["bytes"], n_devices=int(n)))
    return made


def main():
    folder, catalog, out = (Path(p) for p in sys.argv[1:4])
    only = sys.argv[5] if len(sys.argv) > 5 else None
    for system, name in SYSTEMS.items():
        if only and name != only:
            continue
        device = Device(catalog, name)
        curves = [c for part in (fit_gemm, fit_attention, fit_latent, fit_moe, fit_stream, fit_messages)
                  for c in part(folder, system, device)]
        document = {"schema": "dachlast.efficiency/1", "device": name,
                    "source": "ai-dynamo/aiconfigurator@095f58a51c:aic-core/src/aiconfigurator_core/systems (measured operator times, Apache-2.0)",
                    "fitted_by": "scripts/fit-efficiency.py"}
        share = device.sustained(folder, system)
        if share:
            document["sustained_share"] = round(share, 3)
        lines = ",\n    ".join(json.dumps(c) for c in curves)
        head = json.dumps(document, indent=2)[:-2]
        (out / f"{name}.json").write_text(f'{head},\n  "curves": [\n    {lines}\n  ]\n}}\n')


main()

#!/usr/bin/env python3
"""Writes what the compiler says of each CUDA kernel: registers, spills, shared memory and the occupancy they leave.

  scripts/cuda-resources.py [NVCC]      rewrites tests/data/cuda/resources.csv, which is reviewed with the kernels

Threads and dynamic shared memory come from the launches; a test holds the table against them and against
cuda_occupancy.h. No GPU is needed.
"""
import concurrent.futures
import csv
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests/data/cuda/resources.csv"
ARCHES = ["80", "90", "100", "120"]

# Threads of a block and bytes of dynamic shared memory, as the launchers ask for them; norm: for rows of 4,096.
LAUNCHES = {
    "norm_kernel": (256, 128 + 4 * 4096),
    "argmax_kernel": (1024, 8 * 32),
    "softmax_sample_kernel": (1024, 12 * 32),
    "stream_kernel<128>": (128, 4 * (32 * 129 + 8 * 128 + 8 * 32 + 3 * 8)),
    "stream_kernel<256>": (128, 4 * (32 * 257 + 8 * 256 + 8 * 32 + 3 * 8)),
    "combine_kernel": (128, 0),
    "tensor_kernel<64": (128, 3 * 64 * 72 * 2 + 64 * 68 * 4 + 64 * 72 * 2 + 64 * 4),
    "tensor_kernel<128": (128, 3 * 64 * 136 * 2 + 64 * 68 * 4 + 64 * 72 * 2 + 64 * 4),
    "latent_kernel": (128, 16 * 584 * 2 + 32 * 584 * 2 + 2 * 16 * 36 * 4 + 16 * 40 * 2 + 16 * 4),
    "naive_softmax_kernel": (128, 128),
    "naive_": (128, 0),
    "gemv_kernel": (256, 8 * 4 * 32 * 4),
    "store_kernel": (128, 0),
    "seal_kernel": (128, 0),
    "keep_kernel": (128, 0),
    "absorb_kernel": (128, 0),
    "raise_kernel": (128, 0),
    "empty_probe_kernel": (32, 0),
    "": (256, 0),  # the elementwise kernels
}

# Of a multiprocessor: warps, blocks, bytes of shared memory. All have 65,536 registers, given out to warps in units of
# 256, and shared memory in units of 128 bytes with 1 KiB a block for the system.
# Source   CUDA C++ programming guide, technical specifications per compute capability.
LIMITS = {"80": (64, 32, 164 << 10), "90": (64, 32, 228 << 10), "100": (64, 32, 228 << 10), "120": (48, 24, 100 << 10)}


def launch_of(kernel):
    return next(launch for prefix, launch in LAUNCHES.items() if kernel.startswith(prefix))


def blocks_per_multiprocessor(arch, registers, threads, shared_bytes):
    warps, blocks, shared = LIMITS[arch]
    warps_of_block = threads // 32
    registers_of_warp = -(-registers * 32 // 256) * 256
    by_registers = 65536 // registers_of_warp // 4 * 4 // warps_of_block  # the four partitions of a multiprocessor
    by_shared = shared // (-(-(shared_bytes + 1024) // 128) * 128)
    return min(blocks, warps // warps_of_block, by_registers, by_shared)


def ptxas_lines(nvcc, source):
    """What ptxas -v says, demangled: names stand in quotes or not, depending on the toolkit's version."""
    command = [nvcc, "-std=c++20", "-O3", "--expt-relaxed-constexpr", f"-I{ROOT}", "-Xptxas=-v", "-c", str(source),
               "-o", "/dev/null"]
    command += [f"--generate-code=arch=compute_{arch},code=sm_{arch}" for arch in ARCHES]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return subprocess.run(["c++filt", "--no-strip-underscore"], input=re.sub(r"'(_Z\w+)'", r"\1", said), capture_output=True, text=True,
                          check=True).stdout.splitlines()


def kernels_of(lines):
    """Rows (kernel, arch, registers, spilled bytes)."""
    kernel = arch = None
    spills = 0
    for line in lines:
        if entry := re.search(r"Compiling entry function (.*) for 'sm_(\d+)", line):
            kernel, arch = re.search(r"::(\w+_kernel(?:<.*>)?)\(", entry[1])[1], entry[2]
            kernel = re.sub(r"dachlast::(kernels::cuda::)?(\(anonymous namespace\)::)?|\(\w+::\w+\)|_GLOBAL__N_\w+::", "",
                            kernel)
        elif spill := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spills = int(spill[1]) + int(spill[2])
        elif used := re.search(r"Used (\d+) registers", line):
            yield kernel, arch, int(used[1]), spills


def main():
    nvcc = sys.argv[1] if len(sys.argv) > 1 else "nvcc"
    rows = []
    sources = sorted((ROOT / "kernels/cuda").glob("*.cu"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = pool.map(lambda source: ptxas_lines(nvcc, source), sources)
    for lines in said:
        for kernel, arch, registers, spills in kernels_of(lines):
            threads, shared_bytes = launch_of(kernel)
            blocks = blocks_per_multiprocessor(arch, registers, threads, shared_bytes)
            occupancy = int(100 * blocks * threads / 32 / LIMITS[arch][0] + 0.5)  # halves up, as the test rounds
            rows.append([kernel, "sm_" + arch, registers, spills, threads, shared_bytes, blocks, occupancy])
    rows.sort(key=lambda row: (row[0], int(row[1][3:])))
    TABLE.parent.mkdir(exist_ok=True)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kernel", "arch", "registers", "spilled_bytes", "threads", "shared_bytes",
                         "blocks_per_multiprocessor", "occupancy_percent"])
        writer.writerows(rows)
    spilled = [row for row in rows if row[3] > 0]
    print(f"{TABLE.relative_to(ROOT)}: {len(rows)} rows, {len(spilled)} with spills")
    return 1 if spilled else 0


if __name__ == "__main__":
    sys.exit(main())

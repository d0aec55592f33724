#!/usr/bin/env python3
"""Writes a GGUF file of the shape of Llama 3.2 1B with random weights: what scripts/bench-peer.sh gives to llama-bench.

  scripts/random-gguf.py TYPE FILE        TYPE: BF16, Q8_0 or Q4_0, for every matrix (embeddings too); norms in F32

Source: ggml-org/ggml:docs/gguf.md; blocks of ggml-org/llama.cpp:ggml/src/ggml-common.h. Python 3 alone is enough.
"""

import random
import struct
import sys

D_MODEL, N_LAYERS, D_FF, N_HEADS, N_KV_HEADS, VOCAB_SIZE = 2048, 16, 8192, 32, 8, 128256
KV_WIDTH = N_KV_HEADS * (D_MODEL // N_HEADS)
ALIGNMENT = 32
F16_SCALE = struct.pack("<H", 0x1C00)  # 2^-8

# id of the type, elements and bytes of a block
TYPES = {"F32": (0, 1, 4), "BF16": (30, 1, 2), "Q8_0": (8, 32, 34), "Q4_0": (2, 32, 18)}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    return text(key) + struct.pack("<II", 4, value)


def metadata():
    return [
        entry("general.architecture", "llama"),
        entry("general.name", "random weights, shape of Llama 3.2 1B"),
        entry("llama.context_length", 131072),
        entry("llama.embedding_length", D_MODEL),
        entry("llama.block_count", N_LAYERS),
        entry("llama.feed_forward_length", D_FF),
        entry("llama.attention.head_count", N_HEADS),
        entry("llama.attention.head_count_kv", N_KV_HEADS),
        entry("llama.attention.layer_norm_rms_epsilon", 1e-5),
        entry("llama.rope.freq_base", 500000.0),
        entry("llama.rope.dimension_count", D_MODEL // N_HEADS),
        entry("llama.vocab_size", VOCAB_SIZE),
        entry("tokenizer.ggml.model", "no_vocab"),
    ]


def tensors(matrix_type):
    """(name, dimensions with the width first, type); no output.weight: the embeddings are tied."""
    yield "token_embd.weight", (D_MODEL, VOCAB_SIZE), matrix_type
    yield "output_norm.weight", (D_MODEL,), "F32"
    for layer in range(N_LAYERS):
        prefix = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            yield f"{prefix}{name}.weight", (D_MODEL,), "F32"
        for name, columns, rows in (
            ("attn_q", D_MODEL, D_MODEL),
            ("attn_k", D_MODEL, KV_WIDTH),
            ("attn_v", D_MODEL, KV_WIDTH),
            ("attn_output", D_MODEL, D_MODEL),
            ("ffn_gate", D_MODEL, D_FF),
            ("ffn_up", D_MODEL, D_FF),
            ("ffn_down", D_FF, D_MODEL),
        ):
            yield f"{prefix}{name}.weight", (columns, rows), matrix_type


def n_bytes(dimensions, kind):
    elements = 1
    for extent in dimensions:
        elements *= extent
    _, block, size = TYPES[kind]
    return elements // block * size


def piece(kind):
    """About 1 MiB of whole blocks, repeated over a tensor: far more than a core keeps in its branch of the clock."""
    if kind == "F32":
        return struct.pack("<f", 1.0)
    generator = random.Random(1)
    if kind == "BF16":  # sign, exponent of 2^-7 and less, random fraction
        return b"".join(struct.pack("<H", (generator.getrandbits(16) & 0x80FF) | 0x3B00) for _ in range(1 << 19))
    payload = TYPES[kind][2] - len(F16_SCALE)
    return b"".join(F16_SCALE + generator.randbytes(payload) for _ in range((1 << 20) // (payload + 2)))


def write(kind, path):
    listed = list(tensors(kind))
    entries = metadata()
    header = b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(entries)) + b"".join(entries)
    offset = 0
    for name, dimensions, tensor_kind in listed:
        header += text(name) + struct.pack("<I", len(dimensions)) + struct.pack(f"<{len(dimensions)}Q", *dimensions)
        header += struct.pack("<IQ", TYPES[tensor_kind][0], offset)
        offset += -(-n_bytes(dimensions, tensor_kind) // ALIGNMENT) * ALIGNMENT
    pieces = {tensor_kind: piece(tensor_kind) for tensor_kind in ("F32", kind)}
    with open(path, "wb") as file:
        file.write(header + bytes(-len(header) % ALIGNMENT))
        for _, dimensions, tensor_kind in listed:
            left = size = n_bytes(dimensions, tensor_kind)
            while left > 0:
                left -= file.write(pieces[tensor_kind][:left])
            file.write(bytes(-size % ALIGNMENT))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("BF16", "Q8_0", "Q4_0"):
        sys.exit(__doc__)
    write(sys.argv[1], sys.argv[2])

"""Writes tests/data/architectures/*/golden.json: logits of Hugging Face Transformers in float64.

Each case is a config.json with the random weights that `value_of` below and tests/architecture/checkpoint.cpp both define, so that
no weights need storing. Not part of the build; run it where a case is added:

    pip install torch==2.7.1 transformers==4.57.6
    python3 tests/architecture/make_golden.py
"""

import json
import pathlib

import numpy
import torch
import transformers

# The model code rounds to float32 in norms, rotary angles and softmax. Here "float32" means float64 everywhere.
torch.float32 = torch.float = torch.float64
torch.Tensor.float = torch.Tensor.double
torch.set_default_dtype(torch.float64)

CASES = pathlib.Path(__file__).parent.parent / "data" / "architectures"


def hash_of(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def value_of(name, shape):
    """Uniform in [-1, 1) by SplitMix64 of (name, index), scaled to the kind of tensor, rounded to float32."""
    count = int(numpy.prod(shape))
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(hash_of(name)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    uniform = (z >> numpy.uint64(48)).astype(numpy.float64) / 32768.0 - 1.0
    if len(shape) == 2:
        values = uniform * numpy.sqrt(3.0 / shape[1])
    else:
        values = (0.0 if name.endswith("bias") else 1.0) + 0.25 * uniform
    return values.astype(numpy.float32).astype(numpy.float64).reshape(shape)


def token_ids(count, vocab_size):
    """The generator of Numerical Recipes, upper bits."""
    state, ids = 1, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append((state >> 8) % vocab_size)
    return ids


def logits_of(config_file, count):
    config = transformers.AutoConfig.from_pretrained(config_file)
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config, torch_dtype=torch.float64).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # tied ones once, under the embedding's name
            parameter.copy_(torch.from_numpy(value_of(name, tuple(parameter.shape))))
        return model(torch.tensor([token_ids(count, config.vocab_size)]), use_cache=False).logits[0]


def main():
    for case in sorted(CASES.iterdir()):
        if not case.is_dir():
            continue
        config = json.loads((case / "config.json").read_text())
        count = config["dachlast_test_tokens"]
        logits = logits_of(case / "config.json", count)
        assert logits.dtype == torch.float64
        rows = [0, count // 2, count - 1]
        golden = {
            "source": f"transformers {transformers.__version__} in float64",
            "positions": rows,
            "logits": [[float(f"{x:.12g}") for x in logits[row].tolist()] for row in rows],
        }
        (case / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
        print(f"{case.name}: {count} tokens, largest logit {logits.abs().max():.3f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes converter_keys.json: the metadata that llama.cpp's converter writes for each preset's config.json.

    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36    # holds llama.cpp at commit 0c1e57098
    pip install numpy tqdm pyyaml requests sentencepiece                 # what the converter imports
    make_converter_keys.py LLAMA_CPP_FOLDER PRESET_FOLDER > converter_keys.json

Only the converter's handling of hyperparameters runs; tensors, tokenizers, torch and transformers are stood in for.
"""
import json
import logging
import sys
import tempfile
from pathlib import Path
from unittest.mock import MagicMock


class Opaque(type):
    """Stands for classes of torch that the converter derives from or looks up attributes of."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


def stand_in_for_heavy_imports():
    for module in ("torch", "torch.nn", "torch.nn.functional", "transformers", "safetensors"):
        sys.modules[module] = MagicMock(name=module)
    sys.modules["torch"].Tensor = Opaque("Tensor", (), {})
    sys.modules["torch"].dtype = str
    sys.modules["torch"].Size = tuple
    # Fails, so that the converter reads config.json as it is.
    sys.modules["transformers"].AutoConfig.from_pretrained.side_effect = RuntimeError("not at hand")


def plain(value):
    return float(value.value) if value.type.name.startswith("FLOAT") else value.value


def keys_of(config, conversion, gguf):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "config.json").write_text(config.read_text())
        hparams = conversion.ModelBase.load_hparams(folder, False)
        model_class = conversion.get_model_class(
            conversion.get_model_architecture(hparams, conversion.ModelType.TEXT))
        model_class.index_tensors = lambda self, remote_hf_model_id=None: {}
        # Counted among the tensors where the config does not say: Qwen3-Next's checkpoint has one such layer.
        model_class.opt_num_mtp_layers = 1
        model = model_class(folder, gguf.LlamaFileType.MOSTLY_BF16, folder / "model.gguf", eager=True)
        model.set_gguf_parameters()
        arch = model.gguf_writer.arch
        keys = {key.removeprefix(arch + "."): plain(value)
                for part in model.gguf_writer.kv_data for key, value in part.items() if key.startswith(arch + ".")}
    return arch, keys


def main(llama_cpp, presets):
    stand_in_for_heavy_imports()
    logging.disable(logging.CRITICAL)
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    import conversion
    import gguf

    arch_ids = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}
    models, tensors = {}, {}
    for config in sorted([*presets.glob("*.json"), *presets.glob("*/config.json")]):
        preset = config.parent.name if config.name == "config.json" else config.stem
        try:
            arch, keys = keys_of(config, conversion, gguf)
        except (NotImplementedError, KeyError) as error:
            print(f"{preset} is left out: {error}", file=sys.stderr)
            continue
        models[preset] = {"architecture": arch, "keys": keys}
        tensors[arch] = [gguf.TENSOR_NAMES[tensor].replace("{bid}", "N")
                         for tensor in gguf.MODEL_TENSORS[arch_ids[arch]]]
    lines = lambda table: ",\n".join(f"    {json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table))
    print(f'{{\n  "models": {{\n{lines(models)}\n  }},\n  "tensors": {{\n{lines(tensors)}\n  }}\n}}')


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

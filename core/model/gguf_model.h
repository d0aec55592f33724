#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/model/gguf.h"
#include "core/model/model_source.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// The model that a GGUF file holds, as its metadata and tensor names describe it. Biases, QK norms and a head of its
/// own are there where their tensors are; a file without tensors (vocabulary only) gets those of its family.
/// Numbers  `native_dtype` is the type most bytes of the weights have, f16 where that is a quantized one: the bytes of
///          quantized weights are those of `weight_inventory`.
/// Errors   throws `Error` (kInput) naming file and key; unknown architectures are refused with the known list.
/// Source   https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; what each architecture leaves unsaid:
///          ggml-org/llama.cpp:src/llama-model.cpp and :convert_hf_to_gguf.py.
ModelSpec model_spec_from_gguf(const GgufFile& file, std::vector<ConfigWarning>& warnings);

/// The architectures that `model_spec_from_gguf` knows, as general.architecture spells them.
std::vector<std::string_view> gguf_architectures();

}  // namespace dachlast

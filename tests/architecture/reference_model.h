#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "tests/architecture/checkpoint.h"
#include "tests/architecture/reference_math.h"

namespace dachlast::reference {

/// Logits [tokens, vocab_size] of one sequence, in double precision, straight from a Hugging Face config.json and
/// tensors under their Hugging Face names. Shares nothing with the program under test: neither its reader nor its op
/// list nor a kernel.
/// Source   the model code of https://github.com/huggingface/transformers, src/transformers/models/*/modeling_*.py;
///          that this file agrees with it is a test of its own (golden.json, see make_golden.py).
Rows logits_of(const nlohmann::json& config, Checkpoint& checkpoint, const std::vector<std::int32_t>& ids);

}  // namespace dachlast::reference

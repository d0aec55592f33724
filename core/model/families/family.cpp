#include "core/model/families/family.h"

#include <array>

namespace dachlast {

std::span<const ModelFamily> model_families() {
  static constexpr std::array families = {
      ModelFamily{"llama", read_llama},   ModelFamily{"mistral", read_mistral},
      ModelFamily{"qwen2", read_qwen2},   ModelFamily{"qwen3", read_qwen3},
      ModelFamily{"gemma", read_gemma},   ModelFamily{"gemma2", read_gemma2},
      ModelFamily{"gemma3", read_gemma3}, ModelFamily{"gemma3_text", read_gemma3_text},
      ModelFamily{"phi", read_phi},       ModelFamily{"phi-msft", read_phi},
      ModelFamily{"phi3", read_phi3},     ModelFamily{"gpt2", read_gpt2},
      ModelFamily{"opt", read_opt}};
  return families;
}

}  // namespace dachlast

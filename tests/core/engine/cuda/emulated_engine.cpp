#include "tests/core/engine/cuda/emulated_engine.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/engine/cuda/cuda_device.h"
#include "tests/emulation/gemm.h"

namespace dachlast {

std::shared_ptr<EngineDevice> emulated_device() {
  return make_cuda_device(0, std::make_unique<kernels::cuda::Gemm>(emulation::gemm_api()));
}

EngineOptions on_device(EngineOptions options) {
  options.device = emulated_device();
  return options;
}

double distance_on_the_way(EnginePair& pair, int n_prompt, int n_steps) {
  const std::vector<std::int32_t> ids = some_ids(n_prompt + n_steps, pair.spec.vocab_size);
  const std::span<const std::int32_t> all = ids;
  const auto n = static_cast<std::size_t>(n_prompt);
  double most = distance(pair.cpu.engine.prefill(all.first(n)), pair.gpu.engine.prefill(all.first(n)));
  for (std::size_t i = n; i < all.size(); ++i)
    most =
        std::max(most, distance(pair.cpu.engine.decode(all.subspan(i, 1)), pair.gpu.engine.decode(all.subspan(i, 1))));
  return most;
}

}  // namespace dachlast

#include "core/engine/cuda/cuda_device.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/engine/cuda/cuda_cache.h"
#include "core/engine/cuda/cuda_runner.h"
#include "core/engine/cuda/cuda_weights.h"
#include "core/engine/cuda/gpu_calibration.h"
#include "core/engine/cuda/roof_probes.h"
#include "kernels/cuda/linear.h"

namespace dachlast {
namespace {

using kernels::cuda::DeviceSegment;

/// Each name once, in the order of the list.
template <class Variants>
std::vector<std::string_view> names_of(const Variants& variants) {
  std::vector<std::string_view> names;
  for (const auto& variant : variants)
    if (std::ranges::find(names, variant.name) == names.end()) names.push_back(variant.name);
  return names;
}

class CudaDevice final : public EngineDevice {
 public:
  CudaDevice(int index, std::unique_ptr<kernels::cuda::Gemm> gemm)
      : context_(index, std::move(gemm)),
        attention_(names_of(kernels::cuda::attention_variants())),
        linear_(names_of(kernels::cuda::linear_variants())) {}

  EngineDeviceFacts facts() const override {
    const kernels::cuda::DeviceFacts& facts = context_.facts;
    return {facts.name, facts.compute_capability, static_cast<double>(facts.memory_bytes),
            static_cast<double>(facts.free_bytes), facts.pci_bus_id};
  }
  DeviceUse use() const override {
    const kernels::cuda::SegmentLedger& ledger = context_.pool.ledger();
    const auto held = [&](DeviceSegment segment) { return static_cast<double>(ledger.held(segment)); };
    return {held(DeviceSegment::kWeights), held(DeviceSegment::kKvCache), held(DeviceSegment::kActivations),
            held(DeviceSegment::kWorkspace), static_cast<double>(ledger.total_peak())};
  }
  DeviceRoofs measure_roofs(const DeviceProbes& probes) override { return probe_roofs(context_, probes); }
  GpuRoofs calibrate(const GpuCalibrationPlan& plan, const GpuProbeWatch& began) override {
    return calibrate_gpu(context_.facts.index, *context_.gemm, plan, began);
  }

  std::span<const std::string_view> attention_variants() const override { return attention_; }
  std::span<const std::string_view> linear_variants() const override { return linear_; }

  RunnerMemory plan(const StepBounds& bounds) const override { return CudaStepMemory::plan(bounds); }

  std::shared_ptr<const DeviceWeights> upload(const ModelSpec& model, const Weights& weights,
                                              std::span<const Op> ops) override {
    return held_or_new(model, weights, ops);
  }

  std::unique_ptr<StepRunner> make_runner(const StepBounds& bounds, const Weights& weights,
                                          const RopeTables& rope_tables, KvStep& cache) override {
    return std::make_unique<CudaRunner>(context_, bounds, held_or_new(bounds.model, weights, bounds.decode),
                                        rope_tables, cache);
  }

  std::unique_ptr<KvMemory> allocate(double bytes) override { return make_cuda_kv_memory(context_, bytes); }
  std::unique_ptr<KvStage> make_stage(StageOptions options, std::unique_ptr<TierMemory> tier,
                                      double tier_bytes) override {
    return make_cuda_kv_stage(context_, std::move(options), std::move(tier), tier_bytes);
  }

 private:
  /// Those that somebody still holds are there already.
  std::shared_ptr<const CudaWeights> held_or_new(const ModelSpec& model, const Weights& weights,
                                                 std::span<const Op> ops) {
    if (uploaded_of_ == &weights)
      if (auto held = uploaded_.lock()) {
        held->extend(model, weights, ops);
        return held;
      }
    auto made = std::make_shared<CudaWeights>(context_, model, weights, ops);
    uploaded_ = made;
    uploaded_of_ = &weights;
    return made;
  }

  CudaContext context_;
  std::vector<std::string_view> attention_;
  std::vector<std::string_view> linear_;
  std::weak_ptr<CudaWeights> uploaded_;
  const Weights* uploaded_of_ = nullptr;
};

}  // namespace

std::shared_ptr<EngineDevice> make_cuda_device(int index, std::unique_ptr<kernels::cuda::Gemm> gemm) {
  return std::make_shared<CudaDevice>(index, std::move(gemm));
}

}  // namespace dachlast

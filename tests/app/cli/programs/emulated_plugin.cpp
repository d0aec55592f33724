// Stands in for libdachlast_cuda.so: the engine's CUDA part on the emulated GPU, opened by the program as the real one is.
#include "core/engine/cuda/cuda_device.h"
#include "core/engine/cuda_plugin.h"
#include "tests/emulation/gemm.h"

namespace dachlast {
namespace {

/// The device with probes that a host works off in no time: its roofs say nothing.
class EmulatedDevice final : public EngineDevice {
 public:
  explicit EmulatedDevice(std::shared_ptr<EngineDevice> device) : device_(std::move(device)) {}

  EngineDeviceFacts facts() const override { return device_->facts(); }
  DeviceUse use() const override { return device_->use(); }
  DeviceRoofs measure_roofs(const DeviceProbes&) override {
    return device_->measure_roofs({.bytes = 4096, .product_side = 32, .n_repeats = 2});
  }
  GpuRoofs calibrate(const GpuCalibrationPlan&, const GpuProbeWatch& began) override {
    return device_->calibrate({.dram_bytes = 1 << 16,
                               .link_bytes = 1 << 12,
                               .gemm_size = 16,
                               .n_repeats = 2,
                               .n_launches = 10,
                               .cache_traffic_bytes = 1 << 16,
                               .small_reduce_bytes = 64,
                               .nccl_library = "none"},
                              began);
  }
  std::span<const std::string_view> attention_variants() const override { return device_->attention_variants(); }
  std::span<const std::string_view> linear_variants() const override { return device_->linear_variants(); }
  RunnerMemory plan(const StepBounds& bounds) const override { return device_->plan(bounds); }
  std::shared_ptr<const DeviceWeights> upload(const ModelSpec& model, const Weights& weights,
                                              std::span<const Op> ops) override {
    return device_->upload(model, weights, ops);
  }
  std::unique_ptr<StepRunner> make_runner(const StepBounds& bounds, const Weights& weights,
                                          const RopeTables& rope_tables, KvStep& cache) override {
    return device_->make_runner(bounds, weights, rope_tables, cache);
  }
  std::unique_ptr<KvMemory> allocate(double bytes) override { return device_->allocate(bytes); }
  std::unique_ptr<KvStage> make_stage(StageOptions options, std::unique_ptr<TierMemory> tier,
                                      double tier_bytes) override {
    return device_->make_stage(std::move(options), std::move(tier), tier_bytes);
  }

 private:
  std::shared_ptr<EngineDevice> device_;
};

std::shared_ptr<EngineDevice> open(int device, const char*) {
  return std::make_shared<EmulatedDevice>(
      make_cuda_device(device, std::make_unique<kernels::cuda::Gemm>(emulation::gemm_api())));
}

constexpr CudaPlugin kPlugin{kCudaPluginVersion, open};

}  // namespace
}  // namespace dachlast

extern "C" const dachlast::CudaPlugin* dachlast_cuda_plugin() {
  return &dachlast::kPlugin;
}

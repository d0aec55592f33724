// Measures what a GPU can do at best. Has not run on a GPU.
#include "core/engine/cuda/gpu_calibration.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "core/engine/cuda/gpu_links.h"
#include "core/engine/cuda/roof_clock.h"
#include "kernels/cuda/device_pool.h"
#include "kernels/cuda/probes.h"
#include "kernels/cuda/runtime.h"

namespace dachlast {
namespace {

namespace cuda = kernels::cuda;
using cuda::GemmType;

struct GemmRow {
  GemmType type;
  const char* name;
  std::size_t element_bytes;
};

constexpr GemmRow kGemms[] = {{GemmType::kBF16, "bf16", 2}, {GemmType::kF16, "f16", 2}, {GemmType::kTF32, "tf32", 4},
                              {GemmType::kF32, "f32", 4},   {GemmType::kFp8, "fp8", 1}, {GemmType::kInt8, "int8", 1}};

/// One GPU while it is measured.
class Calibrator {
 public:
  Calibrator(int index, cuda::Gemm& gemm, const GpuCalibrationPlan& plan, const GpuProbeWatch& began)
      : facts_(cuda::select_device(index)),
        clock_(plan.n_repeats),
        pool_(index),
        gemm_(gemm),
        plan_(plan),
        began_(began) {
    roofs_.device = facts_.name;
    roofs_.index = index;
    roofs_.compute_capability = facts_.compute_capability;
  }

  GpuRoofs measure() {
    attempt("DRAM", [&] { measure_memory(); });
    attempt("L2", [&] { measure_cache(); });
    attempt("link to the host", [&] { measure_link(); });
    for (const GemmRow& row : kGemms) attempt(fmt::format("GEMM {}", row.name), [&] { measure_product(row); });
    attempt("launches", [&] { measure_launches(); });
    measure_neighbours();
    return std::move(roofs_);
  }

 private:
  /// What one probe lacks does not keep the others from running; the watch may end them all.
  void attempt(const std::string& what, const std::function<void()>& probe) {
    if (began_) began_(what);
    try {
      probe();
    } catch (const Error& error) {
      roofs_.not_measured.push_back(fmt::format("{}: {}", what, error.what()));
    }
  }

  void measure_neighbours() {
    const int n_devices = cuda::count_devices();
    if (n_devices < 2) {
      roofs_.not_measured.emplace_back("links between GPUs, all-reduce: this computer has one GPU.");
      return;
    }
    for (int other = 0; other < n_devices; ++other)
      if (other != facts_.index)
        attempt(fmt::format("link to GPU {}", other), [&] { measure_peer_link(roofs_, facts_.index, other, plan_); });
    attempt("all-reduce", [&] { measure_all_reduce(roofs_, n_devices, plan_); });
  }

  void add_rate(std::vector<GpuRoof>& list, const std::string& what, const std::string& with, double amount,
                const RoofClock::Work& work) {
    clock_.add_rate(list, what, with, amount, work);
  }

  cuda::DeviceBlock block(std::size_t bytes) {
    return pool_.allocate(bytes, cuda::DeviceSegment::kWorkspace, clock_.stream());
  }

  static std::span<float> floats(const cuda::DeviceBlock& block) {
    return {reinterpret_cast<float*>(block.bytes().data()), block.bytes().size() / sizeof(float)};
  }

  void measure_memory() {
    const std::size_t most = facts_.free_bytes / 4 / 4096 * 4096;
    const std::size_t bytes = std::min(plan_.dram_bytes, most) / 2 / 4096 * 4096;  // of each of two arrays
    const cuda::DeviceBlock from = block(bytes);
    const cuda::DeviceBlock to = block(bytes);
    const std::size_t n_sums = cuda::read_passes_sums(floats(from).size());
    const cuda::DeviceBlock sums = block(n_sums * sizeof(float));
    const auto amount = static_cast<double>(bytes);
    auto& list = roofs_.bandwidths;
    // Written first: memory that nobody has written may be read from no chip at all.
    add_rate(list, "DRAM write", size_text(bytes), amount,
             [&](cuda::Stream stream) { cuda::write_probe(floats(from), stream); });
    add_rate(list, "DRAM read", size_text(bytes), amount,
             [&](cuda::Stream stream) { cuda::read_passes(floats(from), 1, floats(sums), stream); });
    add_rate(list, "DRAM copy", size_text(2 * bytes), 2.0 * amount,
             [&](cuda::Stream stream) { cuda::copy_passes(floats(from), 1, floats(to), stream); });
  }

  void measure_cache() {
    // Half of the cache holds both arrays: what the rest of the device keeps there shall not push them out.
    const std::size_t bytes = cuda::second_level_cache_bytes(facts_.index) / 4 / 4096 * 4096;
    if (bytes == 0) throw Error(ErrorKind::kDevice, "L2", "the device names no second-level cache.");
    const cuda::DeviceBlock set = block(bytes), to = block(bytes);
    const cuda::DeviceBlock sums = block(cuda::read_passes_sums(floats(set).size()) * sizeof(float));
    const int n_passes = static_cast<int>(std::max<std::size_t>(1, plan_.cache_traffic_bytes / bytes));
    const double traffic = static_cast<double>(bytes) * n_passes;
    cuda::write_probe(floats(set), clock_.stream());
    add_rate(roofs_.bandwidths, "L2 read", size_text(bytes), traffic,
             [&](cuda::Stream stream) { cuda::read_passes(floats(set), n_passes, floats(sums), stream); });
    add_rate(roofs_.bandwidths, "L2 copy", size_text(2 * bytes), 2.0 * traffic,
             [&](cuda::Stream stream) { cuda::copy_passes(floats(set), n_passes, floats(to), stream); });
  }

  void measure_link() {
    const cuda::PinnedMemory host(plan_.link_bytes, "buffer of the host");
    const cuda::DeviceBlock device = block(plan_.link_bytes);
    std::byte* const there = device.bytes().data();
    std::byte* const here = host.bytes().data();
    const auto amount = static_cast<double>(plan_.link_bytes);
    add_rate(roofs_.bandwidths, "host to device", size_text(plan_.link_bytes), amount,
             [&](cuda::Stream stream) { cuda::copy(there, here, plan_.link_bytes, stream); });
    add_rate(roofs_.bandwidths, "device to host", size_text(plan_.link_bytes), amount,
             [&](cuda::Stream stream) { cuda::copy(here, there, plan_.link_bytes, stream); });
  }

  /// Operands of zeros would save power and run faster than any model's.
  void fill(const cuda::DeviceBlock& operand, std::size_t bytes) {
    std::vector<std::byte> pattern(bytes);
    std::uint32_t state = 1;
    for (std::byte& value : pattern) {
      state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
      // Below the exponents of NaN and infinity in every format, and both signs.
      value = static_cast<std::byte>((state >> 24U) & 0xBFU);
    }
    cuda::copy(operand.bytes().data(), pattern.data(), bytes, clock_.stream());
    clock_.finish();
  }

  void measure_product(const GemmRow& row) {
    const auto size = static_cast<std::size_t>(plan_.gemm_size);
    const cuda::GemmShape shape{plan_.gemm_size, plan_.gemm_size, plan_.gemm_size, row.type};
    const std::size_t operand_bytes = size * size * row.element_bytes;
    const cuda::DeviceBlock x = block(operand_bytes);
    const cuda::DeviceBlock w = block(operand_bytes);
    const cuda::DeviceBlock y = block(size * size * sizeof(float));
    const cuda::DeviceBlock workspace = block(cuda::kGemmWorkspaceBytes);
    fill(x, operand_bytes);
    fill(w, operand_bytes);
    const cuda::GemmOperands operands{x.bytes().data(), w.bytes().data(), y.bytes().data(), workspace.bytes().data(),
                                      cuda::kGemmWorkspaceBytes};
    const double flops = 2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
    add_rate(roofs_.peaks, fmt::format("GEMM {}", row.name), fmt::format("{0} × {0} × {0}", plan_.gemm_size), flops,
             [&](cuda::Stream stream) { gemm_.run(shape, operands, stream); });
  }

  void add_latency(const std::string& what, const std::string& with, const std::vector<double>& seconds, double n) {
    std::vector<double> of_one;
    for (const double value : seconds) of_one.push_back(value / n);
    roofs_.latencies.push_back({what, with, roof_sample(of_one)});
  }

  /// From the call until the host knows that the kernel is done, by the host's clock.
  std::vector<double> round_trips() {
    std::vector<double> seconds;
    for (int i = 0; i < plan_.n_repeats; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      cuda::empty_probe(clock_.stream());
      clock_.finish();
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return seconds;
  }

  void measure_launches() {
    const auto many = [&](cuda::Stream stream) {
      for (int i = 0; i < plan_.n_launches; ++i) cuda::empty_probe(stream);
    };
    const std::string count = fmt::format("{} empty kernels", plan_.n_launches);
    add_latency("launch and wait", "one empty kernel", round_trips(), 1.0);
    add_latency("kernel in a row", count, clock_.times_of(many), plan_.n_launches);
    const cuda::CapturedStep graph(clock_.stream(), many);
    add_latency("kernel in a graph", count, clock_.times_of([&](cuda::Stream stream) { graph.launch(stream); }),
                plan_.n_launches);
  }

  cuda::DeviceFacts facts_;
  RoofClock clock_;
  cuda::DevicePool pool_;
  cuda::Gemm& gemm_;
  const GpuCalibrationPlan& plan_;
  const GpuProbeWatch& began_;
  GpuRoofs roofs_;
};

}  // namespace

GpuRoofs calibrate_gpu(int index, kernels::cuda::Gemm& gemm, const GpuCalibrationPlan& plan,
                       const GpuProbeWatch& began) {
  return Calibrator(index, gemm, plan, began).measure();
}

}  // namespace dachlast

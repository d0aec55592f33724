// How fast a trace of PyTorch's profiler is read, and how much memory that takes: a file of the size asked for (MiB, default
// 1024) is written to a temporary folder, read a few times, and removed. The events are those of a real trace in kind and
// length: per kernel a launch, an operator with shapes, two Python calls and two arrows.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "core/base/error.h"
#include "core/import/kineto_trace.h"
#include "core/model/model_source.h"
#include "core/profile/gpu_profile.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr int kRepeats = 5;

std::string events_of_kernel(long i) {
  const double at_us = 1428625731896.179 + static_cast<double>(i) * 20.0;
  const std::string call = fmt::format(R"("pid": 25286, "tid": 25286, "ts": {:.3f}, "dur": 12.5)", at_us);
  std::string text;
  for (int k = 0; k < 2; ++k)
    text += fmt::format(
        R"({{"ph": "X", "cat": "python_function", "name": "vllm/model_executor/layers/linear.py({}): forward", {}, "args": {{"Python parent id": {}, "Python id": {}, "Ev Idx": {}}}}},)"
        "\n",
        400 + k, call, i, i + 1, i);
  text += fmt::format(
      R"({{"ph": "X", "cat": "cpu_op", "name": "aten::mm", {}, "args": {{"External id": {}, "Record function id": 0, "Concrete Inputs": ["", ""], "Input type": ["c10::BFloat16", "c10::BFloat16"], "Input Strides": [[1024, 1], [1, 1024]], "Input Dims": [[8944, 1024], [1024, 2816]], "Ev Idx": {}}}}},)"
      "\n",
      call, i, i);
  text += fmt::format(
      R"({{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 25286, "tid": 25286, "ts": {:.3f}, "dur": 6.98, "args": {{"External id": {}, "cbid": 211, "correlation": {}}}}},)"
      "\n",
      at_us + 2.0, i, i);
  text +=
      fmt::format(R"({{"ph": "s", "id": {0}, "pid": 25286, "tid": 25286, "ts": {1:.3f}, "cat": "ac2g", "name": "ac2g"}},
{{"ph": "f", "id": {0}, "pid": 0, "tid": 7, "ts": {1:.3f}, "cat": "ac2g", "name": "ac2g", "bp": "e"}},
)",
                  i, at_us + 2.0);
  return text +
         fmt::format(
             R"({{"ph": "X", "cat": "kernel", "name": "sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64_warpgroupsize1x1x1_execute_segment_k_off_kernel__5x_cublas", "pid": 0, "tid": 7, "ts": {:.3f}, "dur": 15.2, "args": {{"External id": {}, "queued": 0, "device": 0, "context": 1, "stream": 7, "correlation": {}, "registers per thread": 168, "shared memory": 98304, "blocks per SM": 1.3, "warps per SM": 5.3, "grid": [22, 8, 1], "block": [128, 1, 1], "est. achieved occupancy %": 8}}}})",
             at_us + 4.0, i, i);
}

void write_trace(const fs::path& file, std::int64_t bytes) {
  std::ofstream out(file, std::ios::binary);
  out << R"({"schemaVersion": 1, "traceEvents": [)";
  std::int64_t written = 0;
  for (long i = 0; written < bytes; ++i) {
    const std::string text = (i == 0 ? "" : ",\n") + events_of_kernel(i);
    out << text;
    written += static_cast<std::int64_t>(text.size());
  }
  out << "]}";
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void measure(const fs::path& file) {
  const NameRules rules(data_dir() / "rules");
  const double mb = static_cast<double>(fs::file_size(file)) / 1e6;
  std::vector<double> rates;
  std::size_t n_events = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const GpuTrace trace = read_kineto_trace(file, rules);
    const GpuProfile profile = summarize(trace, rules);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    n_events = trace.events.size() + trace.host_ops.size();
    rates.push_back(mb / seconds.count());
  }
  std::sort(rates.begin(), rates.end());
  fmt::print(
      "{:.0f} MB, {} GPU events and operators kept: {:.0f} MB/s ({:.0f} to {:.0f}, n = {}), peak memory {:.0f} MiB\n",
      mb, n_events, rates[kRepeats / 2], rates.front(), rates.back(), kRepeats, peak_mib());
}

int run(int argc, char** argv) {
  const std::int64_t mib = argc > 1 ? std::atoll(argv[1]) : 1024;
  if (mib < 1 || mib > 1 << 20) {
    fmt::print(stderr, "usage: dachlast_import_bench [MiB, 1 to 1048576]\n");
    return 2;
  }
  const fs::path file = fs::temp_directory_path() / "dachlast_import_bench.json";
  try {
    write_trace(file, mib << 20);
    measure(file);
  } catch (const Error& error) {
    fmt::print(stderr, "dachlast_import_bench: {}\n", error.what());
    fs::remove(file);
    return 1;
  }
  fs::remove(file);
  return 0;
}

}  // namespace
}  // namespace dachlast

int main(int argc, char** argv) {
  return dachlast::run(argc, argv);
}

#include <fmt/core.h>

#include <algorithm>

#include "core/memory/llamacpp.h"
#include "core/memory/llamacpp_log.h"

namespace dachlast {
namespace {

constexpr double kMib = 1024.0 * 1024.0;
constexpr double kGib = 1024.0 * kMib;
// Tensor and graph structs of 8192 nodes, which logs of the scratch buffer count to the total:
//   8192 · (object 32 B + tensor 352 B, 368 B from build 1630 on) + graph of 2048 nodes 67,000 B
constexpr int kFirstBuildOfLargerTensor = 1630;
constexpr double kScratchMetaMib = (8192.0 * (32 + 368) + 67000.0) / kMib;
constexpr double kSmallerScratchMetaMib = (8192.0 * (32 + 352) + 67000.0) / kMib;

/// A file whose tensors were chosen by hand carries the label of the type its maker began with: BF16 on one of 3.15 bits a weight. The
/// mixes one label stands for lie within an eighth of each other, so a third more or less is another file's size.
constexpr double kMostUnderOneLabel = 4.0 / 3.0;

double mib(std::int64_t bytes) {
  return static_cast<double>(bytes) / kMib;
}

class Comparer {
 public:
  Comparer(const GgufShape& shape, const LlamaCppLog& log)
      : shape_(shape), log_(log), reading_(read_run(log, shape)), mix_(gguf_mix(log.file_type)) {
    if (mix_) weights_ = gguf_weights(shape, *mix_, reading_.run.latent);
    if (!label_fits_size()) {
      unknown_types_ = fmt::format("the label {} stands for {:.1f} GiB, the file has {:.1f}: types chosen by hand",
                                   log.file_type, static_cast<double>(weights_.bytes()) / kGib, *log.model_gib);
      mix_.reset();
      weights_ = {};
    } else if (!mix_) {
      unknown_types_ = log.file_type.empty() ? "no file type" : "unknown file type " + log.file_type;
    }
    result_.assumptions = reading_.assumptions;
  }

  LlamaCppComparison compare() {
    compare_weights();
    compare_kv();
    compare_compute();
    for (const auto& [device, size] : log_.output_buffers)
      add("output_buffer", device, mib(llamacpp_output_bytes(shape_, reading_.run)), size);
    return std::move(result_);
  }

 private:
  void add(std::string component, std::string item, double predicted, double logged) {
    result_.figures.push_back({std::move(component), std::move(item), predicted, logged});
  }

  void gap(std::string component, std::string reason) {
    result_.gaps.push_back({std::move(component), std::move(reason)});
  }

  bool label_fits_size() const {
    if (!mix_ || !log_.model_gib || !(*log_.model_gib > 0.0)) return true;
    const double ratio = static_cast<double>(weights_.bytes()) / kGib / *log_.model_gib;
    return ratio < kMostUnderOneLabel && ratio > 1.0 / kMostUnderOneLabel;
  }

  void compare_weights() {
    if (!mix_) {
      if (log_.model_gib || log_.vram_model_mib) gap("weights", unknown_types_);
      return;
    }
    if (weights_.origin == MixOrigin::kConvention)
      result_.assumptions.push_back("tensor types by publishers' convention");
    if (log_.model_gib) add("weights", "size", static_cast<double>(weights_.bytes()) / kGib, *log_.model_gib);
    const double on_gpu = mib(weights_.bytes() - weights_.embedding_bytes());
    if (log_.vram_model_mib) add("weights", "VRAM", on_gpu, *log_.vram_model_mib);
  }

  void compare_kv() {
    const LlamaCppKv kv = llamacpp_kv(shape_, reading_.run);
    if (log_.logged_layers() != LoggedLayers::kAll) return compare_part_of_kv(kv);
    if (log_.k_mib) add("kv", "K", mib(kv.k_bytes), *log_.k_mib);
    if (log_.v_mib && *log_.v_mib > 0) add("kv", "V", mib(kv.v_bytes), *log_.v_mib);
    for (const auto& [device, size] : log_.kv_buffers)
      add("kv_buffer", device, mib(kv.device_bytes[place(device)]), size);
  }

  /// A log of the layers with a window, or of those without: their keys alone say all.
  void compare_part_of_kv(const LlamaCppKv& kv) {
    const bool windowed = log_.logged_layers() == LoggedLayers::kWindowed;
    if (log_.k_mib) add("kv", "K", mib(windowed ? kv.window_k_bytes : kv.k_bytes - kv.window_k_bytes), *log_.k_mib);
  }

  /// Without a file type the sizes of matrices that pass through a GPU are unknown; without model buffers it is unknown
  /// whether any do.
  bool compute_is_known() const {
    if (mix_ || reading_.run.n_gpus == 0) return true;
    const bool experts =
        std::ranges::any_of(shape_.layers, [](const GgufLayer& layer) { return layer.experts.has_value(); });
    return !experts && reading_.run.gpu_layers > shape_.n_layers();
  }

  void compare_compute() {
    if (log_.compute_buffers.empty()) return;
    if (!compute_is_known())
      return gap("compute_buffer", unknown_types_ + ": matrices that pass through the GPU are unknown");
    const std::vector<std::int64_t> bytes = llamacpp_compute_bytes(shape_, weights_, reading_.run);
    const bool smaller = log_.build && *log_.build < kFirstBuildOfLargerTensor;
    const bool pinned =
        std::ranges::any_of(log_.compute_buffers, [](const auto& buffer) { return buffer.device.ends_with("_Host"); });
    for (const auto& [device, size] : log_.compute_buffers) {
      if (pinned && device == "CPU")
        gap("compute_buffer", "a second buffer in host memory, for repacked matrices");
      else if (device != "total")
        add("compute_buffer", device, mib(bytes[place(device)]), size);
      else
        add("compute_buffer", device,
            mib(*std::ranges::max_element(bytes)) + (smaller ? kSmallerScratchMetaMib : kScratchMetaMib), size);
    }
  }

  std::size_t place(const std::string& device) const {
    const int host = reading_.run.n_gpus;
    return static_cast<std::size_t>(std::min(gpu_number(device).value_or(host), host));
  }

  const GgufShape& shape_;
  const LlamaCppLog& log_;
  LlamaCppReading reading_;
  std::optional<GgufMix> mix_;
  std::string unknown_types_;  // why there is no mix
  GgufWeights weights_;
  LlamaCppComparison result_;
};

}  // namespace

LlamaCppComparison compare_with_log(const GgufShape& shape, const LlamaCppLog& log) {
  return Comparer(shape, log).compare();
}

}  // namespace dachlast

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory/llamacpp_run.h"
#include "core/model/gguf_mix.h"

namespace dachlast {

/// One buffer of a log: "CUDA0", 560.0; or "total", their sum.
struct LlamaCppBuffer {
  std::string device;
  double mib = 0.0;
};

/// Which layers a log's cache sizes are of.
enum class LoggedLayers { kAll, kFull, kWindowed };

/// What a load log of llama.cpp or ik_llama.cpp says: settings first, then the sizes it printed, in MiB.
struct LlamaCppLog {
  std::string engine;
  std::optional<int> build;
  std::string parameters;  // as printed: "672.050 B"
  std::string file_type;   // as printed: "Q4_K - Medium"
  std::int64_t n_ctx = 0;
  std::optional<int> n_batch;
  std::optional<int> n_ubatch;
  std::optional<int> n_gpus;
  bool flash_attention = false;
  std::optional<int> mla_mode;
  std::string layers_offloaded;  // "49/49", "all (-ngl 99)", ""
  std::string type_k;
  std::string type_v;
  std::string notes;

  std::optional<double> model_gib;
  std::optional<double> k_mib;
  std::optional<double> v_mib;
  std::optional<double> vram_model_mib;
  std::vector<LlamaCppBuffer> model_buffers;
  std::vector<LlamaCppBuffer> kv_buffers;
  std::vector<LlamaCppBuffer> compute_buffers;
  std::vector<LlamaCppBuffer> output_buffers;

  std::optional<double> stated_parameters() const;
  LoggedLayers logged_layers() const;
};

/// The run a log describes, and what had to be assumed because logs do not print it.
struct LlamaCppReading {
  LlamaCppRun run;
  std::vector<std::string> assumptions;
};

/// 3 for "CUDA3" or "ROCm3"; empty for the host's buffers ("CPU", "CUDA_Host") and for sums over devices.
std::optional<int> gpu_number(std::string_view device);

/// Errors   throws `Error` (kInput) where a cache type is unknown or the context is no positive number.
LlamaCppReading read_run(const LlamaCppLog& log, const GgufShape& shape);

/// One figure of a log beside ours.
struct LlamaCppFigure {
  std::string component;  // "weights", "kv", "compute_buffer", "output_buffer"
  std::string item;       // "size GiB", "CUDA0"
  double predicted = 0;
  double logged = 0;
};

/// A figure that could not be predicted, and why.
struct LlamaCppGap {
  std::string component;
  std::string reason;
};

struct LlamaCppComparison {
  std::vector<LlamaCppFigure> figures;
  std::vector<LlamaCppGap> gaps;
  std::vector<std::string> assumptions;
};

/// Predicts every size the log prints.
LlamaCppComparison compare_with_log(const GgufShape& shape, const LlamaCppLog& log);

}  // namespace dachlast

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/memory/llamacpp_log.h"

// What a log tells of the run it comes from, and what it does not.
namespace dachlast {
namespace {

// The scheduler replaced the scratch buffer in build 1842 of January 2024 (ggml-org/llama.cpp pull request 4766).
constexpr int kFirstScheduledBuild = 1842;
constexpr int kScratchBatch = 512;  // the default of that time
constexpr int kAllLayers = 1 << 20;
// ik_llama.cpp's guide for mode 3 runs it with these (ikawrakow/ik_llama.cpp:README, discussion 258); mode 2 came before
// fused experts. On a host without GPU, where memory is plenty, twice the limit is usual.
constexpr int kGuideAttentionMib = 512;
constexpr int kGuideAttentionMibBeforeOrHost = 1024;

bool starts_with_gpu(std::string_view device) {
  return !device.ends_with("_Host") && !device.starts_with("CPU") && !device.starts_with("total");
}

/// Both programs print the parameter count, llama.cpp with two decimals, ik_llama.cpp with three.
bool printed_by_ik(const LlamaCppLog& log) {
  if (!log.engine.starts_with("ik")) return false;
  const std::size_t point = log.parameters.find('.');
  const std::size_t blank = log.parameters.find(' ');
  return point == std::string::npos || blank == std::string::npos || blank - point == 4;
}

LlamaCppProgram program_of(const LlamaCppLog& log) {
  if (printed_by_ik(log)) return LlamaCppProgram::kIk;
  return log.build && *log.build < kFirstScheduledBuild ? LlamaCppProgram::kScratch : LlamaCppProgram::kScheduler;
}

int n_gpus_of(const LlamaCppLog& log) {
  int n = 0;
  for (const auto* buffers : {&log.kv_buffers, &log.compute_buffers, &log.model_buffers})
    for (const LlamaCppBuffer& buffer : *buffers)
      if (const auto device = gpu_number(buffer.device)) n = std::max(n, *device + 1);
  const bool none_named = log.kv_buffers.empty() && log.model_buffers.empty();
  return n == 0 && none_named ? log.n_gpus.value_or(0) : n;
}

int gpu_layers_of(const LlamaCppLog& log, int n_gpus) {
  if (n_gpus == 0 || log.layers_offloaded.empty()) return 0;
  if (log.layers_offloaded.starts_with("all")) return kAllLayers;
  int layers = 0;
  std::from_chars(log.layers_offloaded.data(), log.layers_offloaded.data() + log.layers_offloaded.size(), layers);
  return layers;
}

/// Bounds every product of sizes below 64 bits.
void require_size(const std::string& column, std::int64_t tokens) {
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 26;
  if (tokens > 0 && tokens <= kMostTokens) return;
  throw Error(ErrorKind::kInput, column, fmt::format("holds {}, which is no number of tokens.", tokens),
              fmt::format("Give a number from 1 to {}, as the log prints it.", kMostTokens));
}

const GgmlType& cache_type(const std::string& name, const std::string& column) {
  if (const GgmlType* type = ggml_type(name)) return *type;
  throw Error(ErrorKind::kInput, column, fmt::format("names \"{}\", which is no type of ggml.", name),
              "Give f16, bf16, q8_0, q4_0 or another type of ggml.");
}

bool has_experts(const GgufShape& shape) {
  return std::ranges::any_of(shape.layers, [](const GgufLayer& layer) { return layer.experts.has_value(); });
}

bool has_latents(const GgufShape& shape) {
  return std::ranges::any_of(
      shape.layers, [](const GgufLayer& layer) { return std::holds_alternative<GgufLatentAttention>(layer.mixer); });
}

double host_mib(const LlamaCppLog& log) {
  double sum = 0;
  for (const auto& [device, mib] : log.model_buffers)
    if (!gpu_number(device)) sum += mib;
  return sum;
}

double all_mib(const LlamaCppLog& log) {
  double sum = 0;
  for (const auto& [device, mib] : log.model_buffers) sum += mib;
  return sum;
}

/// With all layers offloaded the host keeps the token table, a few per cent; a third or more means experts stayed there.
bool keeps_experts_on_host(const LlamaCppLog& log) {
  return host_mib(log) > all_mib(log) / 3;
}

/// Matrices repacked while loading cannot be mapped from the file, so the token table is not either: it then stands in
/// pinned memory. Files of repacked types need no repacking.
bool repacks_experts(const LlamaCppLog& log) {
  const bool unmapped =
      std::ranges::any_of(log.model_buffers, [](const LlamaCppBuffer& buffer) { return buffer.device == "CUDA_Host"; });
  return unmapped && log.file_type.find("_R4") == std::string::npos && log.file_type.find("_R8") == std::string::npos;
}

LatentMatrices latents_of(const LlamaCppLog& log, const GgufShape& shape, LlamaCppProgram program) {
  // llama.cpp has no flash attention for keys and values of unequal width: with it, the latents are what is cached.
  if (program != LlamaCppProgram::kIk && log.flash_attention) return LatentMatrices::kSplit;
  const auto stated = log.stated_parameters();
  return stated ? latent_matrices_of(shape, *stated) : LatentMatrices::kJoint;
}

void assume_ik_options(LlamaCppReading& reading, const GgufShape& shape) {
  LlamaCppRun& run = reading.run;
  if (has_latents(shape) && run.mla_mode > 1) {
    const bool guide = run.mla_mode == 3 && run.n_gpus > 0;
    run.attention_batch_mib = guide ? kGuideAttentionMib : kGuideAttentionMibBeforeOrHost;
    reading.assumptions.push_back(fmt::format("-amb {}", run.attention_batch_mib));
  }
  if (has_experts(shape) && run.mla_mode != 2) {
    run.fused_experts = true;
    reading.assumptions.push_back("-fmoe");
  }
}

void read_experts(LlamaCppReading& reading, const LlamaCppLog& log, const GgufShape& shape) {
  LlamaCppRun& run = reading.run;
  if (!has_experts(shape) || run.n_gpus == 0 || !keeps_experts_on_host(log)) return;
  run.experts = ExpertPlace::kHost;
  run.copies = PipelineCopies::kOne;
  reading.assumptions.push_back("routed experts in host memory");
  if (run.program == LlamaCppProgram::kIk && repacks_experts(log)) run.expert_offload = ExpertOffload::kNever;
}

/// "131072 cells, 18 layers, 2 sequences": cells are per sequence there.
int sequences_in(const std::string& notes) {
  const std::size_t word = notes.find(" sequences");
  if (word == std::string::npos) return 1;
  std::size_t begin = word;
  while (begin > 0 && notes[begin - 1] >= '0' && notes[begin - 1] <= '9') --begin;
  int n = 1;
  std::from_chars(notes.data() + begin, notes.data() + word, n);
  return std::clamp(n, 1, 1024);
}

/// Logits of one token per sequence stand in the output buffer: it tells how many sequences the program was started for.
int sequences_of(const LlamaCppLog& log, const GgufShape& shape, LlamaCppReading& reading) {
  if (log.output_buffers.empty() || shape.vocab_size == 0) return sequences_in(log.notes);
  const double one_mib = shape.vocab_size * 4.0 / (1024.0 * 1024.0);
  const int n = static_cast<int>(std::clamp(std::round(log.output_buffers[0].mib / one_mib), 1.0, 1024.0));
  if (n > 1) reading.assumptions.push_back(fmt::format("{} sequences, as the output buffer says", n));
  return n;
}

}  // namespace

std::optional<int> gpu_number(std::string_view device) {
  if (!starts_with_gpu(device)) return std::nullopt;
  if (device == "Metal") return 0;  // the one device of its machine goes without a number
  const std::size_t digits = device.find_last_not_of("0123456789") + 1;
  int number = 0;
  if (digits == 0 || digits == device.size()) return std::nullopt;
  std::from_chars(device.data() + digits, device.data() + device.size(), number);
  return number < 1024 ? std::optional(number) : std::nullopt;
}

LlamaCppReading read_run(const LlamaCppLog& log, const GgufShape& shape) {
  require_size("n_ctx", log.n_ctx);
  require_size("n_batch", log.n_batch.value_or(1));
  require_size("n_ubatch", log.n_ubatch.value_or(1));
  LlamaCppReading reading;
  LlamaCppRun& run = reading.run;
  run.program = program_of(log);
  run.n_sequences = sequences_of(log, shape, reading);
  run.n_ctx = log.n_ctx * sequences_in(log.notes);
  run.n_batch = log.n_batch.value_or(run.program == LlamaCppProgram::kScratch ? kScratchBatch : run.n_batch);
  run.n_ubatch = log.n_ubatch.value_or(run.n_ubatch);
  run.attention = log.flash_attention ? LlamaCppAttention::kFlash : LlamaCppAttention::kPlain;
  run.window_cache = log.logged_layers() == LoggedLayers::kAll ? WindowCache::kFull : WindowCache::kCapped;
  run.type_k = &cache_type(log.type_k, "type_k");
  run.type_v = log.type_v == "none" || log.type_v.empty() ? run.type_k : &cache_type(log.type_v, "type_v");
  run.n_gpus = n_gpus_of(log);
  run.gpu_layers = gpu_layers_of(log, run.n_gpus);
  run.latent = latents_of(log, shape, run.program);
  run.mla_mode = run.program == LlamaCppProgram::kIk ? log.mla_mode.value_or(0) : 0;
  if (run.program == LlamaCppProgram::kIk) assume_ik_options(reading, shape);
  read_experts(reading, log, shape);
  return reading;
}

}  // namespace dachlast

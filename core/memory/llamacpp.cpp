#include "core/memory/llamacpp.h"

#include "core/memory/ggml_scheduler.h"
#include "core/memory/llamacpp_graph.h"

namespace dachlast {
namespace {

constexpr std::int64_t kLogitBytes = 4;
constexpr int kPipelineCopies = 4;  // GGML_SCHED_MAX_COPIES

GgmlMachine machine_of(const GgufShape& shape, const LlamaCppRun& run) {
  const bool in_turn = run.n_gpus > 1 && run.gpu_layers > shape.n_layers() && run.copies == PipelineCopies::kFour;
  return {.n_gpus = run.n_gpus,
          .n_copies = in_turn ? kPipelineCopies : 1,
          .expert_offload = run.expert_offload,
          .reuse = GgmlReuse::kTensors};
}

/// One buffer, laid out as if there was one device; kept in GPU memory when layers are.
std::vector<std::int64_t> scratch_bytes(const GgufShape& shape, const GgufWeights& weights, LlamaCppRun run) {
  std::vector<std::int64_t> bytes(static_cast<std::size_t>(run.n_gpus) + 1, 0);
  const std::size_t device = run.gpu_layers > 0 ? 0 : bytes.size() - 1;
  run.n_gpus = 0;
  GgmlMachine machine;
  machine.reuse = GgmlReuse::kTensorsAndViews;
  bytes[device] = ggml_compute_buffers(llamacpp_graph(shape, weights, run), machine)[0];
  return bytes;
}

int device_of(const GgufTensorShape& tensor, const std::vector<int>& devices, const LlamaCppRun& run) {
  if (is_gguf_table(tensor.name)) return run.n_gpus;
  if (run.experts == ExpertPlace::kHost && tensor.name.ends_with("_exps")) return run.n_gpus;
  return tensor.layer < 0 ? devices.back() : devices[static_cast<std::size_t>(tensor.layer)];
}

}  // namespace

std::vector<std::int64_t> llamacpp_weight_bytes(const GgufShape& shape, const GgufWeights& weights,
                                                const LlamaCppRun& run) {
  const std::vector<int> devices = llamacpp_layer_devices(shape.n_layers(), run);
  std::vector<std::int64_t> bytes(static_cast<std::size_t>(run.n_gpus) + 1, 0);
  for (const GgufTypedTensor& tensor : weights.tensors) {
    bytes[static_cast<std::size_t>(device_of(tensor.shape, devices, run))] += tensor.bytes();
    const bool copied_as_head =
        shape.tied_embeddings && tensor.shape.name == "token_embd" && devices.back() < run.n_gpus;
    if (copied_as_head) bytes[static_cast<std::size_t>(devices.back())] += tensor.bytes();
  }
  return bytes;
}

std::vector<std::int64_t> llamacpp_compute_bytes(const GgufShape& shape, const GgufWeights& weights,
                                                 const LlamaCppRun& run) {
  if (run.program == LlamaCppProgram::kScratch) return scratch_bytes(shape, weights, run);
  return ggml_compute_buffers(llamacpp_graph(shape, weights, run), machine_of(shape, run));
}

std::int64_t llamacpp_output_bytes(const GgufShape& shape, const LlamaCppRun& run) {
  return kLogitBytes * shape.vocab_size * run.n_sequences;
}

LlamaCppMemory llamacpp_memory(const GgufShape& shape, const GgufWeights& weights, const LlamaCppRun& run) {
  return {.weight_bytes = llamacpp_weight_bytes(shape, weights, run),
          .kv = llamacpp_kv(shape, run),
          .compute_bytes = llamacpp_compute_bytes(shape, weights, run),
          .output_bytes = llamacpp_output_bytes(shape, run)};
}

}  // namespace dachlast

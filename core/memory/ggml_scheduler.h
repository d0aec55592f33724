#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/ggml_graph.h"

namespace dachlast {

/// When a multiplication by experts in host memory is worth moving to a GPU.
enum class ExpertOffload {
  kNever,          // matrices repacked for the CPU (ik_llama.cpp's -rtr and _R4 types before June 2025)
  kBatch,          // 32 tokens or more (llama.cpp; ik_llama.cpp before June 2025)
  kBatchPerExpert  // n_tokens · active experts >= 32 · all experts (ik_llama.cpp since)
};

/// Whose memory an element-wise operation may take over.
enum class GgmlReuse {
  kTensors,          // of a tensor, never of a view of one (since January 2024: a view is not "allocated")
  kTensorsAndViews,  // before
};

/// The machine a graph is laid out for. Devices 0 … n_gpus - 1 are GPUs, device `n_gpus` is the host.
struct GgmlMachine {
  int n_gpus = 0;
  int n_copies = 1;  // of each input, 4 where several GPUs work on batches in turn
  ExpertOffload expert_offload = ExpertOffload::kBatch;
  GgmlReuse reuse = GgmlReuse::kTensors;
};

/// Bytes of a tensor in a GPU's buffer: rows of quantized types are followed by room up to a multiple of 512 elements,
/// once a tensor.
/// Source   ggml-org/llama.cpp:ggml/src/ggml-cuda/ggml-cuda.cu (get_alloc_size, MATRIX_ROW_PADDING).
std::int64_t ggml_gpu_bytes(const GgmlType& type, const GgmlExtents& extents);

/// Compute buffer of each device, in bytes: gives every operation a device (that of its weights, else that of its
/// neighbours, GPUs first), copies what crosses from one to another, and places all tensors by their lifetimes.
/// Source   ggml-org/llama.cpp:ggml/src/ggml-backend.cpp (ggml_backend_sched_split_graph), ggml/src/ggml-alloc.c
///          (ggml_gallocr_reserve_n).
std::vector<std::int64_t> ggml_compute_buffers(GgmlGraph graph, const GgmlMachine& machine);

}  // namespace dachlast

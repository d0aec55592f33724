#pragma once

#include <cstdint>
#include <vector>

#include "core/memory/ggml_graph.h"
#include "core/memory/ggml_scheduler.h"

namespace dachlast {

/// One entry of the order the allocator walks.
struct GgmlVisit {
  enum class Role : std::uint8_t {
    kRun,      // an operation or view of the graph
    kHold,     // keeps a tensor alive until it has been copied
    kReceive,  // the copy of a tensor on another device: lives from here on
  };
  Role role;
  GgmlTensor tensor;
  int device;
};

/// Where every tensor of a graph lies and in which order their lives begin and end.
struct GgmlSplits {
  std::vector<int> device;         // by tensor
  std::vector<GgmlVisit> visits;   // operations, and before each run of them on a device what it takes in from others
  std::vector<GgmlTensor> inputs;  // placed before the first visit
  bool inputs_stay = false;        // to the end: batches take turns
};

/// Gives every tensor of `graph` a device and adds the copies that crossing from one to another needs.
/// Source   ggml-org/llama.cpp:ggml/src/ggml-backend.cpp (ggml_backend_sched_split_graph).
GgmlSplits ggml_split_graph(GgmlGraph& graph, const GgmlMachine& machine);

}  // namespace dachlast

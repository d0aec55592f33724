#include "core/memory/llamacpp_graph.h"

#include "core/memory/llamacpp_graph_builder.h"

namespace dachlast {

GgmlGraph llamacpp_graph(const GgufShape& shape, const GgufWeights& weights, const LlamaCppRun& run) {
  return llamacpp::GraphBuilder(shape, weights, run).build();
}

}  // namespace dachlast

#include "core/engine/cuda/step_graphs.h"

namespace dachlast {

StepGraphs::Mode StepGraphs::begin(const std::optional<GraphKey>& key, kernels::cuda::Stream stream) {
  capture_.reset();
  mode_ = Mode::kPlain;
  last_key_ = key_;
  key_ = key;
  if (!key) return mode_;
  if (graphs_.contains(*key)) return mode_ = Mode::kReplay;
  if (last_key_ != key_) return mode_;
  capture_.emplace(stream);
  return mode_ = Mode::kCapture;
}

int StepGraphs::finish(int n_ops, kernels::cuda::Stream stream) {
  if (mode_ == Mode::kPlain) return n_ops;
  if (mode_ == Mode::kCapture) {
    if (graphs_.size() == kMostGraphs) graphs_.erase(graphs_.begin());
    graphs_.emplace(*key_, Graph{capture_->finish(), n_ops});
    capture_.reset();
  }
  const Graph& graph = graphs_.at(*key_);
  graph.step.launch(stream);
  return graph.n_ops;
}

}  // namespace dachlast

#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/planner/recommend.h"
#include "core/viewmodel/recommend_view.h"
#include "core/workbench/scenario_speed.h"

namespace dachlast {

/// What hardware the user looks for. Empty texts and lists take the default, which the page states.
struct RecommendRequest {
  std::string model;
  std::vector<std::string> devices;  // ids, names or files; empty: all known ones
  std::vector<std::string> types;    // "fp8", "fp8/fp8": weights, and the cache behind a slash
  std::string engine = "vllm";
  EngineLimits limits;
  std::optional<int> context_tokens;
  ContextSplit split;
  int concurrency = 1;
  std::optional<double> ttft_limit_s;
  std::optional<double> tpot_limit_s;
  int max_devices = 8;
  int n_options = 5;
  std::string prices;  // a file, or "catalog": the dated examples in the device files
  SearchDepth depth = SearchDepth::kPruned;
  std::stop_token stop = {};
};

/// Prices that come with the program rather than from a file.
inline constexpr const char* kCatalogPrices = "catalog";

/// A recommendation, everything it rests on, and how it reads: for terminal, window and report.
struct RecommendPage {
  RecommendQuestion question;
  std::vector<std::string> types;  // of the question, as they are asked for: "", "fp8", "fp8/fp8"
  Recommendation found;
  viewmodel::RecommendView view;
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;
};

/// A deployment as a scenario: the model and engine of the request on its devices, in its types and layout. Copies are left out.
ScenarioRequest scenario_of(const RecommendRequest& request, const RecommendPage& page, const Deployment& deployment);

/// Errors   throws `Error` for whatever is wrong with the request, naming it; kInterrupted when stopped; kDoesNotFit where the context is over the model's limit.
RecommendPage recommend_page(const RecommendRequest& request);

}  // namespace dachlast

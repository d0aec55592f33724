#include "app/cli/plan_json.h"

#include <nlohmann/json.hpp>

#include "reports/json_parts.h"

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;
using reports::remarks_json;
using reports::segments_json;

ordered_json points_json(const RunPlan& plan) {
  ordered_json list = ordered_json::array();
  for (const auto& point : plan.points) {
    list.push_back({{"phase", name_of(point.phase)},
                    {"context_tokens", point.context_tokens},
                    {"batch", point.batch_size},
                    {"expected_s", point.expected.value},
                    {"origin", name_of(Origin::kEstimated)}});
    if (point.predicted) list.back()["predicted_s"] = point.predicted->value;
  }
  return list;
}

}  // namespace

std::string json_plan(const RunPlan& plan) {
  const ordered_json document = {{"schema", "dachlast.run_plan/1"},
                                 {"model", plan.source.spec.name},
                                 {"fits", plan.fits()},
                                 {"needed_bytes", plan.needed_bytes},
                                 {"available_bytes", plan.available_bytes},
                                 {"expected_s", plan.expected.value},
                                 {"threads", plan.n_threads},
                                 {"points", points_json(plan)},
                                 {"segments", segments_json(plan.memory)},
                                 {"warnings", remarks_json(plan.warnings)},
                                 {"assumptions", remarks_json(plan.assumptions)}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace dachlast::cli

#include "app/cli/plan_json.h"

#include <nlohmann/json.hpp>

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;

ordered_json remarks_json(const std::vector<Remark>& remarks) {
  ordered_json list = ordered_json::array();
  for (const auto& remark : remarks) list.push_back({{"code", remark.code}, {"text", remark.text}});
  return list;
}

ordered_json points_json(const RunPlan& plan) {
  ordered_json list = ordered_json::array();
  for (const auto& point : plan.points)
    list.push_back({{"phase", name_of(point.phase)},
                    {"context_tokens", point.context_tokens},
                    {"batch", point.batch_size},
                    {"expected_s", point.expected.value},
                    {"origin", name_of(Origin::kEstimated)}});
  return list;
}

ordered_json segments_json(const RunPlan& plan) {
  ordered_json list = ordered_json::array();
  for (const auto& segment : plan.memory)
    list.push_back({{"name", segment.name},
                    {"bytes", segment.bytes.value},
                    {"origin", name_of(segment.origin)},
                    {"formula", segment.formula}});
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
                                 {"segments", segments_json(plan)},
                                 {"warnings", remarks_json(plan.warnings)},
                                 {"assumptions", remarks_json(plan.assumptions)}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace dachlast::cli

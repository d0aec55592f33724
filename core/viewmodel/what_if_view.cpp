// A change that the model was not trained for, beside the model as it is.
#include <fmt/format.h>

#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

template <class Get>
std::vector<std::optional<double>> figures_of(const WhatIfRun& what_if, Get get) {
  std::vector<std::optional<double>> values;
  for (const WhatIfPoint& point : what_if.points) values.push_back(get(point));
  return values;
}

std::optional<double> speedup_of(const WhatIfPoint& point) {
  if (point.what_if_s <= 0.0) return std::nullopt;
  return point.as_is_s / point.what_if_s;
}

}  // namespace

Table what_if_table(const WhatIfRun& what_if) {
  std::vector<std::string> names;
  std::vector<double> times_s;
  for (const WhatIfPoint& p : what_if.points) {
    names.push_back(fmt::format("{}, {}, batch {}", phase_title(p.phase), counted(p.context_tokens, "token", "tokens"),
                                format_count(p.batch_size)));
    times_s.insert(times_s.end(), {p.as_is_s, p.what_if_s});
  }
  const Unit unit = times_s.empty() ? unit_for(Measure::kTime, 0.0) : unit_for_all(Measure::kTime, times_s);
  TableBuilder table("what-if", fmt::format("What-if {}: outputs are not the model's", what_if.text));
  table.text({"point", "Point", "", "", Align::kLeft}, names);
  table.in_unit_of({"as_is_s", "As it is", "", "Step of the model as it is."}, unit,
                   figures_of(what_if, [](const auto& p) { return p.as_is_s; }), Origin::kMeasured);
  table.in_unit_of({"what_if_s", "What-if", "", "Step under the what-if."}, unit,
                   figures_of(what_if, [](const auto& p) { return p.what_if_s; }), Origin::kMeasured);
  table.factor({"speedup", "Faster", "", ""}, figures_of(what_if, speedup_of), Origin::kMeasured);
  table.measure({"kv_as_is_bytes", "KV as it is", "", ""}, Measure::kCapacity,
                figures_of(what_if, [](const auto& p) { return p.kv_as_is_bytes; }), Origin::kExact);
  table.measure({"kv_what_if_bytes", "KV what-if", "", ""}, Measure::kCapacity,
                figures_of(what_if, [](const auto& p) { return p.kv_what_if_bytes; }), Origin::kExact);
  return table.build();
}

std::string what_if_sentence(const WhatIfRun& what_if) {
  return fmt::format("Timing what-if {}: the model was not trained for it, so its outputs are not the model's.",
                     what_if.text);
}

}  // namespace dachlast::viewmodel

#include "core/viewmodel/recommend_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

std::string gib(double bytes, Rounding rounding = Rounding::kNearest) {
  return format(Measure::kCapacity, bytes, rounding);
}

std::string requests_text(const ServedLoad& load) {
  return fmt::format("{} of {}", counted(load.n_sequences, "request", "requests"),
                     counted(load.context_tokens(), "token", "tokens"));
}

std::string deployment_text(const RecommendQuestion& question, const Deployment& d) {
  const std::string& name = question.devices[d.device].name;
  const std::string layout = d.n_devices() == 1 ? "" : fmt::format(" ({})", layout_of(d));
  const PlanScenario& types = question.types[d.types];
  return fmt::format("{} × {}{}, weights in {}, KV cache in {}", d.n_devices(), name, layout, weights_title(types),
                     types.cache.title);
}

std::string speed_text(const Candidate& c) {
  std::string text = fmt::format("TTFT ≈{}", format(Measure::kTime, c.speed->ttft_s.value));
  if (c.speed->tpot_s) text += fmt::format(", TPOT ≈{}", format(Measure::kTime, c.speed->tpot_s->value));
  text += fmt::format(", ≈{} in all", format(Measure::kTokenRate, c.speed->output_tokens_s.value));
  return c.speed->origin == EfficiencyOrigin::kDevice ? text
                                                      : fmt::format("{} (kernels {})", text, name_of(c.speed->origin));
}

std::string advantages_text(const Option& option) {
  std::vector<std::string_view> names;
  for (const Advantage advantage : option.advantages) names.push_back(name_of(advantage));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string answer_of(const RecommendQuestion& question, const Recommendation& found) {
  if (!found.options.empty()) {
    const Option& first = found.options.front();
    const Candidate& c = found.candidates[first.candidate];
    return fmt::format("RECOMMENDED for {}: {}: {}; {} spare per GPU. Why: {}.", requests_text(question.load),
                       deployment_text(question, c.deployment), speed_text(c), gib(c.budget_bytes - c.needed_bytes),
                       advantages_text(first));
  }
  std::string text = fmt::format("NOTHING QUALIFIES for {} on at most {}.", requests_text(question.load),
                                 counted(question.max_devices, "GPU", "GPUs"));
  if (!found.nearest_miss) return text + " No layout of the model and no device of the list can be planned for.";
  const Candidate& c = found.candidates[*found.nearest_miss];
  return text + fmt::format(" Nearest: {}: {}.", deployment_text(question, c.deployment), c.reason);
}

/// Columns that options, rejected ones and all candidates share, of those chosen.
class Columns {
 public:
  Columns(const RecommendQuestion& question, const Recommendation& found, const std::vector<std::size_t>& chosen)
      : question_(question), found_(found), chosen_(chosen) {}

  template <class Value>
  auto values(const Value& value) const {
    std::vector<decltype(value(found_.candidates.front()))> made;
    made.reserve(chosen_.size());
    for (const std::size_t i : chosen_) made.push_back(value(found_.candidates[i]));
    return made;
  }

  void deployment(TableBuilder& table) const {
    table.text({"devices", "GPUs", "", ""},
               values([&](const Candidate& c) { return devices_of(question_, c.deployment); }));
    table.text({"layout", "Layout", "", "DP: copies that share the requests."},
               values([](const Candidate& c) { return layout_of(c.deployment); }));
    table.text({"types", "Types", "", "Of weights and KV cache."},
               values([&](const Candidate& c) { return types_of(question_, c.deployment); }));
  }

  void speeds(TableBuilder& table) const {
    const auto of = [&](auto member) {
      return values([&](const Candidate& c) -> std::optional<double> {
        if (!c.speed) return std::nullopt;
        return member(c);
      });
    };
    table.measure({"ttft_s", "TTFT", "", "", Align::kRight, 2}, Measure::kTime,
                  of([](const Candidate& c) { return c.speed->ttft_s.value; }), Origin::kEstimated);
    table.measure({"tpot_s", "TPOT", "", ""}, Measure::kTime, values([](const Candidate& c) -> std::optional<double> {
                    return c.speed && c.speed->tpot_s ? std::optional(c.speed->tpot_s->value) : std::nullopt;
                  }),
                  Origin::kEstimated);
    table.measure({"tokens_s_per_gpu", "Per GPU", "", "Output of all requests, over the GPUs.", Align::kRight, 1},
                  Measure::kTokenRate, of([](const Candidate& c) { return c.rate_per_device(); }), Origin::kEstimated);
  }

  void spare(TableBuilder& table) const {
    table.measure({"spare_bytes", "Spare", "", "Of the fullest GPU; below zero: short by.", Align::kRight, 3},
                  Measure::kCapacity, values([](const Candidate& c) -> std::optional<double> {
                    if (!(c.budget_bytes > 0.0)) return std::nullopt;
                    return c.budget_bytes - c.needed_bytes;
                  }),
                  Origin::kEstimated);
  }

  void origin(TableBuilder& table) const {
    table.text(
        {"kernels", "Kernels", "", "Where their times were measured.", Align::kLeft, 4},
        values([](const Candidate& c) { return c.speed ? std::string(name_of(c.speed->origin)) : std::string("–"); }));
  }

  void cost(TableBuilder& table) const {
    if (!question_.prices) return;
    const std::string& currency = question_.prices->currency;
    std::vector<Cell> cells = values([](const Candidate& c) {
      return c.cost_per_million
                 ? number_cell(*c.cost_per_million, fmt::format("{:.2f}", *c.cost_per_million), Origin::kEstimated)
                 : missing_cell();
    });
    table.cells({"cost_per_million_output_tokens", "Cost", currency + "/M", "Of a million tokens of answers."},
                std::move(cells));
  }

 private:
  const RecommendQuestion& question_;
  const Recommendation& found_;
  const std::vector<std::size_t>& chosen_;
};

Table options_table(const RecommendQuestion& question, const Recommendation& found) {
  std::vector<std::size_t> chosen;
  std::vector<std::int64_t> numbers;
  for (const Option& option : found.options) {
    chosen.push_back(option.candidate);
    numbers.push_back(static_cast<std::int64_t>(chosen.size()));
  }
  const Columns columns(question, found, chosen);
  TableBuilder table("options", "Options");
  table.count({"option", "#", "", ""}, numbers, Origin::kExact);
  columns.deployment(table);
  columns.speeds(table);
  columns.cost(table);
  columns.spare(table);
  columns.origin(table);
  return table.build();
}

/// Misses of a limit before what does not fit, the nearest first; what is only outdone has no place among the rejected.
std::vector<std::size_t> rejected_order(const Recommendation& found) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < found.candidates.size(); ++i) {
    const Standing standing = found.candidates[i].standing;
    if (standing != Standing::kQualifies && standing != Standing::kOutdone) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    const Candidate& c = found.candidates[i];
    const double size = c.standing == Standing::kMissesLimit ? c.limit_share
                        : c.budget_bytes > 0.0               ? c.needed_bytes / c.budget_bytes
                                                             : 0.0;
    return std::pair(static_cast<int>(c.standing), size);
  });
  return order;
}

/// Copies change nothing about what one of them lacks; nothing about a device about which nothing is known.
std::string key_of(const RecommendQuestion& question, const Candidate& c) {
  if (c.standing == Standing::kUnknown)
    return fmt::format("{}: {}", question.devices[c.deployment.device].id, c.reason);
  return fmt::format("{}|{}|{}|{}", c.deployment.device, c.deployment.types, title_of(c.deployment.layout), c.reason);
}

std::string subject_of(const RecommendQuestion& question, const Candidate& c) {
  if (c.standing == Standing::kUnknown) return question.devices[c.deployment.device].id;
  return fmt::format("{}, {}, {}", devices_of(question, c.deployment), layout_of(c.deployment),
                     types_of(question, c.deployment));
}

Table rejected_table(const RecommendQuestion& question, const Recommendation& found) {
  Table table{.id = "rejected", .title = "Rejected", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {{.key = "deployment", .title = "Deployment", .unit = {}, .description = {}, .align = Align::kLeft},
                   {.key = "reason", .title = "Reason", .unit = {}, .description = {}, .align = Align::kLeft}};
  for (const RefusedLayout& refused : found.refused)
    table.rows.push_back({text_cell(refused.subject), text_cell(refused.reason)});
  std::set<std::string> told;
  for (const std::size_t i : rejected_order(found)) {
    const Candidate& c = found.candidates[i];
    if (!told.insert(key_of(question, c)).second) continue;
    table.rows.push_back({text_cell(subject_of(question, c)), text_cell(c.reason)});
  }
  return table;
}

std::string summary_of(const Recommendation& found) {
  std::array<std::int64_t, 5> n{};
  for (const Candidate& c : found.candidates) ++n[static_cast<std::size_t>(c.standing)];
  const auto of = [&](Standing standing) { return format_count(n[static_cast<std::size_t>(standing)]); };
  return fmt::format(
      "{} considered: {} qualify, {} are outdone in every respect, {} miss a limit, {} do not fit, of {} nothing is "
      "known; {}.",
      counted(static_cast<std::int64_t>(found.candidates.size()), "deployment", "deployments"),
      of(Standing::kQualifies), of(Standing::kOutdone), of(Standing::kMissesLimit), of(Standing::kDoesNotFit),
      of(Standing::kUnknown),
      counted(static_cast<std::int64_t>(found.refused.size()), "layout refused", "layouts refused"));
}

std::string tooltip_of(const RecommendQuestion& question, const Candidate& c) {
  std::string text = fmt::format("{}\n{} of {} per GPU\n{}", deployment_text(question, c.deployment),
                                 gib(c.needed_bytes, Rounding::kUp), gib(c.budget_bytes), speed_text(c));
  if (!c.reason.empty()) text += "\n" + c.reason;
  return text;
}

ParetoChart pareto_of(const RecommendQuestion& question, const Recommendation& found) {
  ParetoChart chart{
      .title = fmt::format("{} on up to {}: speed of a request against yield of a GPU",
                           question.types.front().model.name, counted(question.max_devices, "GPU", "GPUs")),
      .description = answer_of(question, found),
      .points = {},
      .tpot_limit_s = question.tpot_limit_s,
      .ttft_limit_s = question.ttft_limit_s};
  for (std::size_t i = 0; i < found.candidates.size(); ++i) {
    const Candidate& c = found.candidates[i];
    if (!c.speed) continue;
    ParetoPoint point{.request_tokens_s = 1.0 / c.latency_s(),
                      .device_tokens_s = c.rate_per_device(),
                      .rank = std::ranges::find(found.frontier, i) != found.frontier.end() ? ParetoRank::kFrontier
                                                                                           : ParetoRank::kCandidate,
                      .datum = fmt::format("{}", i),
                      .label = {},
                      .tooltip = tooltip_of(question, c),
                      .ttft_s = c.speed->ttft_s.value,
                      .tpot_s = c.speed->tpot_s ? c.speed->tpot_s->value : 0.0,
                      .n_devices = c.deployment.n_devices(),
                      .cost_per_million = c.cost_per_million.value_or(0.0),
                      .meets_limits = c.standing == Standing::kQualifies};
    const auto option = std::ranges::find(found.options, i, &Option::candidate);
    if (option != found.options.end()) {
      point.rank = ParetoRank::kOption;
      point.label = fmt::format("{}: {}", option - found.options.begin() + 1, devices_of(question, c.deployment));
    }
    chart.points.push_back(std::move(point));
  }
  return chart;
}

}  // namespace

std::string devices_of(const RecommendQuestion& question, const Deployment& deployment) {
  return fmt::format("{} × {}", deployment.n_devices(), question.devices[deployment.device].id);
}

std::string layout_of(const Deployment& deployment) {
  std::string title = title_of(deployment.layout);
  // Tables have no room for the whole word.
  constexpr std::string_view kAttention = "attention DP";
  if (const std::size_t at = title.find(kAttention); at != std::string::npos)
    title.replace(at, kAttention.size(), "attn DP");
  if (deployment.replicas == 1) return title;
  if (deployment.layout.n_devices() == 1) return fmt::format("DP {}", deployment.replicas);
  return fmt::format("DP {} × {}", deployment.replicas, title);
}

std::string types_of(const RecommendQuestion& question, const Deployment& deployment) {
  const PlanScenario& types = question.types[deployment.types];
  return fmt::format("{}/{}", weights_name(types), types.cache.name);
}

RecommendView recommend_view(const RecommendQuestion& question, const Recommendation& found) {
  RecommendView view;
  view.answer = answer_of(question, found);
  view.options = options_table(question, found);
  for (std::size_t i = 0; i < found.options.size(); ++i)
    view.reasons.push_back(fmt::format("{}: {}", i + 1, advantages_text(found.options[i])));
  view.rejected = rejected_table(question, found);
  view.rejected_summary = summary_of(found);
  view.pareto = pareto_of(question, found);
  return view;
}

Table options_with_reasons(const RecommendView& view) {
  Table table = view.options;
  const auto place = std::ranges::find(table.columns, "layout", &Column::key) - table.columns.begin();
  table.columns.insert(table.columns.begin() + place, {"why", "Why", "", "What this option is best in.", Align::kLeft});
  for (std::size_t i = 0; i < table.rows.size() && i < view.reasons.size(); ++i)
    // "1: fewest GPUs": the number stands in the row already.
    table.rows[i].insert(table.rows[i].begin() + place,
                         text_cell(view.reasons[i].substr(view.reasons[i].find(' ') + 1)));
  return table;
}

Table candidates_table(const RecommendQuestion& question, const Recommendation& found) {
  std::vector<std::size_t> all(found.candidates.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const Columns columns(question, found, all);
  TableBuilder table("candidates", "Candidates");
  columns.deployment(table);
  table.count({"n_gpus", "GPUs", "", ""},
              columns.values([](const Candidate& c) -> std::int64_t { return c.deployment.n_devices(); }),
              Origin::kExact);
  columns.speeds(table);
  table.measure({"output_tokens_s", "Output", "", "Of all requests."}, Measure::kTokenRate,
                columns.values([](const Candidate& c) -> std::optional<double> {
                  return c.speed ? std::optional(c.speed->output_tokens_s.value) : std::nullopt;
                }),
                Origin::kEstimated);
  columns.cost(table);
  columns.spare(table);
  table.text({"standing", "Standing", "", ""},
             columns.values([](const Candidate& c) { return std::string(name_of(c.standing)); }));
  table.text({"reason", "Reason", "", ""}, columns.values([](const Candidate& c) { return c.reason; }));
  return table.build();
}

}  // namespace dachlast::viewmodel

#include "app/cli/recommend_output.h"

#include <fmt/core.h>

#include <algorithm>

#include "app/cli/output.h"
#include "core/viewmodel/format.h"
#include "reports/csv.h"
#include "reports/json_parts.h"
#include "reports/markdown.h"
#include "reports/terminal.h"

namespace dachlast::cli {
namespace {

using reports::Json;

/// What a screen shows of the rejected; files hold them all.
constexpr std::size_t kMostRejectedLines = 40;

std::string rejected_lines(const viewmodel::Table& rejected, const CommonOptions& common) {
  const viewmodel::Words& words = words_of(common);
  std::string text = "\n" + words("Rejected") + "\n";
  const std::size_t shown = std::min(kMostRejectedLines, rejected.rows.size());
  for (std::size_t i = 0; i < shown; ++i)
    text += paragraph(fmt::format("{}: {}", rejected.rows[i][0].text, words(rejected.rows[i][1].text)), common, 2);
  if (shown < rejected.rows.size())
    text += paragraph(fmt::format("… and {} more: --format csv lists every one.",
                                  viewmodel::format_count(static_cast<std::int64_t>(rejected.rows.size() - shown))),
                      common, 2);
  return text;
}

std::string terminal_page(const RecommendPage& page, ShowRejected rejected, const CommonOptions& common) {
  const viewmodel::RecommendView& view = page.view;
  std::string text = paragraph(view.answer, common) + "\n";
  if (!view.options.rows.empty()) text += reports::terminal_table(view.options, terminal_style(common));
  for (const std::string& reason : view.reasons) text += paragraph(reason, common, 2);
  text += "\n" + paragraph(view.rejected_summary, common);
  if (rejected == ShowRejected::kAll) text += rejected_lines(view.rejected, common);
  text += "\n";
  return text + remark_lines("Warning", page.warnings, common) + remark_lines("Assumed", page.assumptions, common);
}

std::string markdown_page(const RecommendPage& page, ShowRejected rejected, const viewmodel::Words& words) {
  const viewmodel::RecommendView& view = page.view;
  std::string text = reports::markdown_text(words, view.answer) + "\n\n";
  if (!view.options.rows.empty()) text += reports::markdown_table(view.options, words) + "\n";
  for (const std::string& reason : view.reasons) text += "- " + reports::markdown_text(words, reason) + "\n";
  text += "\n" + reports::markdown_text(words, view.rejected_summary) + "\n";
  if (rejected == ShowRejected::kAll) text += "\n" + reports::markdown_table(view.rejected, words);
  for (const Remark& remark : page.assumptions)
    text += fmt::format("\n- {}: {}", words("Assumed"), reports::markdown_text(words, remark.text));
  return text + "\n";
}

void put_figure(Json& json, const std::string& key, const SpeedFigure& figure) {
  json[key] = figure.value;
  if (!figure.interval) return;
  json[key + "_low"] = figure.interval->low;
  json[key + "_high"] = figure.interval->high;
}

Json speed_json(const Candidate& candidate) {
  const ServedSpeed& speed = *candidate.speed;
  Json json;
  put_figure(json, "ttft_s", speed.ttft_s);
  if (speed.tpot_s) put_figure(json, "tpot_s", *speed.tpot_s);
  put_figure(json, "output_tokens_s", speed.output_tokens_s);
  json["tokens_s_per_gpu"] = candidate.rate_per_device();
  json["origin"] = name_of(Origin::kEstimated);
  json["kernels"] = name_of(speed.origin);
  return json;
}

Json candidate_json(const RecommendPage& page, std::size_t index) {
  const Candidate& c = page.found.candidates[index];
  const Deployment& d = c.deployment;
  const PlanScenario& types = page.question.types[d.types];
  Json json = {{"candidate", index},
               {"device", page.question.devices[d.device].id},
               {"n_gpus", d.n_devices()},
               {"replicas", d.replicas},
               {"tensor_parallel", d.layout.tensor_parallel},
               {"pipeline_parallel", d.layout.pipeline_parallel},
               {"attention_data_parallel", d.layout.attention_data_parallel},
               {"expert_parallel", d.layout.experts == ExpertPlacement::kWhole},
               {"weights", weights_name(types)},
               {"kv_cache", types.cache.name},
               {"standing", name_of(c.standing)}};
  if (!c.reason.empty()) json["reason"] = c.reason;
  if (c.budget_bytes > 0.0) {
    json["needed_bytes"] = c.needed_bytes;
    json["budget_bytes"] = c.budget_bytes;
  }
  if (c.speed) json["speed"] = speed_json(c);
  if (c.cost_per_million) json["cost_per_million_output_tokens"] = *c.cost_per_million;
  return json;
}

Json options_json(const RecommendPage& page) {
  Json list = Json::array();
  for (const Option& option : page.found.options) {
    Json json = candidate_json(page, option.candidate);
    json["advantages"] = Json::array();
    for (const Advantage advantage : option.advantages) json["advantages"].push_back(name_of(advantage));
    list.push_back(std::move(json));
  }
  return list;
}

Json limit_json(const std::optional<double>& limit) {
  return limit ? Json(*limit) : Json(nullptr);
}

Json prices_json(const RecommendQuestion& question) {
  if (!question.prices) return nullptr;
  Json list = Json::array();
  for (const HourlyPrice& price : question.prices->prices)
    list.push_back(
        {{"device", price.device}, {"per_hour", price.per_hour}, {"date", price.as_of}, {"source", price.source}});
  return {{"currency", question.prices->currency}, {"prices", std::move(list)}};
}

}  // namespace

std::string json_recommendation(const RecommendPage& page) {
  const RecommendQuestion& question = page.question;
  Json document = {{"schema", "dachlast.recommend/1"},
                   {"answer", viewmodel::plain_spaces(page.view.answer)},
                   {"model", question.types.front().model.name},
                   {"engine", question.types.front().engine.id},
                   {"prompt_tokens", question.load.prompt_tokens},
                   {"output_tokens", question.load.output_tokens},
                   {"concurrency", question.load.n_sequences},
                   {"ttft_limit_s", limit_json(question.ttft_limit_s)},
                   {"tpot_limit_s", limit_json(question.tpot_limit_s)},
                   {"max_gpus", question.max_devices},
                   {"interval_confidence", kSpeedConfidence},
                   {"options", options_json(page)},
                   {"frontier", page.found.frontier}};
  document["nearest_miss"] = page.found.nearest_miss ? candidate_json(page, *page.found.nearest_miss) : Json(nullptr);
  document["candidates"] = Json::array();
  for (std::size_t i = 0; i < page.found.candidates.size(); ++i)
    document["candidates"].push_back(candidate_json(page, i));
  document["refused_layouts"] = Json::array();
  for (const RefusedLayout& refused : page.found.refused)
    document["refused_layouts"].push_back({{"layout", refused.subject}, {"reason", refused.reason}});
  document["prices"] = prices_json(question);
  document["warnings"] = reports::remarks_json(page.warnings);
  document["assumptions"] = reports::remarks_json(page.assumptions);
  return reports::text_of(document) + "\n";
}

std::string render_recommendation(const RecommendPage& page, ShowRejected rejected, const CommonOptions& common) {
  switch (common.format) {
    case Format::kTable: return terminal_page(page, rejected, common);
    case Format::kMarkdown: return markdown_page(page, rejected, words_of(common));
    case Format::kJson:
    case Format::kJsonl: return json_recommendation(page);
    case Format::kCsv: return reports::csv_table(viewmodel::candidates_table(page.question, page.found));
  }
  return {};
}

}  // namespace dachlast::cli

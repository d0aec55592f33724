#include "app/cli/advise_output.h"

#include <fmt/core.h>

#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/viewmodel/advice_view.h"
#include "core/viewmodel/format.h"
#include "reports/csv.h"
#include "reports/json_parts.h"
#include "reports/markdown.h"
#include "reports/terminal.h"

namespace dachlast::cli {
namespace {

using reports::Json;
using viewmodel::AdviceLine;
using viewmodel::AdviceView;

/// Text that is in the reader's language already.
std::string indented(const std::string& text, std::size_t first, std::size_t rest, const CommonOptions& common) {
  const auto width = static_cast<std::size_t>(terminal_style(common).width);
  const std::string plain = reports::terminal_escape(viewmodel::plain_spaces(text));
  return std::string(first, ' ') + wrapped(plain, rest, width - first) + "\n";
}

std::string item(const std::string& text, const CommonOptions& common, std::size_t indent = 0) {
  return indented(text, indent, indent + 2, common);
}

std::string with_source(const AdviceLine& advice, const viewmodel::Words& words) {
  return advice.source.empty() ? words(advice.risk) : fmt::format("{} [{}]", words(advice.risk), advice.source);
}

/// A command stands on a line of its own and is never wrapped: it is there to be copied.
std::string command_line(const AdviceLine& advice, const viewmodel::Words& words) {
  std::string text;
  if (!advice.command.empty()) text += fmt::format("     $ {}\n", advice.command);
  if (!advice.engine_option.empty()) text += fmt::format("     Engine: {}\n", words(advice.engine_option));
  return text;
}

std::string worthwhile_lines(const AdviceView& view, const CommonOptions& common) {
  std::string text;
  const viewmodel::Words& words = words_of(common);
  int rank = 0;
  for (const AdviceLine& advice : view.worthwhile) {
    text += indented(fmt::format("{}. {}", ++rank, words(advice.head)), 0, 3, common);
    if (!advice.reason.empty()) text += indented(words(advice.reason) + ".", 3, 3, common);
    text += indented(fmt::format("{}: {}", words("Risk"), with_source(advice, words)), 3, 3, common) +
            command_line(advice, words);
  }
  return text;
}

std::string plain_lines(std::string_view head, const std::vector<AdviceLine>& list, const CommonOptions& common) {
  if (list.empty()) return {};
  const viewmodel::Words& words = words_of(common);
  std::string text = fmt::format("\n{}\n", words_of(common)(head));
  for (const AdviceLine& advice : list)
    text += indented(advice.reason.empty() ? words(advice.head) + "."
                                           : fmt::format("{}: {}.", words(advice.head), words(advice.reason)),
                     0, 2, common);
  return text;
}

std::string advice_remarks(std::string_view head, const std::vector<Remark>& remarks, const CommonOptions& common) {
  std::string text;
  for (const Remark& remark : remarks)
    text += item(fmt::format("{}: {}", words_of(common)(head), words_of(common)(remark.text)), common, 2);
  return text;
}

std::string terminal_advice(const ScenarioAdvice& advice, const CommonOptions& common) {
  const AdviceView view = viewmodel::advice_view(advice.report);
  std::string text = paragraph(view.answer, common) + "\n" + paragraph(view.subject, common) + "\n";
  if (!view.gains.rows.empty())
    text += reports::terminal_table(view.gains, terminal_style(common)) + "\n" + worthwhile_lines(view, common);
  if (!view.verified.rows.empty()) text += "\n" + reports::terminal_table(view.verified, terminal_style(common));
  text += plain_lines("Wasted here", view.wasted, common);
  text += plain_lines("In use, or not to be had", view.others, common);
  return text + "\n" + advice_remarks("Warning", advice.warnings, common) +
         advice_remarks("Assumed", advice.assumptions, common);
}

std::string markdown_advice(const ScenarioAdvice& advice, const viewmodel::Words& words) {
  const AdviceView view = viewmodel::advice_view(advice.report);
  return fmt::format("{}\n\n{}\n\n{}", reports::markdown_text(words, view.answer),
                     reports::markdown_text(words, view.subject), reports::markdown_table(view.levers, words));
}

Json time_json(const WorkloadTime& time) {
  return {{"ttft_s", time.ttft_s},
          {"tpot_s", time.tpot_s},
          {"batch_s", time.batch_s},
          {"requests_per_s", time.requests_per_s()},
          {"origin", name_of(Origin::kEstimated)}};
}

Json bottleneck_json(const Bottleneck& bound) {
  return {{"phase", name_of(bound.phase)},
          {"phase_share", bound.phase_share},
          {"resource", name_of(bound.resource)},
          {"share", bound.share}};
}

Json advice_json(const Advice& advice) {
  Json json = {{"id", advice.id},
               {"title", advice.title},
               {"state", name_of(advice.state)},
               {"kind", name_of(advice.kind)},
               {"touches", name_of(advice.touches)}};
  if (advice.gain) {
    json["gain"] = advice.gain->value;
    json["gain_low"] = advice.gain->low;
    json["gain_high"] = advice.gain->high;
  }
  if (advice.measured) {
    json["measured_gain"] = advice.measured->value;
    json["measured_gain_low"] = advice.measured->low;
    json["measured_gain_high"] = advice.measured->high;
  }
  if (advice.memory_bytes) json["memory_change_bytes"] = *advice.memory_bytes;
  if (advice.ttft_s) json["ttft_s"] = *advice.ttft_s;
  if (advice.tpot_s) json["tpot_s"] = *advice.tpot_s;
  for (const auto& [key, text] :
       {std::pair("condition", &advice.condition), std::pair("reason", &advice.reason), std::pair("risk", &advice.risk),
        std::pair("source", &advice.source), std::pair("command", &advice.command),
        std::pair("engine_option", &advice.engine_option)})
    if (!text->empty()) json[key] = *text;
  return json;
}

std::string json_advice(const ScenarioAdvice& advice) {
  const AdviceReport& report = advice.report;
  const Configuration& c = report.configuration;
  Json list = Json::array();
  for (const Advice& one : report.advice) list.push_back(advice_json(one));
  Json document = {{"schema", "dachlast.advice/1"},
                   {"answer", viewmodel::plain_spaces(viewmodel::advice_view(report).answer)},
                   {"model", report.model_name},
                   {"device", report.device_name},
                   {"engine", report.engine_name},
                   {"prompt_tokens", c.prompt_tokens},
                   {"answer_tokens", c.answer_tokens},
                   {"batch", c.batch_size},
                   {"fits", report.fits},
                   {"needed_bytes", report.needed_bytes},
                   {"budget_bytes", report.budget_bytes}};
  if (report.time) document["predicted"] = time_json(*report.time);
  if (report.bottleneck) document["bottleneck"] = bottleneck_json(*report.bottleneck);
  document["levers"] = std::move(list);
  document["warnings"] = reports::remarks_json(advice.warnings);
  document["assumptions"] = reports::remarks_json(advice.assumptions);
  return reports::text_of(document);
}

}  // namespace

std::string render_advice(const ScenarioAdvice& advice, const CommonOptions& common) {
  switch (common.format) {
    case Format::kTable: return terminal_advice(advice, common);
    case Format::kMarkdown: return markdown_advice(advice, words_of(common));
    case Format::kJson:
    case Format::kJsonl: return json_advice(advice);
    case Format::kCsv: return reports::csv_table(viewmodel::advice_view(advice.report).levers);
  }
  return {};
}

}  // namespace dachlast::cli

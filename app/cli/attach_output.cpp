#include "app/cli/attach_output.h"

#include <nlohmann/json.hpp>

#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/viewmodel/format.h"
#include "reports/csv.h"
#include "reports/json.h"
#include "reports/markdown.h"

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;
using viewmodel::AttachGpuView;
using viewmodel::AttachView;
using viewmodel::Table;

/// What is printed of a program, in order: ranges, then GPUs, then threads.
struct Parts {
  std::vector<std::string> answer;
  std::vector<const Table*> tables;
  std::vector<Remark> remarks;
};

Parts parts_of(const AttachView& view, const AttachGpuView& gpu) {
  Parts parts{view.answer, {}, view.remarks};
  parts.answer.insert(parts.answer.end(), gpu.profile.answer.begin(), gpu.profile.answer.end());
  for (const Table* table : {&view.steps, &view.ranges, &gpu.profile.timelines, &gpu.phase_devices, &gpu.profile.phases,
                             &gpu.profile.families, &gpu.profile.kernels, &gpu.profile.counters, &gpu.host_times,
                             &gpu.memory, &view.threads})
    if (!table->rows.empty()) parts.tables.push_back(table);
  parts.remarks.insert(parts.remarks.end(), gpu.remarks.begin(), gpu.remarks.end());
  return parts;
}

std::string render_text(const std::string& title, const Parts& parts, const CommonOptions& common) {
  const auto width = static_cast<std::size_t>(terminal_style(common).width);
  const auto line = [&](const std::string& text, std::size_t indent) {
    return wrapped(reports::terminal_escape(viewmodel::plain_spaces(text)), indent, width) + "\n";
  };
  std::string text = line(title, 0);
  for (const std::string& sentence : parts.answer) text += line(sentence, 0);
  for (const Table* table : parts.tables) text += "\n" + render_table("", "", *table, common);
  for (const Remark& remark : parts.remarks) text += "\n" + line("note: " + remark.text, 2);
  return text;
}

std::string render_markdown(const std::string& title, const Parts& parts) {
  std::string text = "**" + reports::markdown_escape(title) + "**\n\n";
  for (const std::string& sentence : parts.answer) text += reports::markdown_escape(sentence) + "\n\n";
  for (const Table* table : parts.tables) text += reports::markdown_table(*table) + "\n";
  for (const Remark& remark : parts.remarks) text += "- " + reports::markdown_escape(remark.text) + "\n";
  return text;
}

std::string render_json(const std::string& title, const Parts& parts) {
  ordered_json document = {{"schema", "dachlast.attach/1"}, {"command", title}, {"answer", parts.answer}};
  for (const Table* table : parts.tables)
    document[table->id] = ordered_json::parse(reports::json_table("", table->id, *table))[table->id];
  document["warnings"] = ordered_json::array();
  for (const Remark& remark : parts.remarks)
    document["warnings"].push_back({{"code", remark.code}, {"text", remark.text}});
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string render_attached(const AttachView& view, const AttachGpuView& gpu, const CommonOptions& common) {
  const Parts parts = parts_of(view, gpu);
  switch (common.format) {
    case Format::kTable: return render_text(view.title, parts, common);
    case Format::kMarkdown: return render_markdown(view.title, parts);
    case Format::kCsv: return reports::csv_table(gpu.profile.kernels.rows.empty() ? view.ranges : gpu.profile.kernels);
    case Format::kJson:
    case Format::kJsonl: return render_json(view.title, parts);
  }
  return {};
}

}  // namespace dachlast::cli

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
using viewmodel::AttachView;
using viewmodel::Table;

std::vector<const Table*> filled_tables(const AttachView& view) {
  std::vector<const Table*> tables;
  for (const Table* table : {&view.steps, &view.ranges, &view.threads})
    if (!table->rows.empty()) tables.push_back(table);
  return tables;
}

std::string render_text(const AttachView& view, const CommonOptions& common) {
  const auto width = static_cast<std::size_t>(terminal_style(common).width);
  const auto line = [&](const std::string& text, std::size_t indent) {
    return wrapped(reports::terminal_escape(viewmodel::plain_spaces(text)), indent, width) + "\n";
  };
  std::string text = line(view.title, 0);
  for (const std::string& sentence : view.answer) text += line(sentence, 0);
  for (const Table* table : filled_tables(view)) text += "\n" + render_table("", "", *table, common);
  for (const Remark& remark : view.remarks) text += "\n" + line("note: " + remark.text, 2);
  return text;
}

std::string render_markdown(const AttachView& view) {
  std::string text = "**" + reports::markdown_escape(view.title) + "**\n\n";
  for (const std::string& sentence : view.answer) text += reports::markdown_escape(sentence) + "\n\n";
  for (const Table* table : filled_tables(view)) text += reports::markdown_table(*table) + "\n";
  for (const Remark& remark : view.remarks) text += "- " + reports::markdown_escape(remark.text) + "\n";
  return text;
}

std::string render_json(const AttachView& view) {
  ordered_json document = {{"schema", "dachlast.attach/1"}, {"command", view.title}, {"answer", view.answer}};
  for (const Table* table : filled_tables(view))
    document[table->id] = ordered_json::parse(reports::json_table("", table->id, *table))[table->id];
  document["warnings"] = ordered_json::array();
  for (const Remark& remark : view.remarks)
    document["warnings"].push_back({{"code", remark.code}, {"text", remark.text}});
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string render_attached(const AttachView& view, const CommonOptions& common) {
  switch (common.format) {
    case Format::kTable: return render_text(view, common);
    case Format::kMarkdown: return render_markdown(view);
    case Format::kCsv: return reports::csv_table(view.ranges);
    case Format::kJson:
    case Format::kJsonl: return render_json(view);
  }
  return {};
}

}  // namespace dachlast::cli

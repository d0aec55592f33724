#include "app/cli/findings_output.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/cli/output.h"
#include "reports/json.h"
#include "reports/markdown.h"

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;
using viewmodel::Table;

std::string findings_text(const Findings& findings, const CommonOptions& common) {
  std::string text = paragraph(findings.title, common);
  for (const std::string& sentence : findings.answer) text += paragraph(sentence, common);
  for (const Table* table : findings.tables) text += "\n" + render_table("", "", *table, common);
  if (!findings.remarks.empty()) text += "\n";
  return text + remark_lines("note", findings.remarks, common);
}

std::string findings_markdown(const Findings& findings, const viewmodel::Words& words) {
  std::string text = fmt::format("**{}**\n\n", reports::markdown_text(words, findings.title));
  for (const std::string& sentence : findings.answer) text += reports::markdown_text(words, sentence) + "\n\n";
  for (const Table* table : findings.tables) text += reports::markdown_table(*table, words) + "\n";
  for (const Remark& remark : findings.remarks) text += "- " + reports::markdown_text(words, remark.text) + "\n";
  return text;
}

}  // namespace

std::string render_findings(const Findings& findings, const CommonOptions& common) {
  return common.format == Format::kMarkdown ? findings_markdown(findings, words_of(common))
                                            : findings_text(findings, common);
}

std::string json_findings(const std::string& head, const Findings& findings) {
  auto document = ordered_json::parse(head);
  for (const Table* table : findings.tables)
    document[table->id] = ordered_json::parse(reports::json_table("", table->id, *table))[table->id];
  document["warnings"] = ordered_json::array();
  for (const Remark& remark : findings.remarks)
    document["warnings"].push_back({{"code", remark.code}, {"text", remark.text}});
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace dachlast::cli

#include "app/cli/attach_output.h"

#include <nlohmann/json.hpp>

#include "app/cli/findings_output.h"
#include "reports/csv.h"

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;
using viewmodel::AttachGpuView;
using viewmodel::AttachView;
using viewmodel::Table;

/// What is printed of a program, in order: ranges, then GPUs, then threads.
Findings findings_of(const AttachView& view, const AttachGpuView& gpu) {
  Findings findings{view.title, view.answer, {}, view.remarks};
  findings.answer.insert(findings.answer.end(), gpu.profile.answer.begin(), gpu.profile.answer.end());
  for (const Table* table : {&view.steps, &view.ranges, &gpu.profile.timelines, &gpu.phase_devices, &gpu.profile.phases,
                             &gpu.profile.families, &gpu.profile.kernels, &gpu.profile.counters, &gpu.sampled,
                             &gpu.sampled_devices, &gpu.host_times, &gpu.memory, &view.threads})
    if (!table->rows.empty()) findings.tables.push_back(table);
  findings.remarks.insert(findings.remarks.end(), gpu.remarks.begin(), gpu.remarks.end());
  return findings;
}

std::string head_of(const Findings& findings) {
  const ordered_json head = {{"schema", "dachlast.attach/1"}, {"command", findings.title}, {"answer", findings.answer}};
  return head.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string render_attached(const AttachView& view, const AttachGpuView& gpu, const CommonOptions& common) {
  const Findings findings = findings_of(view, gpu);
  switch (common.format) {
    case Format::kTable:
    case Format::kMarkdown: return render_findings(findings, common);
    case Format::kCsv: return reports::csv_table(gpu.profile.kernels.rows.empty() ? view.ranges : gpu.profile.kernels);
    case Format::kJson:
    case Format::kJsonl: return json_findings(head_of(findings), findings);
  }
  return {};
}

}  // namespace dachlast::cli

#include "core/import/nsys_trace.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/import/launch_links.h"
#include "core/import/name_table.h"
#include "core/import/step_ranges.h"
#include "core/store/nsys_export.h"

namespace dachlast {
namespace {

/// PyTorch's emit_nvtx appends a number to each call: "aten::linear, op_id = 314300".
std::string_view without_op_id(std::string_view text) {
  const std::size_t at = text.find(", op_id = ");
  return text.substr(0, at);
}

GpuWork work_of(const NsysGpuRow& row, const NameRules& rules) {
  if (row.kind == NsysGpuRow::Kind::kCopy) return GpuWork::kCopy;
  if (row.kind == NsysGpuRow::Kind::kFill) return GpuWork::kFill;
  return rules.family_of(row.name) == KernelFamily::kCommunication ? GpuWork::kCommunication : GpuWork::kKernel;
}

class NsysReader {
 public:
  NsysReader(const std::filesystem::path& file, const NameRules& rules) : file_(file), rules_(rules), export_(file) {}

  GpuTrace read() {
    trace_.format = "Nsight Systems trace";
    if (const std::string version = export_.product_version(); !version.empty()) trace_.format += " (" + version + ")";
    export_.for_each_gpu([&](std::int64_t index, const std::string& name) {
      trace_.devices.push_back({static_cast<std::int32_t>(index), name});
    });
    export_.for_each_range([&](const NsysRangeRow& row) { take_range(row); });
    nest();
    export_.for_each_gpu_row([&](const NsysGpuRow& row) { take_work(row); });
    if (trace_.events.empty())
      throw Error(ErrorKind::kInput, file_.string(), "holds no GPU work.",
                  "Record with `nsys profile --trace cuda,nvtx`.");
    trace_.remarks.push_back({"no_shapes", "Nsight Systems records no shapes, so no work can be counted."});
    trace_.steps = std::move(steps_).take();
    trace_.names = std::move(names_).take();
    return std::move(trace_);
  }

 private:
  void take_range(const NsysRangeRow& row) {
    const HostRange range{static_cast<std::uint64_t>(row.thread), row.start_ns, row.end_ns};
    if (auto step = rules_.step_of(row.text)) {
      steps_.add(*std::move(step), range);
    } else {
      ranges_.add(range, names_.index_of(without_op_id(row.text)));
    }
  }

  void nest() {
    ranges_.nest(trace_.host_ops);
    steps_.finish();
  }

  void take_work(const NsysGpuRow& row) {
    GpuEvent event;
    event.start_ns = row.start_ns;
    event.end_ns = row.end_ns;
    event.bytes = row.bytes;
    event.name = names_.index_of(row.name);
    event.device = static_cast<std::int32_t>(row.device);
    event.stream = static_cast<std::int32_t>(row.stream);
    event.work = work_of(row, rules_);
    event.launch = row.launch_ns ? Launch::kRecorded : Launch::kMissing;
    event.launch_ns = row.launch_ns;
    if (row.launch_ns && row.launch_thread) {
      const auto thread = static_cast<std::uint64_t>(*row.launch_thread);
      event.host_op = ranges_.innermost(thread, *row.launch_ns);
      event.step = steps_.around(thread, *row.launch_ns);
    }
    trace_.events.push_back(event);
  }

  std::filesystem::path file_;
  const NameRules& rules_;
  NsysExport export_;
  GpuTrace trace_;
  NameTable names_;
  NestedRanges ranges_;
  StepRanges steps_;
};

}  // namespace

GpuTrace read_nsys_trace(const std::filesystem::path& file, const NameRules& rules) {
  return NsysReader(file, rules).read();
}

}  // namespace dachlast

#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "app/cli/command.h"
#include "core/workbench/workbench.h"

namespace dachlast::cli {

/// Shows progress on stderr: one line that is rewritten on a terminal, one plain line per step elsewhere, JSON lines on
/// request.
class ProgressPrinter : public JobObserver {
 public:
  explicit ProgressPrinter(const CommonOptions& common);
  ~ProgressPrinter() override;
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  void began(const std::string& what, int index, int count) override;
  void point_finished(const Run& run, const MeasuredPoint& point) override;

  void remarked(const Remark& remark) override;

  /// A line that is not progress, in the language asked for: shown after clearing the progress line. Silent with --quiet.
  void note(const std::string& text);

 private:
  enum class Style { kLine, kPlain, kJson, kNone };
  static Style style_for(const CommonOptions& common);
  void clear_line();
  bool worth_a_line(int index, int count);

  const viewmodel::Words& words_;
  Style style_;
  Verbosity verbosity_;
  std::chrono::steady_clock::time_point start_;
  bool line_open_ = false;
  int last_tenth_ = -1;  // kPlain: of the step printed last
};

}  // namespace dachlast::cli

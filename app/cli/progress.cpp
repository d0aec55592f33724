#include "app/cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "app/cli/output.h"
#include "core/base/statistics.h"
#include "core/viewmodel/format.h"
#include "reports/json.h"

namespace dachlast::cli {
namespace {

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

double median_of(const MeasuredPoint& point) {
  return point.samples_s.empty() ? 0.0 : median(point.samples_s);
}

std::string point_line(const MeasuredPoint& point) {
  return fmt::format("{}, {} tokens, batch {}: {}", name_of(point.phase), viewmodel::format_count(point.context_tokens),
                     point.batch_size, viewmodel::format_time(Seconds{median_of(point)}));
}

}  // namespace

ProgressPrinter::Style ProgressPrinter::style_for(const CommonOptions& common) {
  if (common.verbosity == Verbosity::kQuiet) return Style::kNone;
  switch (common.progress) {
    case ProgressStyle::kPlain: return Style::kPlain;
    case ProgressStyle::kJson: return Style::kJson;
    case ProgressStyle::kNone: return Style::kNone;
    case ProgressStyle::kAuto: break;
  }
  return stderr_is_terminal() ? Style::kLine : Style::kPlain;
}

ProgressPrinter::ProgressPrinter(const CommonOptions& common)
    : words_(words_of(common)),
      style_(style_for(common)),
      verbosity_(common.verbosity),
      start_(std::chrono::steady_clock::now()) {}

ProgressPrinter::~ProgressPrinter() {
  clear_line();
}

/// A log keeps every step of a short list and about ten lines of a long one.
bool ProgressPrinter::worth_a_line(int index, int count) {
  constexpr int kLines = 10;
  if (count <= 2 * kLines) return true;
  const int tenth = index * kLines / count;
  return std::exchange(last_tenth_, tenth) != tenth;
}

void ProgressPrinter::clear_line() {
  if (line_open_) std::fputs("\r\033[K", stderr);
  line_open_ = false;
}

void ProgressPrinter::began(const std::string& what, int index, int count) {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  switch (style_) {
    case Style::kNone: return;
    case Style::kJson:
      fmt::print(stderr, "{{\"event\":\"began\",\"what\":{},\"index\":{},\"count\":{},\"elapsed_s\":{:.3f}}}\n",
                 reports::json_string(what), index, count, elapsed);
      return;
    case Style::kPlain:
      if (worth_a_line(index, count)) fmt::print(stderr, "[{}/{}] {}\n", index + 1, count, words_(what));
      return;
    case Style::kLine:
      fmt::print(stderr, "\r\033[K[{}/{}] {}  ({})", index + 1, count, words_(what),
                 words_(viewmodel::format_time(Seconds{elapsed}) + " elapsed"));
      std::fflush(stderr);
      line_open_ = true;
  }
}

void ProgressPrinter::point_finished(const Run& run, const MeasuredPoint& point) {
  if (style_ == Style::kNone) return;
  clear_line();
  if (style_ == Style::kJson)
    fmt::print(stderr, "{{\"event\":\"point\",\"done\":{},\"planned\":{},\"median_s\":{}}}\n", run.points.size(),
               run.planned_points, median_of(point));
  else
    fmt::print(stderr, "  {}\n", words_(point_line(point)));
}

void ProgressPrinter::remarked(const Remark& remark) {
  note(fmt::format("{}: {}", words_("note"), words_(remark.text)));
}

void ProgressPrinter::note(const std::string& text) {
  if (verbosity_ == Verbosity::kQuiet) return;
  clear_line();
  fmt::print(stderr, "{}\n", words_(text));
}

}  // namespace dachlast::cli

// What a person waits for at the window, offscreen with the real widgets: the first picture of a run file with a million spans, a
// frame of its timeline while zooming and panning, the answer while a slider is dragged.
//   QT_QPA_PLATFORM=offscreen dachlast_gui_bench [SPANS]
#include <fmt/core.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "app/gui/main_window.h"
#include "app/gui/run_reader.h"
#include "core/store/run_file.h"
#include "tests/support/sample_run.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast {
namespace {

constexpr int kSpans = 1'000'000;
constexpr int kOpsPerStep = 500;
constexpr int kFrames = 200;
constexpr int kLongestWaitMs = 60'000;

/// Steps of 500 operations each, 2 µs apart on average, as a decode step of a small model leaves them.
std::vector<trace::Span> many_spans(int n) {
  std::vector<trace::Span> spans;
  spans.reserve(static_cast<std::size_t>(n));
  std::int64_t now = 1'000'000;
  while (static_cast<int>(spans.size()) < n) {
    trace::Span step;
    step.zone = trace::ZoneKind::kStep;
    step.phase = Phase::kDecode;
    step.start_ns = now;
    for (int op = 0; op < kOpsPerStep; ++op) {
      trace::Span span = step;
      span.zone = trace::ZoneKind::kOp;
      span.op = static_cast<OpKind>(op % 14);
      span.layer = op / 20;
      span.start_ns = now + 200;
      span.end_ns = span.start_ns + 500 + 300 * (op % 9);
      span.cost = {Flops{1e6}, Bytes{1e5}, Bytes{1e4}, Bytes{}, Bytes{}};
      now = span.end_ns;
      spans.push_back(span);
    }
    step.end_ns = now;
    spans.push_back(step);
    now += 5'000;
  }
  return spans;
}

QString write_run(const QTemporaryDir& folder, int n_spans) {
  const QString path = folder.filePath(QStringLiteral("million.dachlast"));
  Run run = test::sample_run();
  RunWriter writer = RunWriter::create(path.toStdString(), run, IfExists::kRefuse, Timeline::kFull);
  for (const MeasuredPoint& point : run.points)
    writer.add_point(point, &point == &run.points.back() ? many_spans(n_spans) : std::vector<trace::Span>{});
  writer.finish();
  return path;
}

template <class Done>
void wait_for(Done done) {
  QElapsedTimer timer;
  timer.start();
  while (!done() && timer.elapsed() < kLongestWaitMs) QApplication::processEvents(QEventLoop::AllEvents, 5);
}

double milliseconds(const QElapsedTimer& timer) {
  return static_cast<double>(timer.nsecsElapsed()) * 1e-6;
}

void report(const char* what, std::vector<double> times_ms) {
  std::ranges::sort(times_ms);
  fmt::print("{:<44} median {:6.2f} ms, p95 {:6.2f} ms, most {:6.2f} ms\n", what, times_ms[times_ms.size() / 2],
             times_ms[times_ms.size() * 95 / 100], times_ms.back());
}

/// One frame: what the wheel asks for, and the painted result.
void time_frames(ui::TimelineView& view) {
  auto& chart = const_cast<ui::FigureView&>(view.chart());
  std::vector<double> times;
  QElapsedTimer timer;
  const auto frame = [&](const figure::Interval& window) {
    timer.start();
    view.setWindow(window);
    chart.repaint();
    times.push_back(milliseconds(timer));
  };
  for (int i = 0; i < kFrames; ++i) {  // out from one step to everything, then along it
    const double width = 1e6 * std::exp2(12.0 * i / kFrames);
    frame({-0.4 * width, 0.6 * width});
  }
  report("timeline, a frame while zooming out", times);
  times.clear();
  for (int i = 0; i < kFrames; ++i) frame({1e7 * i, 1e7 * i + 1e9});
  report("timeline, a frame while panning", times);
}

void time_scenarios(gui::MainWindow& window) {
  window.showPage(QStringLiteral("Memory"));
  auto& form = *window.findChild<ui::ScenarioForm*>();
  ui::ScenarioFields fields = form.fields();
  std::vector<double> times;
  std::vector<double> answers;
  std::vector<double> layouts;
  QElapsedTimer timer;
  for (int i = 0; i < kFrames; ++i) {
    fields.context_tokens = 1024 + 512 * i;
    timer.start();
    form.setFields(fields);
    Q_EMIT form.changed(fields);
    answers.push_back(milliseconds(timer));
    QApplication::sendPostedEvents();
    layouts.push_back(milliseconds(timer));
    window.repaint();
    times.push_back(milliseconds(timer));
  }
  report("answer and charts while dragging the context", times);
  report("  until it is planned", answers);
  report("  until it is laid out", layouts);
}

void time_opening(gui::MainWindow& window, const QString& path, int n_spans) {
  QElapsedTimer timer;
  timer.start();
  window.open(path);
  window.reader().waitForDone();
  window.repaint();
  fmt::print("{:<44} {:.0f} ms\n", fmt::format("first picture of a file of {} spans", n_spans), milliseconds(timer));
  window.showPage(QStringLiteral("Timeline"));
  auto& view = *window.findChild<ui::TimelineView*>();
  wait_for([&] { return view.hasContent(); });
  fmt::print("{:<44} {:.0f} ms\n", "its timeline, read in the background", milliseconds(timer));
  if (view.hasContent()) time_frames(view);
}

}  // namespace
}  // namespace dachlast

int main(int argc, char** argv) {
  QApplication app(argc, argv);
  const int n_spans = argc > 1 ? std::atoi(argv[1]) : dachlast::kSpans;
  const QTemporaryDir folder;
  const QString path = dachlast::write_run(folder, n_spans);
  dachlast::gui::MainWindow window;
  window.show();
  QApplication::processEvents();
  dachlast::time_opening(window, path, n_spans);
  dachlast::time_scenarios(window);
  return 0;
}

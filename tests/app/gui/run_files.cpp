#include "tests/app/gui/run_files.h"

#include "app/gui/main_window.h"
#include "app/gui/run_reader.h"
#include "core/store/run_file.h"
#include "tests/support/sample_run.h"

namespace dachlast::gui {

void open_in(MainWindow& window, const QString& path) {
  window.open(path);
  window.reader().waitForDone();
}

std::vector<trace::Span> two_spans() {
  trace::Span op;
  op.phase = Phase::kDecode;
  op.op = OpKind::kAttention;
  op.start_ns = 1'000;
  op.end_ns = 5'000;
  trace::Span step = op;
  step.zone = trace::ZoneKind::kStep;
  step.start_ns = 500;
  step.end_ns = 6'000;
  return {op, step};
}

QString write_run(const QString& path, const Run& run) {
  RunWriter writer = RunWriter::create(path.toStdString(), run, IfExists::kOverwrite);
  std::int64_t later_ns = 0;
  for (const MeasuredPoint& point : run.points) {
    std::vector<trace::Span> spans = two_spans();
    for (trace::Span& span : spans) {
      span.start_ns += later_ns;
      span.end_ns += later_ns;
    }
    writer.add_point(point, spans);
    later_ns += 10'000;
  }
  writer.finish();
  return path;
}

Run run_of_points(int n) {
  Run run = test::sample_run();
  const std::vector<MeasuredPoint> kinds = run.points;
  run.points.clear();
  for (int i = 0; i < n; ++i) {
    MeasuredPoint point = kinds[static_cast<std::size_t>(i) % kinds.size()];
    point.batch_size = 1 + i / static_cast<int>(kinds.size());
    run.points.push_back(std::move(point));
  }
  run.planned_points = n;
  return run;
}

}  // namespace dachlast::gui

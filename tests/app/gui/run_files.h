#pragma once

#include <QString>
#include <vector>

#include "core/roofline/run.h"
#include "core/trace/span.h"

namespace dachlast::gui {

class MainWindow;

/// Opens a file in a window and waits until it is there.
void open_in(MainWindow& window, const QString& path);

/// A decode step with one attention operation in it.
std::vector<trace::Span> two_spans();

/// Writes a run file, every point with `two_spans`, 10 µs after those of the point before; returns `path`.
QString write_run(const QString& path, const Run& run);

/// The sample run with `n` points, as a long measurement leaves it.
Run run_of_points(int n);

}  // namespace dachlast::gui

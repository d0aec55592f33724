#pragma once

#include <QObject>
#include <QString>
#include <functional>

namespace dachlast::gui {

/// Writes the recorded spans of a run file as a Chrome trace, in the background: a million of them are some hundred megabytes. `tell`
/// is called on the thread of `receiver` with where it went, or why not; never once `receiver` is gone.
void export_trace(QObject* receiver, const QString& run_file, const QString& path,
                  const std::function<void(const QString&)>& tell);

}  // namespace dachlast::gui

#include "app/gui/trace_export.h"

#include <QCoreApplication>
#include <QPointer>
#include <QThreadPool>

#include "app/gui/said_error.h"
#include "app/gui/saving.h"
#include "core/base/error.h"
#include "core/workbench/workbench.h"
#include "ui/paint/figure_painter.h"

namespace dachlast::gui {

void export_trace(QObject* receiver, const QString& run_file, const QString& path,
                  const std::function<void(const QString&)>& tell) {
  QThreadPool::globalInstance()->start([guard = QPointer(receiver), run_file, path, tell] {
    QString text;
    try {
      const std::string trace = chrome_trace_of(run_file.toStdString());
      text = write_file(path, QByteArray(trace.data(), static_cast<qsizetype>(trace.size())));
    } catch (const Error& error) {
      text = said_error(error);
    }
    // Only the window's thread may ask whether the receiver still lives.
    QMetaObject::invokeMethod(
        qApp,
        [guard, tell, text] {
          if (guard) tell(text);
        },
        Qt::QueuedConnection);
  });
}

}  // namespace dachlast::gui

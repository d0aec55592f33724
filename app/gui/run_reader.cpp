#include "app/gui/run_reader.h"

#include <QCoreApplication>
#include <QTimer>
#include <memory>

#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/workbench/workbench.h"

namespace dachlast::gui {
namespace {

constexpr int kSlowMs = 300;  // UX.md §2: below that nothing is shown

ReadRun read_run(const QString& file) {
  ReadRun read{.file = file};
  try {
    OpenedRun opened = open_run(file.toStdString());
    read.planned = memory_of(opened.run);
    read.run = std::move(opened.run);
    read.skipped = std::move(opened.skipped);
  } catch (const Error& error) {
    read.problem = said_error(error);
  }
  return read;
}

}  // namespace

RunReader::RunReader(QObject* parent) : QObject(parent) {
  pool_.setMaxThreadCount(1);
}

RunReader::~RunReader() {
  pool_.clear();
  pool_.waitForDone();
}

void RunReader::read(const QStringList& files, const Then& then) {
  ++n_orders_;
  const auto done = std::make_shared<bool>(false);
  if (!files.isEmpty())
    QTimer::singleShot(kSlowMs, this, [this, done, file = files.front()] {
      if (!*done) Q_EMIT slow(file);
    });
  pool_.start([this, files, then, done] {
    auto runs = std::make_shared<std::vector<ReadRun>>();
    for (const QString& file : files) runs->push_back(read_run(file));
    QMetaObject::invokeMethod(
        this,
        [this, runs, then, done] {
          *done = true;
          then(std::move(*runs));
          --n_orders_;
        },
        Qt::QueuedConnection);
  });
}

void RunReader::waitForDone() {
  while (reading()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
}

}  // namespace dachlast::gui

#include "app/gui/timeline_loader.h"

#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/workbench/workbench.h"

namespace dachlast::gui {

TimelineLoader::TimelineLoader(QObject* parent) : QObject(parent) {
  pool_.setMaxThreadCount(1);
}

TimelineLoader::~TimelineLoader() {
  pool_.clear();
  pool_.waitForDone();
}

void TimelineLoader::request(const QString& file) {
  if (found_.contains(file) || reading_.contains(file)) return;
  reading_ << file;
  pool_.start([this, file] {
    TimelinePtr timeline;
    QString problem;
    try {
      timeline = std::make_shared<const viewmodel::Timeline>(timeline_of(file.toStdString()));
    } catch (const Error& error) {
      problem = said_error(error);
    }
    QMetaObject::invokeMethod(
        this, [this, file, timeline, problem] { settle(file, timeline, problem); }, Qt::QueuedConnection);
  });
}

void TimelineLoader::settle(const QString& file, TimelinePtr timeline, const QString& problem) {
  if (!reading_.removeOne(file)) return;  // forgotten meanwhile
  if (!timeline) {
    Q_EMIT failed(file, problem);
    return;
  }
  found_[file] = std::move(timeline);
  Q_EMIT loaded(file);
}

void TimelineLoader::keepOnly(const QStringList& files) {
  found_.removeIf([&](const auto& entry) { return !files.contains(entry.key()); });
  reading_.removeIf([&](const QString& file) { return !files.contains(file); });
}

}  // namespace dachlast::gui

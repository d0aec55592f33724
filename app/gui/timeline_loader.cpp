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
    const Read read = readFile(file);
    QMetaObject::invokeMethod(
        this, [this, file, read] { settle(file, read); }, Qt::QueuedConnection);
  });
}

TimelineLoader::Read TimelineLoader::readFile(const QString& file) {
  Read read;
  try {
    if (is_recording(file.toStdString())) {
      read.recording = std::make_shared<const OpenedRecording>(open_recording(file.toStdString()));
      read.timeline = std::make_shared<const viewmodel::Timeline>(timeline_of(*read.recording));
    } else {
      read.timeline = std::make_shared<const viewmodel::Timeline>(timeline_of(file.toStdString()));
    }
  } catch (const Error& error) {
    read.problem = said_error(error);
  }
  return read;
}

void TimelineLoader::settle(const QString& file, const Read& read) {
  if (!reading_.removeOne(file)) return;  // forgotten meanwhile
  if (!read.timeline) {
    Q_EMIT failed(file, read.problem);
    return;
  }
  found_[file] = read.timeline;
  if (read.recording) recordings_[file] = read.recording;
  Q_EMIT loaded(file);
}

void TimelineLoader::keepOnly(const QStringList& files) {
  found_.removeIf([&](const auto& entry) { return !files.contains(entry.key()); });
  recordings_.removeIf([&](const auto& entry) { return !files.contains(entry.key()); });
  reading_.removeIf([&](const QString& file) { return !files.contains(file); });
}

}  // namespace dachlast::gui

#pragma once

#include <QHash>
#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <memory>

#include "core/viewmodel/timeline.h"
#include "core/workbench/recording.h"

namespace dachlast::gui {

/// Reads the spans of run files, and recordings, in the background, once a file: a million of them take about a second.
/// Threads  lives on the GUI thread; its pool only reads.
class TimelineLoader : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(TimelineLoader)

 public:
  using TimelinePtr = std::shared_ptr<const viewmodel::Timeline>;

  using RecordingPtr = std::shared_ptr<const OpenedRecording>;

  explicit TimelineLoader(QObject* parent = nullptr);
  ~TimelineLoader() override;

  /// The timeline of a file where it was read already; nullptr where it was not.
  TimelinePtr found(const QString& file) const { return found_.value(file); }
  /// What a file that was read holds beside its timeline; nullptr where it is no recording.
  RecordingPtr recording(const QString& file) const { return recordings_.value(file); }
  /// Reads it and tells `loaded` or `failed`; does nothing where that is under way or done.
  void request(const QString& file);
  /// Forgets all other files: those that were closed.
  void keepOnly(const QStringList& files);

 Q_SIGNALS:
  void loaded(const QString& file);
  void failed(const QString& file, const QString& reason);

 private:
  /// What was made of a file.
  struct Read {
    TimelinePtr timeline;
    RecordingPtr recording;
    QString problem;
  };
  void settle(const QString& file, const Read& read);
  static Read readFile(const QString& file);

  QHash<QString, TimelinePtr> found_;
  QHash<QString, RecordingPtr> recordings_;
  QList<QString> reading_;
  QThreadPool pool_;
};

}  // namespace dachlast::gui

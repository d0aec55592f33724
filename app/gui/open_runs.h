#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <optional>
#include <vector>

#include "core/figure/figure.h"
#include "core/memory/memory_model.h"
#include "core/roofline/run.h"
#include "core/workbench/listed_roofs.h"

namespace dachlast::gui {

/// A run file that is open, and what the reader calls it.
struct OpenRun {
  QString file;
  QString name;
  QString note;
  std::shared_ptr<const Run> run;      // as the reader wants it judged
  std::shared_ptr<const Run> as_read;  // as it lies in its file
  std::vector<MemorySegment> planned;  // memory of its largest point, where its model is known
  int slot = 0;                        // gives it its colour and shape for as long as it is open

  figure::Role role() const;
  figure::MarkerShape shape() const;
};

/// How a reader wants runs judged; measurements stay what they are.
struct Judging {
  std::optional<double> threshold = {};  // utilisation that names a bound; empty: what each run says
  RoofSource roofs = RoofSource::kMeasured;

  bool operator==(const Judging&) const = default;
};

/// The runs that are open, which one the pages show and which one is the baseline. Measurements are never changed.
class OpenRuns : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  /// Adds a run and shows it; a file that is open already is replaced. The first run becomes nobody's baseline: a comparison
  /// begins with the second.
  void add(const QString& file, Run run, std::vector<MemorySegment> planned = {});
  void close(int index);
  void setCurrent(int index);
  /// −1: none.
  void setBaseline(int index);
  void rename(int index, const QString& name);
  void setNote(int index, const QString& note);
  /// Judges every run anew. Nothing is measured anew.
  void setJudging(const Judging& judging);

  const std::vector<OpenRun>& runs() const { return runs_; }
  int current() const { return current_; }
  int baseline() const { return baseline_; }
  /// nullptr where nothing is open.
  const OpenRun* shown() const { return at(current_); }
  /// nullptr where no baseline is set.
  const OpenRun* base() const { return at(baseline_); }
  /// The baseline's place in a comparison of everything that is open: the one set, else the run opened first.
  int effectiveBaseline() const;

 Q_SIGNALS:
  /// Runs, names, notes or the baseline changed.
  void changed();
  /// Another run is shown, or none.
  void currentChanged();

 private:
  const OpenRun* at(int index) const;
  std::shared_ptr<const Run> judged(const Run& run) const;
  int freeSlot() const;
  bool valid(int index) const { return index >= 0 && index < static_cast<int>(runs_.size()); }

  std::vector<OpenRun> runs_;
  Judging judging_;
  int current_ = -1;
  int baseline_ = -1;
};

}  // namespace dachlast::gui

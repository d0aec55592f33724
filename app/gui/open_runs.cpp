#include "app/gui/open_runs.h"

#include <QFileInfo>
#include <algorithm>

namespace dachlast::gui {
namespace {

constexpr int kColours = 6;  // Role::kSeries1 … kSeries6

}  // namespace

figure::Role OpenRun::role() const {
  return static_cast<figure::Role>(static_cast<int>(figure::Role::kSeries1) + slot % kColours);
}

// Two shapes, so that colours that repeat stay apart.
figure::MarkerShape OpenRun::shape() const {
  return slot % 2 == 0 ? figure::MarkerShape::kCircle : figure::MarkerShape::kSquare;
}

const OpenRun* OpenRuns::at(int index) const {
  return valid(index) ? &runs_[static_cast<std::size_t>(index)] : nullptr;
}

int OpenRuns::freeSlot() const {
  int slot = 0;
  while (std::ranges::any_of(runs_, [&](const OpenRun& run) { return run.slot == slot; })) ++slot;
  return slot;
}

int OpenRuns::effectiveBaseline() const {
  if (valid(baseline_)) return baseline_;
  return runs_.empty() ? -1 : 0;
}

void OpenRuns::add(const QString& file, Run run, std::vector<MemorySegment> planned) {
  const auto open = std::ranges::find(runs_, file, &OpenRun::file);
  auto as_read = std::make_shared<const Run>(std::move(run));
  auto shown = judged(*as_read);
  if (open != runs_.end()) {
    open->run = std::move(shown);
    open->as_read = std::move(as_read);
    open->planned = std::move(planned);
    current_ = static_cast<int>(open - runs_.begin());
  } else {
    runs_.push_back({file,
                     QFileInfo(file).completeBaseName(),
                     {},
                     std::move(shown),
                     std::move(as_read),
                     std::move(planned),
                     freeSlot()});
    current_ = static_cast<int>(runs_.size()) - 1;
  }
  Q_EMIT changed();
  Q_EMIT currentChanged();
}

std::shared_ptr<const Run> OpenRuns::judged(const Run& run) const {
  Run judged = held_against(run, judging_.roofs);
  judged.bound_threshold = judging_.threshold.value_or(run.bound_threshold);
  return std::make_shared<const Run>(std::move(judged));
}

void OpenRuns::setJudging(const Judging& judging) {
  if (judging == judging_) return;
  judging_ = judging;
  for (OpenRun& open : runs_) open.run = judged(*open.as_read);
  if (runs_.empty()) return;
  Q_EMIT changed();
  Q_EMIT currentChanged();
}

void OpenRuns::close(int index) {
  if (!valid(index)) return;
  runs_.erase(runs_.begin() + index);
  const auto moved = [&](int place) { return place == index ? -1 : place - (place > index ? 1 : 0); };
  baseline_ = moved(baseline_);
  const bool shown = current_ == index;
  current_ = shown ? std::min(index, static_cast<int>(runs_.size()) - 1) : moved(current_);
  Q_EMIT changed();
  if (shown) Q_EMIT currentChanged();
}

void OpenRuns::setCurrent(int index) {
  if (!valid(index) || index == current_) return;
  current_ = index;
  Q_EMIT changed();
  Q_EMIT currentChanged();
}

void OpenRuns::setBaseline(int index) {
  if (index == baseline_ || (index != -1 && !valid(index))) return;
  baseline_ = index;
  Q_EMIT changed();
}

void OpenRuns::rename(int index, const QString& name) {
  if (!valid(index)) return;
  runs_[static_cast<std::size_t>(index)].name = name;
  Q_EMIT changed();
}

void OpenRuns::setNote(int index, const QString& note) {
  if (!valid(index)) return;
  runs_[static_cast<std::size_t>(index)].note = note;
  Q_EMIT changed();
}

}  // namespace dachlast::gui

#include "app/gui/recording_presenter.h"

#include <QFileInfo>
#include <QUndoStack>
#include <algorithm>
#include <utility>

#include "app/gui/edit.h"
#include "ui/views/kv_cache_page.h"
#include "ui/views/overview_view.h"
#include "ui/views/roofline_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/chip_bar.h"
#include "ui/words.h"

namespace dachlast::gui {

RecordingPresenter::RecordingPresenter(const RunPages& pages, QUndoStack& edits, QObject* parent)
    : QObject(parent), pages_(pages), edits_(edits) {
  pool_.setMaxThreadCount(1);
  connect(&pages_.timeline, &ui::TimelineView::deviceChosen, this, &RecordingPresenter::showDevice);
}

RecordingPresenter::~RecordingPresenter() {
  pool_.clear();
  pool_.waitForDone();
}

void RecordingPresenter::showText(const QString& text) {
  pages_.overview.showError(text);
  pages_.roofline.showError(text);
  pages_.kv_cache.setRun(nullptr);
  Q_EMIT kernelsShown({});
}

void RecordingPresenter::show(const QString& file, RecordingPtr recording, const viewmodel::RecordedGpu& gpu) {
  if (recording_ == recording) return;
  file_ = file;
  recording_ = std::move(recording);
  origin_ns_ = gpu.origin_ns;
  if (recording_->of_host)
    return showText(tr("The attached program did no work on a GPU that was recorded: only its timeline is known."));
  QStringList devices;
  int shown = 0;
  for (const viewmodel::RecordedDevice& device : viewmodel::devices_of(recording_->trace)) {
    if (device.device == gpu.device) shown = static_cast<int>(devices.size());
    devices << ui::said(device.name);
  }
  pages_.timeline.setDevices(devices, shown);
  setFilter({});
}

void RecordingPresenter::leave() {
  ++generation_;
  ++device_generation_;
  pages_.timeline.setDevices({}, -1);
  file_.clear();
  recording_.reset();
  range_.reset();
  view_ = {};
}

/// A range that was brushed holds on: it is one of the recording, not of a GPU.
void RecordingPresenter::showDevice(int index) {
  if (!recording_) return;
  const int generation = ++device_generation_;
  pool_.start([this, generation, recording = recording_, index] {
    if (generation != device_generation_) return;
    const auto devices = viewmodel::devices_of(recording->trace);
    const auto made = std::make_shared<const viewmodel::Timeline>(
        timeline_of(*recording, devices.at(static_cast<std::size_t>(index)).device));
    QMetaObject::invokeMethod(
        this,
        [this, generation, made] {
          if (generation != device_generation_) return;
          origin_ns_ = made->gpu->origin_ns;
          pages_.timeline.setTimeline(QFileInfo(file_).fileName(), made);
        },
        Qt::QueuedConnection);
  });
}

void RecordingPresenter::filterByRange(const viewmodel::TimelineRange& range) {
  if (!recording_ || recording_->of_host) return;  // statistics are all there is
  const auto from = static_cast<std::int64_t>(range.window_ns.lo);
  const auto to = std::max(static_cast<std::int64_t>(range.window_ns.hi), from + 1);
  changeFilter(tr("Filter"),
               {.range = TraceRange{origin_ns_ + from, origin_ns_ + to},
                .text = tr("Timeline range: %n kernel(s) begin there", nullptr, static_cast<int>(range.n_events))});
}

void RecordingPresenter::removeRange() {
  if (recording_ && range_) changeFilter(tr("Remove filter"), {});
}

void RecordingPresenter::changeFilter(const QString& what, const Filter& filter) {
  // Of a recording that was left meanwhile there is nothing to take back.
  const auto set = [this, file = file_](const Filter& wanted) {
    if (recording_ && file == file_) setFilter(wanted);
  };
  edits_.push(new Edit(
      what, [set, filter] { set(filter); }, [set, before = Filter{range_, range_text_}] { set(before); }));
}

void RecordingPresenter::setFilter(const Filter& filter) {
  range_ = filter.range;
  range_text_ = filter.text;
  QList<ui::ChipBar::Chip> chips;
  if (range_) chips << ui::ChipBar::Chip{QStringLiteral("range"), range_text_};
  pages_.chips.setChips(chips);
  const int generation = ++generation_;
  if (!range_) {
    pages_.timeline.clearBrush();
    showView(recording_->whole);
    return;
  }
  pool_.start([this, generation, recording = recording_, range = *range_] {
    if (generation != generation_) return;  // a newer one waits behind it
    auto made = std::make_shared<viewmodel::RecordingView>(view_of(*recording, range));
    QMetaObject::invokeMethod(
        this,
        [this, generation, made] {
          if (generation == generation_) showView(*made);
        },
        Qt::QueuedConnection);
  });
}

void RecordingPresenter::showView(const viewmodel::RecordingView& view) {
  view_ = view;
  QStringList facts;
  if (range_) facts << range_text_;
  if (view_.options.device && !view_.summary.roofs_line.empty()) facts << ui::said(view_.summary.roofs_line);
  pages_.overview.setRecording(view_.summary, facts);
  pages_.kv_cache.setRun(nullptr);
  showRoofline();
  Q_EMIT kernelsShown(view_.kernels);
}

void RecordingPresenter::showRoofline() {
  if (!recording_ || recording_->of_host) return;
  const std::string reason = viewmodel::why_no_roofline(recording_->whole.profile, view_.options);
  if (!reason.empty()) return pages_.roofline.showError(ui::said(reason));
  if (const auto made = viewmodel::recording_roofline(view_.profile, view_.options, pages_.roofline.coverage()))
    pages_.roofline.setRecording(made->plot, made->table, pages_.overview.answer());
}

}  // namespace dachlast::gui

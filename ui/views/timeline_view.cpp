#include "ui/views/timeline_view.h"

#include <QAction>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kLeastPointLetters = 24;  // "Decode, 512 tokens, batc"
constexpr int kRangeHeight = 74;        // a head and one row

/// The step of the baseline to hold beside one: of the point of the same name, the same step or its last.
int twin_step(const viewmodel::Timeline& timeline, int step, const viewmodel::Timeline& base) {
  for (const auto& point : timeline.points) {
    if (step < point.first_step || step >= point.first_step + point.n_steps) continue;
    for (const auto& other : base.points)
      if (other.heading == point.heading && other.n_steps > 0)
        return other.first_step + std::min(step - point.first_step, other.n_steps - 1);
  }
  return -1;
}

}  // namespace

TimelineView::TimelineView(QWidget* parent)
    : Page(tr("Timeline was not recorded."), tr("Measure with timeline"), parent),
      points_(new QComboBox),
      before_(new QToolButton),
      after_(new QToolButton),
      head_(makeHead()),
      devices_(new QComboBox),
      devices_head_(makeDevices()),
      chart_(new FigureView),
      sentence_(sentence_label()),
      missing_(sentence_label()),
      statistics_(new DataTable) {
  auto* heads = new QHBoxLayout;
  heads->addWidget(head_, 1);
  heads->addWidget(devices_head_);
  body()->addLayout(heads);
  devices_head_->hide();
  body()->addWidget(chart_, 1);
  body()->addWidget(missing_);
  body()->addWidget(sentence_);
  body()->addWidget(statistics_);
  statistics_->setFixedHeight(kRangeHeight);
  chart_->setGestures(FigureView::Brush::kRange, FigureView::Zoom::kX);
  connect(chart_, &FigureView::windowRequested, this,
          [this](const FigureView::Window& window) { setWindow(window.x); });
  connect(chart_, &FigureView::resetRequested, this, [this] { frameStep(step_); });
  connect(chart_, &FigureView::windowBrushed, this, &TimelineView::chooseRange);
  connect(chart_, &FigureView::brushCleared, this, [this] {
    clearBrush();
    Q_EMIT rangeCleared();
  });
  connect(chart_, &FigureView::datumSelected, this, [this](const QString& event) {
    if (timeline_) Q_EMIT selected(to_qt(viewmodel::op_datum_of(*timeline_, event.toStdString())));
  });
  auto* trace = new QAction(tr("Save as Chrome trace…"), chart_);
  connect(trace, &QAction::triggered, this, &TimelineView::traceRequested);
  chart_->addAction(trace);
  clearBrush();
}

QWidget* TimelineView::makeHead() {
  auto* head = new QWidget;
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(0, 0, 0, 0);
  auto* label = new QLabel(tr("&Step of"));
  label->setBuddy(points_);
  points_->setAccessibleName(tr("Measured point"));
  before_->setText(tr("‹ Previous step"));
  after_->setText(tr("Next step ›"));
  points_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  points_->setMinimumContentsLength(kLeastPointLetters);
  points_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  row->addWidget(label);
  row->addWidget(points_, 1);
  row->addWidget(before_);
  row->addWidget(after_);
  connect(points_, &QComboBox::activated, this, [this](int index) {
    if (timeline_) frameStep(timeline_->points[static_cast<std::size_t>(index)].first_step);
  });
  connect(before_, &QToolButton::clicked, this, [this] { goTo(step_ - 1); });
  connect(after_, &QToolButton::clicked, this, [this] { goTo(step_ + 1); });
  return head;
}

QWidget* TimelineView::makeDevices() {
  auto* head = new QWidget;
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(0, 0, 0, 0);
  auto* label = new QLabel(tr("GP&U shown"));
  label->setBuddy(devices_);
  devices_->setAccessibleName(tr("GPU shown"));
  row->addWidget(label);
  row->addWidget(devices_);
  connect(devices_, &QComboBox::activated, this, &TimelineView::deviceChosen);
  return head;
}

void TimelineView::setDevices(const QStringList& names, int shown) {
  const QSignalBlocker blocker(devices_);
  devices_->clear();
  devices_->addItems(names);
  devices_->setCurrentIndex(shown);
  devices_head_->setVisible(names.size() > 1);
}

void TimelineView::showLoading(const QString& text) {
  timeline_.reset();
  showError(text);
}

void TimelineView::fillPoints() {
  const QSignalBlocker blocker(points_);
  points_->clear();
  for (const auto& point : timeline_->points)
    points_->addItem(tr("%1 (%2 of %n step(s) recorded)", nullptr, point.n_steps_measured)
                         .arg(said(point.heading))
                         .arg(point.n_steps));
}

void TimelineView::setTimeline(const QString& name, TimelinePtr timeline) {
  name_ = name;
  timeline_ = std::move(timeline);
  clearBrush();
  if (!timeline_ || timeline_->empty()) return showEmpty();
  fillPoints();
  head_->setVisible(!timeline_->points.empty());
  QStringList missing;
  for (const std::string& row : viewmodel::missing_rows(*timeline_)) missing << said(row);
  missing_->setText(missing.join(QStringLiteral("\n")));
  missing_->setVisible(!missing.isEmpty());
  const figure::Interval framed = viewmodel::first_window(*timeline_);
  const int step = timeline_->steps.first_from(static_cast<std::int64_t>(framed.lo));
  showContent();
  frameStep(std::min(step, timeline_->steps.size() - 1));
}

void TimelineView::setBaseline(const QString& name, TimelinePtr timeline) {
  base_name_ = name;
  const bool other = base_ != timeline;
  base_ = std::move(timeline);
  if (!timeline_) return;
  if (other && framed_) return frameStep(step_);
  draw();
}

void TimelineView::setFilters(const std::vector<viewmodel::OpFilter>& filters) {
  filters_ = filters;
  if (timeline_) draw();
}

void TimelineView::goTo(int step) {
  if (timeline_ && step >= 0 && step < timeline_->steps.size()) frameStep(step);
}

figure::Interval TimelineView::frameOf(int step) const {
  if (step < 0) return viewmodel::first_window(*timeline_);  // operations without steps around them
  figure::Interval window = viewmodel::step_window(*timeline_, step);
  const int twin = base_ ? twin_step(*timeline_, step, *base_) : -1;
  if (twin < 0) return window;
  const figure::Interval base = viewmodel::step_window(*base_, twin);
  const auto from_start = static_cast<double>(timeline_->steps.start_ns(step) - base_->steps.start_ns(twin));
  return {window.lo, std::max(window.hi, base.hi + from_start)};
}

void TimelineView::frameStep(int step) {
  if (!timeline_) return;
  step_ = step;
  const QSignalBlocker blocker(points_);
  for (std::size_t i = 0; i < timeline_->points.size(); ++i) {
    const auto& point = timeline_->points[i];
    if (step >= point.first_step && step < point.first_step + point.n_steps)
      points_->setCurrentIndex(static_cast<int>(i));
  }
  before_->setEnabled(step > 0);
  after_->setEnabled(step + 1 < timeline_->steps.size());
  const bool whole = step < 0;
  const figure::Interval window = frameOf(step);
  const double origin = whole ? 0.0 : static_cast<double>(timeline_->steps.start_ns(step));
  const figure::Interval exact =
      whole ? window : figure::Interval{origin, static_cast<double>(timeline_->steps.end_ns(step))};
  const viewmodel::TimelineRange range = viewmodel::describe_range(*timeline_, exact);
  setAnswer(said(range.sentence));
  setWindow({window.lo - origin, window.hi - origin});
  framed_ = true;
}

void TimelineView::setWindow(const figure::Interval& window_ns) {
  if (!timeline_) return;
  const double origin = step_ < 0 ? 0.0 : static_cast<double>(timeline_->steps.start_ns(step_));
  const figure::Interval kept = viewmodel::clamped_window(*timeline_, {window_ns.lo + origin, window_ns.hi + origin});
  window_ = {kept.lo - origin, kept.hi - origin};
  framed_ = false;
  draw();
}

void TimelineView::draw() {
  if (!timeline_ || timeline_->empty()) return;
  const auto origin_of = [](const viewmodel::Timeline& timeline, int step) {
    return step < 0 ? 0 : timeline.steps.start_ns(step);
  };
  const int twin = base_ ? twin_step(*timeline_, step_, *base_) : -1;
  // By value: the chart may be asked for its picture after another run took this one's place.
  const auto facts = [run = timeline_, base = twin < 0 ? nullptr : base_](const std::string& event) {
    std::vector<viewmodel::TimelineStrip> strips{{{}, run.get(), 0}};
    if (base) strips.push_back({{}, base.get(), 0});
    return viewmodel::event_facts(strips, event);
  };
  const auto source = [run = timeline_, base = twin < 0 ? nullptr : base_, window = window_, filters = filters_,
                       name = twin < 0 ? std::string() : name_.toStdString(),
                       base_name = tr("Baseline %1").arg(base_name_).toStdString(),
                       origin = origin_of(*timeline_, step_),
                       base_origin = twin < 0 ? 0 : base_->steps.start_ns(twin)](figure::Size size) {
    std::vector<viewmodel::TimelineStrip> strips{{name, run.get(), origin}};
    if (base) strips.push_back({base_name, base.get(), base_origin});
    return viewmodel::timeline_figure(strips, window, filters, size, "timeline");
  };
  chart_->setFacts(facts);
  chart_->setData([run = timeline_, window = window_, origin = origin_of(*timeline_, step_)] {
    const auto zero = static_cast<double>(origin);
    return viewmodel::events_table(*run, {window.lo + zero, window.hi + zero}, origin);
  });
  chart_->setSource(source);
}

void TimelineView::chooseRange(const FigureView::Window& window) {
  if (!timeline_) return;
  const double origin = step_ < 0 ? 0.0 : static_cast<double>(timeline_->steps.start_ns(step_));
  const viewmodel::TimelineRange range =
      viewmodel::describe_range(*timeline_, {window.x.lo + origin, window.x.hi + origin});
  sentence_->setText(said(range.sentence));
  statistics_->setTable(range.statistics);
  sentence_->show();
  statistics_->show();
  Q_EMIT rangeChosen(range);
}

void TimelineView::clearBrush() {
  chart_->setBrushed(std::nullopt);
  sentence_->setText(
      tr("Wheel: zoom. Drag: statistics of a range. Middle drag or Space and drag: pan. Double-click: the step."));
  statistics_->hide();
}

}  // namespace dachlast::ui

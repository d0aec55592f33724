#include "ui/views/roofline_view.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSlider>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"

namespace dachlast::ui {
namespace {

// Of the time of a step, in percent.
constexpr int kLeastCovered = 10;
constexpr int kUsuallyCovered = 95;
constexpr int kAllCovered = 100;
constexpr int kSliderWidth = 240;

}  // namespace

RooflineView::RooflineView(QWidget* parent)
    : Page(tr("No run open."), tr("Open…"), parent),
      chart_(new FigureView),
      coverage_(new QSlider(Qt::Horizontal)),
      covered_(new QLabel),
      table_(new DataTable) {
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(chart_);
  rows->addWidget(table_);
  rows->setStretchFactor(0, 3);
  rows->setStretchFactor(1, 1);
  rows->setChildrenCollapsible(false);
  body()->addWidget(makeCoverage());
  body()->addWidget(rows, 1);
  chart_->setGestures(FigureView::Brush::kBox, FigureView::Zoom::kBoth);

  connect(chart_, &FigureView::datumSelected, this, &RooflineView::selected);
  connect(chart_, &FigureView::windowBrushed, this, &RooflineView::brushed);
  connect(chart_, &FigureView::brushCleared, this, &RooflineView::brushCleared);
  connect(chart_, &FigureView::windowRequested, this, [this](const FigureView::Window& window) {
    window_ = window;
    draw();
  });
  connect(chart_, &FigureView::resetRequested, this, [this] {
    window_.reset();
    draw();
  });
  connect(table_, &DataTable::rowSelected, this, [this](int row) {
    if (row >= 0 && row < static_cast<int>(datums_.size())) Q_EMIT selected(datums_[static_cast<std::size_t>(row)]);
  });
}

QWidget* RooflineView::makeCoverage() {
  auto* head = new QWidget;
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(0, 0, 0, 0);
  coverage_->setRange(kLeastCovered, kAllCovered);
  coverage_->setAccessibleName(tr("Share of the time that the operations shown cover"));
  coverage_->setMaximumWidth(kSliderWidth);
  covered_->setBuddy(coverage_);
  const auto say = [this] { covered_->setText(tr("&Operations covering %1 % of the time").arg(coverage_->value())); };
  connect(coverage_, &QSlider::valueChanged, this, [this, say] {
    say();
    Q_EMIT coverageChanged();
  });
  coverage_->setValue(kUsuallyCovered);
  say();
  row->addWidget(covered_);
  row->addWidget(coverage_, 1);
  row->addStretch();
  return head;
}

double RooflineView::coverage() const {
  return coverage_->value() / 100.0;
}

void RooflineView::setCoverage(double share) {
  coverage_->setValue(qRound(100.0 * share));
}

void RooflineView::setPlot(const viewmodel::RooflinePlot& plot, const QString& answer) {
  chart_->setGestures(FigureView::Brush::kBox, FigureView::Zoom::kBoth);
  fill(plot, viewmodel::roofline_table(plot), answer);
}

void RooflineView::setRecording(const viewmodel::RooflinePlot& plot, const viewmodel::Table& table,
                                const QString& answer) {
  chart_->setGestures(FigureView::Brush::kNone, FigureView::Zoom::kBoth);
  clearBrush();
  fill(plot, table, answer);
}

void RooflineView::fill(const viewmodel::RooflinePlot& plot, const viewmodel::Table& table, const QString& answer) {
  setAnswer(answer);
  plot_ = plot;
  datums_.clear();
  for (const auto& point : plot.points) datums_.push_back(to_qt(point.datum));
  draw();
  chart_->setTable([table] { return table; });
  chart_->setData([table, plot] { return viewmodel::with_roofs(table, plot); });
  table_->setTable(table);
  showContent();
}

void RooflineView::draw() {
  viewmodel::RooflinePlot shown = plot_;
  if (window_) {
    shown.x = window_->x;
    shown.y = window_->y;
  }
  chart_->setSource([shown](figure::Size size) { return viewmodel::roofline_figure(shown, size, "roofline"); });
}

void RooflineView::setSelected(const QString& datum) {
  chart_->setSelected(datum);
  const auto row = std::find(datums_.begin(), datums_.end(), datum);
  table_->selectRow(row == datums_.end() ? -1 : static_cast<int>(row - datums_.begin()));
}

void RooflineView::clearBrush() {
  chart_->setBrushed(std::nullopt);
}

}  // namespace dachlast::ui

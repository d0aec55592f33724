#include "ui/views/roofline_view.h"

#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"

namespace dachlast::ui {

RooflineView::RooflineView(QWidget* parent)
    : Page(tr("No run open."), tr("Open…"), parent), chart_(new FigureView), table_(new DataTable) {
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(chart_);
  rows->addWidget(table_);
  rows->setStretchFactor(0, 3);
  rows->setStretchFactor(1, 1);
  rows->setChildrenCollapsible(false);
  body()->addWidget(rows, 1);

  connect(chart_, &FigureView::datumSelected, this, [this](const QString& datum) {
    const auto row = std::find(datums_.begin(), datums_.end(), datum);
    table_->selectRow(row == datums_.end() ? -1 : static_cast<int>(row - datums_.begin()));
  });
  connect(table_, &DataTable::rowSelected, this, [this](int row) {
    if (row >= 0 && row < static_cast<int>(datums_.size())) chart_->setSelected(datums_[static_cast<std::size_t>(row)]);
  });
  connect(chart_, &FigureView::saveRequested, this, &RooflineView::saveRequested);
}

void RooflineView::setPlot(const viewmodel::RooflinePlot& plot, const QString& answer) {
  setAnswer(answer);
  datums_.clear();
  for (const auto& point : plot.points) datums_.push_back(to_qt(point.datum));
  chart_->setSource([plot](figure::Size size) { return viewmodel::roofline_figure(plot, size, "roofline"); });
  table_->setTable(viewmodel::roofline_table(plot));
  showContent();
}

}  // namespace dachlast::ui

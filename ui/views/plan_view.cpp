#include "ui/views/plan_view.h"

#include <QComboBox>
#include <QGraphicsOpacityEffect>
#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>

#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr double kStaleOpacity = 0.45;
// Bar and table beside the two charts over context, whose axes begin at one height so.
constexpr int kNarrow = 400;
constexpr int kWide = 520;
constexpr int kLeastBar = 250;         // segments and their labels
constexpr int kLeastPlanHeight = 520;  // two rows of charts that can be read

/// A label lays itself out anew even for the same words.
void show_text(QLabel& label, const QString& text) {
  if (label.text() != text) label.setText(text);
}

}  // namespace

PlanView::PlanView(QWidget* parent)
    : Page(tr("Choose a model to see what it needs."), tr("Choose model"), parent),
      subject_(sentence_label()),
      lines_(sentence_label()),
      remarks_(sentence_label()),
      bar_(new FigureView),
      contexts_(new FigureView),
      heatmap_(new FigureView),
      heatmap_value_(new QComboBox),
      table_(new DataTable) {
  auto* charts = new QSplitter(Qt::Horizontal);
  bar_->setMinimumWidth(kLeastBar);
  charts->addWidget(bar_);
  charts->addWidget(contexts_);
  auto* evidence = new QSplitter(Qt::Horizontal);
  evidence->addWidget(table_);
  auto* map = new QWidget;
  auto* column = new QVBoxLayout(map);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(2);
  heatmap_value_->addItems({tr("Memory: share of the budget"), tr("Predicted TPOT"), tr("Predicted throughput")});
  heatmap_value_->setAccessibleName(tr("What the heatmap shows"));
  column->addWidget(heatmap_value_, 0, Qt::AlignRight);
  column->addWidget(heatmap_, 1);
  connect(heatmap_value_, &QComboBox::currentIndexChanged, this, &PlanView::heatmapValueChanged);
  evidence->addWidget(map);
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(charts);
  rows->addWidget(evidence);
  for (QSplitter* splitter : {charts, evidence}) splitter->setSizes({kNarrow, kWide});
  for (QSplitter* splitter : {charts, evidence, rows}) splitter->setChildrenCollapsible(false);
  body()->addWidget(subject_);
  rows->setMinimumHeight(kLeastPlanHeight);
  auto* all = new QWidget;
  auto* content = new QVBoxLayout(all);
  content->setContentsMargins(0, 0, 0, 0);
  content->addWidget(rows, 1);
  content->addWidget(lines_);
  content->addWidget(remarks_);
  body()->addWidget(scrolled(all, kLeastPlanHeight, tr("Charts")), 1);

  connect(contexts_, &FigureView::datumSelected, this,
          [this](const QString& context) { Q_EMIT picked(context.toInt(), 0); });
  connect(heatmap_, &FigureView::datumSelected, this, [this](const QString& cell) {
    const QStringList sizes = cell.split(u'x');
    if (sizes.size() == 2) Q_EMIT picked(sizes[0].toInt(), sizes[1].toInt());
  });
}

void PlanView::setContent(const PlanContent& content) {
  setAnswer(content.answer);
  show_text(*subject_, content.subject);
  show_text(*lines_, content.lines.join(u'\n'));
  show_text(*remarks_, content.remarks.join(u'\n'));
  remarks_->setVisible(!content.remarks.isEmpty());
  bar_->setSource(
      [bar = content.bar](figure::Size size) { return viewmodel::memory_bar_figure(bar, size, "memory-bar"); });
  contexts_->setSource([chart = content.contexts](figure::Size size) {
    return viewmodel::context_chart_figure(chart, size, "context-chart", capacity_units());
  });
  table_->setTable(content.memory);
  bar_->setTable([table = content.memory] { return table; });
  showContent();
}

void PlanView::setHeatmap(FigureView::Source source) {
  heatmap_->setGraphicsEffect(nullptr);
  heatmap_->setSource(std::move(source));
}

int PlanView::heatmapValue() const {
  return heatmap_value_->currentIndex();
}

void PlanView::setHeatmapStale() {
  if (heatmap_->graphicsEffect() != nullptr) return;
  auto* faded = new QGraphicsOpacityEffect(heatmap_);
  faded->setOpacity(kStaleOpacity);
  heatmap_->setGraphicsEffect(faded);
}

}  // namespace dachlast::ui

#include "ui/panels/inspector_panel.h"

#include <QLabel>
#include <QVBoxLayout>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/page.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kStatisticsHeight = 220;

/// A one-row table turned on its side: a narrow dock has height, not width.
viewmodel::Table turned(const viewmodel::Table& wide) {
  viewmodel::Table tall{.id = wide.id, .title = wide.title, .columns = {}, .rows = {}, .notes = wide.notes};
  tall.columns = {{"figure", "Figure", "", "", viewmodel::Align::kLeft}, {"value", "Value", "", ""}};
  if (wide.rows.empty()) return tall;
  for (std::size_t i = 0; i < wide.columns.size(); ++i)
    tall.rows.push_back({viewmodel::text_cell(head_of(wide.columns[i])), wide.rows.front()[i]});
  return tall;
}

}  // namespace

InspectorPanel::InspectorPanel(QWidget* parent)
    : QWidget(parent),
      title_(sentence_label()),
      where_(sentence_label()),
      verdict_(sentence_label()),
      figures_(new DataTable),
      selection_(sentence_label()),
      statistics_(new DataTable) {
  QFont bold = title_->font();
  bold.setBold(true);
  title_->setFont(bold);
  auto* layout = new QVBoxLayout(this);
  for (QLabel* label : {title_, where_, verdict_}) layout->addWidget(label);
  layout->addWidget(figures_, 1);
  layout->addWidget(selection_);
  layout->addWidget(statistics_);
  layout->addStretch();
  statistics_->setMaximumHeight(kStatisticsHeight);
  setInspection(std::nullopt);
  setStatistics({}, std::nullopt);
}

void InspectorPanel::setInspection(const std::optional<viewmodel::Inspection>& inspection) {
  title_->setText(inspection ? said(inspection->title) : tr("Nothing selected"));
  where_->setText(inspection ? said(inspection->where) : tr("Select an operation in a chart or a table."));
  verdict_->setText(inspection ? said(inspection->verdict) : QString());
  verdict_->setVisible(inspection && !inspection->verdict.empty());
  figures_->setVisible(inspection.has_value());
  if (inspection) figures_->setTable(inspection->figures);
}

void InspectorPanel::setStatistics(const QString& of, const std::optional<viewmodel::Table>& statistics) {
  selection_->setText(of);
  selection_->setVisible(statistics.has_value());
  statistics_->setVisible(statistics.has_value());
  if (statistics) statistics_->setTable(turned(*statistics));
}

QString InspectorPanel::title() const {
  return title_->text();
}

}  // namespace dachlast::ui

#include "ui/views/overview_view.h"

#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"

namespace dachlast::ui {
namespace {

QString joined(const std::vector<std::string>& sentences) {
  QStringList list;
  for (const std::string& sentence : sentences) list << to_qt(sentence);
  return list.join(u' ');
}

QString figures_text(const viewmodel::RunView& run) {
  QStringList list;
  for (const auto& figure : run.key_figures)
    list << QStringLiteral("%1 %2 (%3)").arg(to_qt(figure.label), to_qt(figure.value), to_qt(figure.note));
  return list.join(QStringLiteral("   ·   "));
}

QString findings_text(const viewmodel::RunView& run) {
  QStringList list;
  for (std::size_t i = 0; i < run.findings.size(); ++i)
    list << QStringLiteral("%1. %2").arg(i + 1).arg(to_qt(run.findings[i].text));
  return list.join(u'\n');
}

QString remarks_text(const viewmodel::RunView& run) {
  QStringList list;
  for (const auto& remark : run.warnings) list << OverviewView::tr("Warning: %1").arg(to_qt(remark.text));
  return list.join(u'\n');
}

}  // namespace

OverviewView::OverviewView(QWidget* parent)
    : Page(tr("No run open."), tr("Open…"), parent),
      title_(sentence_label()),
      figures_(sentence_label()),
      bars_(new FigureView),
      findings_(sentence_label()),
      phases_(new DataTable),
      remarks_(sentence_label()) {
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(bars_);
  rows->addWidget(phases_);
  rows->setChildrenCollapsible(false);
  body()->addWidget(title_);
  body()->addWidget(figures_);
  body()->addWidget(rows, 1);
  body()->addWidget(findings_);
  body()->addWidget(remarks_);
  connect(bars_, &FigureView::saveRequested, this, &OverviewView::saveRequested);
}

void OverviewView::setRun(const viewmodel::RunView& run, FigureView::Source phase_bars) {
  setAnswer(joined(run.answer));
  title_->setText(
      QStringLiteral("%1 · %2\n%3").arg(to_qt(run.title), to_qt(run.status), to_qt(run.configuration_line)));
  figures_->setText(figures_text(run));
  bars_->setSource(std::move(phase_bars));
  findings_->setText(findings_text(run));
  findings_->setVisible(!run.findings.empty());
  phases_->setTable(run.phases);
  remarks_->setText(remarks_text(run));
  remarks_->setVisible(!run.warnings.empty());
  showContent();
}

}  // namespace dachlast::ui

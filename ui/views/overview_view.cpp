#include "ui/views/overview_view.h"

#include <QEvent>
#include <QLabel>
#include <QListWidget>
#include <QSignalBlocker>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "core/viewmodel/localise.h"
#include "core/viewmodel/op_filter.h"
#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kFindingMargin = 4;  // of the style, around a line of the list
constexpr int kLeastRows = 300;    // bars of two points and a table that can be read
constexpr int kFewRows = 90;       // GPUs and phases of a recording
constexpr int kLeastBars = 140;
constexpr int kLegendRoom = 56;
constexpr int kMemoryRoom = 126;  // two rows of a legend, two bars with their headings
constexpr int kBarRoom = 46;      // of a bar and its heading
constexpr std::size_t kMostBars =
    100;                            // a picture of more takes more memory than a glance is worth: the table lists all
constexpr int kLeastFindings = 56;  // two of them; the rest is scrolled to where the window is low

QString joined(const std::vector<std::string>& sentences) {
  QStringList list;
  for (const std::string& sentence : sentences) list << said(sentence);
  return list.join(u' ');
}

/// "GFLOP/s" stays in one line: Qt breaks behind a slash.
QString with_whole_units(QString text) {
  return text.replace(QStringLiteral("/s"), QStringLiteral("/\u2060s"));
}

QString figures_text(const viewmodel::RunView& run) {
  QStringList list;
  for (const auto& figure : run.key_figures)
    list << QStringLiteral("%1 %2 (%3)").arg(said(figure.label), said(figure.value), said(figure.note));
  return with_whole_units(list.join(QStringLiteral("   ·   ")));
}

QString remarks_text(const viewmodel::RunView& run) {
  QStringList list;
  for (const auto& remark : run.warnings) list << OverviewView::tr("Warning: %1").arg(said(remark.text));
  return list.join(u'\n');
}

}  // namespace

OverviewView::OverviewView(QWidget* parent)
    : Page(tr("No run open."), tr("Open…"), parent),
      title_(sentence_label()),
      device_(sentence_label()),
      figures_(sentence_label()),
      bars_(new FigureView),
      memory_(new FigureView),
      findings_(new QListWidget),
      phases_(new DataTable),
      remarks_(sentence_label()) {
  evidence_ = scrolled(makeEvidence(), kLeastRows, tr("Evidence"));
  recorded_ = scrolled(makeRecorded(), kLeastRows, tr("Recording"));
  recorded_->hide();
  body()->addWidget(title_);
  body()->addWidget(device_);
  body()->addWidget(figures_);
  body()->addWidget(evidence_, 1);
  body()->addWidget(recorded_, 1);
}

QWidget* OverviewView::makeRecorded() {
  devices_ = new DataTable;
  recorded_phases_ = new DataTable;
  families_ = new DataTable;
  notes_ = sentence_label();
  devices_->setAccessibleName(tr("Devices"));
  recorded_phases_->setAccessibleName(tr("Phases"));
  families_->setAccessibleName(tr("What the time went to"));
  auto* tables = new QSplitter(Qt::Vertical);
  for (DataTable* table : {devices_, recorded_phases_, families_}) tables->addWidget(table);
  tables->setStretchFactor(2, 1);
  tables->setSizes({kFewRows, kFewRows, kLeastRows});
  tables->setChildrenCollapsible(false);
  tables->setMinimumHeight(kLeastRows);
  auto* recorded = new QWidget;
  auto* column = new QVBoxLayout(recorded);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(tables, 1);
  column->addWidget(notes_);
  return recorded;
}

QWidget* OverviewView::makeEvidence() {
  auto* rows = new QSplitter(Qt::Vertical);
  bars_area_ = scrolled(bars_, kLeastBars, tr("Phases"));
  rows->addWidget(bars_area_);
  rows->addWidget(phases_);
  rows->setChildrenCollapsible(false);
  rows->setMinimumHeight(kLeastRows);
  auto* evidence = new QWidget;
  auto* column = new QVBoxLayout(evidence);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(findings_);
  column->addWidget(rows, 1);
  column->addWidget(memory_);
  column->addWidget(remarks_);
  memory_->setFixedHeight(kMemoryRoom);
  findings_->setAccessibleName(tr("Findings"));
  findings_->setWordWrap(true);
  findings_->setFrameShape(QFrame::NoFrame);
  findings_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);  // as high as they are
  findings_->viewport()->installEventFilter(this);
  findings_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
  connect(findings_, &QListWidget::currentItemChanged, this, [this](const QListWidgetItem* item) {
    if (item != nullptr) Q_EMIT findingChosen(item->data(Qt::UserRole).toString());
  });
  return evidence;
}

void OverviewView::setFindings(const viewmodel::RunView& run) {
  const QSignalBlocker blocker(findings_);
  findings_->clear();
  for (std::size_t i = 0; i < run.findings.size(); ++i) {
    const auto& finding = run.findings[i];
    auto* item = new QListWidgetItem(QStringLiteral("%1. %2").arg(i + 1).arg(said(finding.text)), findings_);
    item->setData(Qt::UserRole, to_qt(viewmodel::op_datum(finding.phase, finding.op)));
  }
  findings_->setVisible(!run.findings.empty());
  fitFindings();
}

/// No higher than its findings are, at most five (`RunView`), wrapped to the width there is.
void OverviewView::fitFindings() {
  int height = 2 * findings_->frameWidth() + 2;
  // The list's own hints are of lines that do not wrap.
  const QRect room(0, 0, findings_->viewport()->width() - 2 * kFindingMargin, QWIDGETSIZE_MAX);
  for (int row = 0; row < findings_->count(); ++row)
    height += findings_->fontMetrics().boundingRect(room, Qt::TextWordWrap, findings_->item(row)->text()).height() +
              kFindingMargin;
  findings_->setFixedHeight(std::max(height, kLeastFindings));
}

/// Only what the list shows its lines in knows how wide it has become.
bool OverviewView::eventFilter(QObject* watched, QEvent* event) {
  if (watched == findings_->viewport() && event->type() == QEvent::Resize) fitFindings();
  return Page::eventFilter(watched, event);
}

void OverviewView::setDevice(const QStringList& facts) {
  device_->setText(with_whole_units(facts.join(QStringLiteral(" · "))));
}

void OverviewView::setRun(const viewmodel::RunView& run, FigureView::Source phase_bars, FigureView::Source memory) {
  setAnswer(joined(run.answer));
  title_->setText(
      QStringLiteral("%1 · %2\n%3")
          .arg(to_qt(viewmodel::title_in(words(), run.title)), said(run.status), said(run.configuration_line)));
  figures_->setText(figures_text(run));
  const auto n_bars = std::min(run.phases.rows.size(), kMostBars);
  bars_->setFixedHeight(kLegendRoom + kBarRoom * static_cast<int>(n_bars));
  bars_area_->setMaximumHeight(bars_->height() + 2);
  bars_->setSource(std::move(phase_bars));
  memory_->setVisible(static_cast<bool>(memory));
  memory_->setSource(std::move(memory));
  setFindings(run);
  phases_->setTable(run.phases);
  remarks_->setText(remarks_text(run));
  remarks_->setVisible(!run.warnings.empty());
  recorded_->hide();
  figures_->show();
  evidence_->show();
  showContent();
}

void OverviewView::setRecording(const viewmodel::ProfileView& recording, const QStringList& facts) {
  setAnswer(joined(recording.answer));
  title_->setText(said(recording.title));
  device_->setText(facts.join(QStringLiteral(" · ")));
  const std::pair<DataTable*, const viewmodel::Table*> tables[] = {
      {devices_, &recording.timelines}, {recorded_phases_, &recording.phases}, {families_, &recording.families}};
  for (const auto& [widget, table] : tables) {
    widget->setTable(*table);
    widget->setVisible(!table->rows.empty());
  }
  QStringList notes;
  for (const auto& remark : recording.remarks) notes << said(remark.text);
  notes_->setText(notes.join(u'\n'));
  notes_->setVisible(!notes.empty());
  evidence_->hide();
  figures_->hide();
  recorded_->show();
  showContent();
}

}  // namespace dachlast::ui

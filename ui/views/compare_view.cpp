#include "ui/views/compare_view.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr double kMostThreshold = 50.0;
constexpr int kRoomForSettings = 130;

QString lines_of(const std::vector<std::string>& sentences) {
  QStringList lines;
  for (const std::string& sentence : sentences) lines << said(sentence);
  return lines.join(u'\n');
}

}  // namespace

CompareView::CompareView(QWidget* parent)
    : Page(tr("Open a second run or drop one here."), tr("Open…"), parent),
      baseline_(sentence_label()),
      equal_(sentence_label()),
      configuration_(new DataTable),
      changes_(new FigureView),
      phases_(new DataTable),
      points_(new DataTable),
      notes_(sentence_label()),
      nothing_(sentence_label()),
      evidence_(nullptr),
      threshold_(new QDoubleSpinBox) {
  threshold_->setRange(0.0, kMostThreshold);
  threshold_->setValue(100.0 * kLeastNoise);
  threshold_->setDecimals(1);
  threshold_->setSuffix(tr(" %"));
  threshold_->setAccessibleName(tr("Smallest change that counts"));
  connect(threshold_, &QDoubleSpinBox::valueChanged, this, &CompareView::thresholdChanged);
  auto* label = new QLabel(tr("&Smallest change that counts"));
  label->setBuddy(threshold_);
  auto* head = new QHBoxLayout;
  head->addWidget(baseline_, 1);
  head->addWidget(label);
  head->addWidget(threshold_);
  auto* tables = new QTabWidget;
  tables->setAccessibleName(tr("Comparison"));
  tables->addTab(points_, tr("Points"));
  tables->addTab(phases_, tr("Phases"));
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(changes_);
  rows->addWidget(tables);
  rows->setChildrenCollapsible(false);
  configuration_->setMaximumHeight(kRoomForSettings);
  body()->addLayout(head);
  body()->addWidget(equal_);
  body()->addWidget(configuration_);
  evidence_ = rows;
  body()->addWidget(nothing_);
  body()->addWidget(rows, 1);
  body()->addWidget(notes_);
  body()->addStretch();
  equal_->setText(tr("All settings are equal."));
}

void CompareView::setComparison(const viewmodel::CompareMany& comparison) {
  setAnswer(lines_of(comparison.answers));
  baseline_->setText(tr("★ Baseline %1").arg(said(comparison.baseline)));
  configuration_->setTable(comparison.configuration);
  configuration_->setVisible(!comparison.configuration.rows.empty());
  equal_->setVisible(comparison.configuration.rows.empty());
  phases_->setTable(comparison.phases);
  points_->setTable(comparison.points);
  const QString nothing = said(viewmodel::nothing_in_common(comparison));
  nothing_->setText(nothing);
  nothing_->setVisible(!nothing.isEmpty());
  evidence_->setVisible(nothing.isEmpty());
  changes_->setSource(
      [comparison](figure::Size size) { return viewmodel::change_figure(comparison, size, "changes"); });
  changes_->setTable([table = comparison.points] { return table; });
  notes_->setText(lines_of(comparison.notes));
  notes_->setVisible(!comparison.notes.empty());
  showContent();
}

double CompareView::threshold() const {
  return threshold_->value() / 100.0;
}

}  // namespace dachlast::ui

#include "ui/views/recommend_view.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QSplitter>
#include <QTabWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/paint/figure_painter.h"
#include "ui/views/scenarios_view.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

using viewmodel::ParetoAxis;

constexpr int kMostRequests = 16384;  // as the command line takes
constexpr int kMostDevices = 64;
constexpr double kMostMs = 600'000.0;
constexpr int kFieldsPerRow = 3;
constexpr int kPatienceMs = 300;  // UX.md §2: below that nothing is shown
constexpr int kChartHeight = 400;
constexpr int kListHeight = 160;
constexpr int kLeastRecommendHeight = 480;  // a chart that can be read above a list

QSpinBox* count_field(int value, int most) {
  auto* field = new QSpinBox;
  field->setRange(1, most);
  field->setGroupSeparatorShown(true);
  field->setKeyboardTracking(false);
  field->setValue(value);
  return field;
}

QDoubleSpinBox* limit_field(const QString& none) {
  auto* field = new QDoubleSpinBox;
  field->setRange(0.0, kMostMs);
  field->setDecimals(1);
  field->setKeyboardTracking(false);
  field->setSpecialValueText(none);
  return field;
}

}  // namespace

RecommendView::RecommendView(ScenariosView* scenarios, QWidget* parent)
    : Page(tr("Choose a model to see which hardware serves it."), tr("Choose model"), parent),
      concurrency_(count_field(RecommendFields().concurrency, kMostRequests)),
      ttft_(limit_field(tr("no limit"))),
      tpot_(limit_field(tr("no limit"))),
      max_devices_(count_field(RecommendFields().max_devices, kMostDevices)),
      devices_(new QLineEdit),
      prices_(new QComboBox),
      busy_(new QProgressBar),
      cancel_(new QPushButton(tr("&Cancel"))),
      patience_(new QTimer(this)),
      pareto_(new FigureView),
      over_batch_(new FigureView),
      over_context_(new FigureView),
      lists_(new QTabWidget),
      options_(new DataTable),
      rejections_(new DataTable),
      rejected_(sentence_label()),
      remarks_(sentence_label()) {
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(makeCharts());
  rows->addWidget(makeLists(scenarios));
  rows->setChildrenCollapsible(false);
  rows->setSizes({kChartHeight, kListHeight});
  rows->setStretchFactor(0, 1);
  evidence_ = scrolled(rows, kLeastRecommendHeight, tr("Charts and lists"));
  body()->addWidget(makeForm());
  body()->addWidget(evidence_, 1);
  patience_->setSingleShot(true);
  patience_->setInterval(kPatienceMs);
  connect(patience_, &QTimer::timeout, this, [this] {
    busy_->show();
    cancel_->show();
  });
  cancel_->setAccessibleName(tr("Cancel the search"));
  connect(cancel_, &QPushButton::clicked, this, &RecommendView::cancelRequested);
  setState(State::kIdle);
  showContent();
}

void RecommendView::addField(QGridLayout& grid, int place, const QString& label, QWidget* field) {
  auto* name = new QLabel(label);
  name->setBuddy(field);
  field->setAccessibleName(QString(label).remove(u'&'));
  const int column = 2 * (place % kFieldsPerRow);
  grid.addWidget(name, place / kFieldsPerRow, column);
  grid.addWidget(field, place / kFieldsPerRow, column + 1);
  grid.setColumnStretch(column + 1, 1);
}

QWidget* RecommendView::makeForm() {
  devices_->setPlaceholderText(tr("all known ones"));
  devices_->setToolTip(tr("Names, separated by commas: h100-sxm, l40s"));
  prices_->addItems({tr("none"), QStringLiteral("catalog")});
  prices_->setEditable(true);
  prices_->setInsertPolicy(QComboBox::NoInsert);
  prices_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  prices_->setToolTip(tr("A CSV or YAML file of prices per GPU and hour, or the dated examples that come along"));
  auto* file = new QToolButton;
  file->setText(QStringLiteral("…"));
  file->setAccessibleName(tr("Choose a price file"));
  connect(file, &QToolButton::clicked, this, &RecommendView::choosePrices);
  auto* form = new QWidget;
  auto* grid = new QGridLayout(form);
  grid->setContentsMargins(0, 0, 0, 0);
  addField(*grid, 0, tr("Re&quests at once"), concurrency_);
  addField(*grid, 1, tr("&TTFT, ms"), ttft_);
  addField(*grid, 2, tr("TP&OT, ms"), tpot_);
  addField(*grid, 3, tr("&Most GPUs"), max_devices_);
  addField(*grid, 4, tr("GP&Us"), devices_);
  addField(*grid, 5, tr("P&rices"), prices_);
  grid->addWidget(file, 1, 2 * kFieldsPerRow);
  auto* work = new QHBoxLayout;
  busy_->setRange(0, 0);
  busy_->setTextVisible(false);
  busy_->setAccessibleName(tr("Searching"));
  work->addWidget(busy_, 1);
  work->addWidget(cancel_);
  grid->addLayout(work, 2, 0, 1, 2 * kFieldsPerRow + 1);
  connect(concurrency_, &QSpinBox::valueChanged, this, &RecommendView::tell);
  connect(max_devices_, &QSpinBox::valueChanged, this, &RecommendView::tell);
  connect(ttft_, &QDoubleSpinBox::valueChanged, this, &RecommendView::tell);
  connect(tpot_, &QDoubleSpinBox::valueChanged, this, &RecommendView::tell);
  connect(devices_, &QLineEdit::editingFinished, this, &RecommendView::tell);
  connect(prices_, &QComboBox::activated, this, &RecommendView::tell);
  connect(prices_->lineEdit(), &QLineEdit::editingFinished, this, &RecommendView::tell);
  return form;
}

QComboBox* RecommendView::makeAxis(const QString& name, ParetoAxis first) {
  auto* axis = new QComboBox;
  axis->setAccessibleName(name);
  axis->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  axis->setMinimumContentsLength(8);
  for (int i = 0; i < viewmodel::kParetoAxisCount; ++i)
    axis->addItem(said(viewmodel::title_of(static_cast<ParetoAxis>(i))));
  axis->setCurrentIndex(static_cast<int>(first));
  connect(axis, &QComboBox::activated, this, &RecommendView::drawPareto);
  return axis;
}

QWidget* RecommendView::makePareto() {
  auto* page = new QWidget;
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  auto* row = new QHBoxLayout;
  x_axis_ = makeAxis(tr("Horizontal axis"), ParetoAxis::kRequestRate);
  y_axis_ = makeAxis(tr("Vertical axis"), ParetoAxis::kDeviceRate);
  dominated_ = new QCheckBox(tr("Outdone &ones"));
  dominated_->setAccessibleName(dominated_->text().remove(u'&'));
  dominated_->setChecked(true);
  connect(dominated_, &QCheckBox::toggled, this, &RecommendView::drawPareto);
  for (const auto& [text, box] : {std::pair(QStringLiteral("&X"), x_axis_), std::pair(QStringLiteral("&Y"), y_axis_)}) {
    auto* label = new QLabel(text);
    label->setBuddy(box);
    row->addWidget(label);
    row->addWidget(box, 1);
  }
  row->addWidget(dominated_);
  layout->addLayout(row);
  layout->addWidget(pareto_, 1);
  connect(pareto_, &FigureView::datumSelected, this, [this](const QString& datum) {
    if (!datum.isEmpty()) Q_EMIT adoptRequested(datum.toInt());
  });
  return page;
}

QWidget* RecommendView::makeCharts() {
  auto* charts = new QTabWidget;
  charts->setAccessibleName(tr("Charts"));
  lists_->setAccessibleName(tr("Lists"));
  charts->addTab(makePareto(), tr("All candidates"));
  charts->addTab(over_batch_, tr("Over batch"));
  charts->addTab(over_context_, tr("Over context"));
  charts->setTabToolTip(0, tr("A click makes a candidate the scenario."));
  charts->setTabToolTip(1, tr("Predicted speed of the scenario over its batch."));
  charts->setTabToolTip(2, tr("Predicted speed of the scenario over its context."));
  return charts;
}

QWidget* RecommendView::makeLists(ScenariosView* scenarios) {
  auto* rejections = new QWidget;
  auto* column = new QVBoxLayout(rejections);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(rejected_);
  column->addWidget(rejections_, 1);
  auto* assumed = new QScrollArea;
  assumed->setWidget(remarks_);
  assumed->setWidgetResizable(true);
  assumed->setFrameShape(QFrame::NoFrame);
  assumed->setAccessibleName(tr("Assumptions"));
  lists_->addTab(options_, tr("Options"));
  lists_->addTab(rejections, tr("Rejected"));
  lists_->addTab(assumed, tr("Assumptions"));
  lists_->addTab(scenarios, tr("Scenarios"));
  connect(options_, &DataTable::clicked, this, &RecommendView::adoptOption);
  connect(options_, &DataTable::activated, this, &RecommendView::adoptOption);
  options_->setToolTip(tr("A click makes an option the scenario; Ctrl+Z takes it back."));
  return lists_;
}

void RecommendView::choosePrices() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Prices"), {}, tr("Prices (*.csv *.yaml *.yml *.json)"));
  if (file.isEmpty()) return;
  prices_->setEditText(file);
  tell();
}

void RecommendView::adoptOption() {
  const int row = options_->currentDatumRow();
  if (row < 0 || row >= static_cast<int>(content_.option_candidates.size())) return;
  const int candidate = content_.option_candidates[static_cast<std::size_t>(row)];
  pareto_->setSelected(QString::number(candidate));
  Q_EMIT adoptRequested(candidate);
}

RecommendFields RecommendView::fields() const {
  RecommendFields fields;
  fields.concurrency = concurrency_->value();
  fields.ttft_ms = ttft_->value();
  fields.tpot_ms = tpot_->value();
  fields.max_devices = max_devices_->value();
  for (const QString& name : devices_->text().split(u',', Qt::SkipEmptyParts))
    if (!name.trimmed().isEmpty()) fields.devices << name.trimmed();
  const QString prices = prices_->currentText().trimmed();
  if (prices != prices_->itemText(0)) fields.prices = prices;
  return fields;
}

void RecommendView::setFields(const RecommendFields& fields) {
  silent_ = true;
  concurrency_->setValue(fields.concurrency);
  ttft_->setValue(fields.ttft_ms);
  tpot_->setValue(fields.tpot_ms);
  max_devices_->setValue(fields.max_devices);
  devices_->setText(fields.devices.join(QStringLiteral(", ")));
  prices_->setEditText(fields.prices.isEmpty() ? prices_->itemText(0) : fields.prices);
  silent_ = false;
}

void RecommendView::tell() {
  if (!silent_) Q_EMIT changed(fields());
}

void RecommendView::setContent(const RecommendContent& content) {
  content_ = content;
  setAnswer(content.answer);
  options_->setTable(content.options);
  rejections_->setTable(content.rejections);
  rejected_->setText(content.rejected);
  remarks_->setText(content.remarks.join(u'\n'));
  lists_->setTabText(1, tr("Rejected (%1)").arg(content.rejections.rows.size()));
  pareto_->setTable([table = content.options] { return table; });
  pareto_->setData([table = content.candidates] { return table; });
  drawPareto();
  evidence_->show();
  showContent();
}

void RecommendView::setCurves(const viewmodel::SpeedCurves& over_batch, const viewmodel::SpeedCurves& over_context) {
  const auto show = [](FigureView& view, const viewmodel::SpeedCurves& curves, const char* id) {
    view.setSource([curves, id](figure::Size size) { return viewmodel::speed_curves_figure(curves, size, id); });
    view.setTable([curves] { return viewmodel::speed_curves_table(curves); });
  };
  show(*over_batch_, over_batch, "speed-over-batch");
  show(*over_context_, over_context, "speed-over-context");
}

void RecommendView::drawPareto() {
  viewmodel::ParetoChart chart = content_.pareto;
  chart.x = static_cast<ParetoAxis>(x_axis_->currentIndex());
  chart.y = static_cast<ParetoAxis>(y_axis_->currentIndex());
  chart.dominated = dominated_->isChecked() ? viewmodel::Dominated::kShown : viewmodel::Dominated::kHidden;
  pareto_->setSource(
      [chart = std::move(chart)](figure::Size size) { return viewmodel::pareto_figure(chart, size, "pareto"); });
}

void RecommendView::setAxes(ParetoAxis x, ParetoAxis y) {
  x_axis_->setCurrentIndex(static_cast<int>(x));
  y_axis_->setCurrentIndex(static_cast<int>(y));
  drawPareto();
}

void RecommendView::showProblem(const QString& text) {
  setAnswer(text);
  content_ = {};
  options_->setTable({});
  rejections_->setTable({});
  rejected_->clear();
  lists_->setTabText(1, tr("Rejected"));
  drawPareto();
  showContent();
}

void RecommendView::setState(State state) {
  if (state == State::kSearching) return patience_->start();
  patience_->stop();
  busy_->hide();
  cancel_->hide();
}

void RecommendView::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  Q_EMIT shown();
}

}  // namespace dachlast::ui

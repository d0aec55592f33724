#include "ui/views/measure_view.h"

#include <QCheckBox>
#include <QComboBox>
#include <QCompleter>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/widgets/data_table.h"

namespace dachlast::ui {
namespace {

constexpr int kMostRepeats = 10'000;
constexpr int kFormWidth = 300;
constexpr int kRestWidth = 620;

void set_choice(QComboBox* box, const QString& text) {
  const int index = text.isEmpty() ? 0 : box->findText(text);
  if (index >= 0) return box->setCurrentIndex(index);
  box->setEditText(text);
}

QString chosen(const QComboBox* box) {
  return box->currentIndex() == 0 ? QString() : box->currentText();
}

}  // namespace

MeasureView::MeasureView(const QStringList& models, const QStringList& types, QWidget* parent)
    : Page({}, {}, parent),
      measure_(new QPushButton(tr("&Measure"))),
      cancel_(new QPushButton(tr("&Cancel"))),
      progress_(new QProgressBar),
      doing_(sentence_label()),
      results_(new DataTable),
      points_(new DataTable),
      memory_(new DataTable),
      checks_(new DataTable) {
  auto* columns = new QSplitter(Qt::Horizontal);
  columns->addWidget(makeForm(models, types));
  columns->addWidget(makeJob());
  columns->setSizes({kFormWidth, kRestWidth});
  columns->setChildrenCollapsible(false);
  body()->addWidget(columns, 1);
  connect(measure_, &QPushButton::clicked, this, [this] { Q_EMIT measureRequested(fields()); });
  connect(cancel_, &QPushButton::clicked, this, &MeasureView::cancelRequested);
  setState(State::kIdle);
  showContent();
}

QWidget* MeasureView::makeForm(const QStringList& models, const QStringList& types) {
  auto* widget = new QWidget;
  auto* form = new QFormLayout(widget);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  const auto tell = [this] {
    if (!silent_) Q_EMIT changed(fields());
  };
  const auto add_choice = [&](const QString& label, const QStringList& names) {
    auto* box = new QComboBox;
    box->addItems(names);
    box->setAccessibleName(QString(label).remove(u'&'));
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    connect(box, &QComboBox::currentTextChanged, this, tell);
    form->addRow(label, box);
    return box;
  };
  const auto add_text = [&](const QString& label, const QString& hint) {
    auto* line = new QLineEdit;
    line->setPlaceholderText(hint);
    line->setAccessibleName(QString(label).remove(u'&'));
    connect(line, &QLineEdit::editingFinished, this, tell);
    form->addRow(label, line);
    return line;
  };
  model_ = add_choice(tr("M&odel"), models);
  model_->setEditable(true);
  model_->setInsertPolicy(QComboBox::NoInsert);
  model_->completer()->setFilterMode(Qt::MatchContains);
  contexts_ = add_text(tr("Conte&xts, tokens"), tr("512,4096 or 1k..8k*2"));
  batches_ = add_text(tr("&Batch sizes"), tr("1,8"));
  weights_ = add_choice(tr("&Weights"), QStringList(tr("as published")) + types);
  cache_ = add_choice(tr("&KV cache"), QStringList(tr("as the weights")) + types);
  repeats_ = new QSpinBox;
  repeats_->setRange(0, kMostRepeats);
  repeats_->setSpecialValueText(tr("until known to 3 %"));
  repeats_->setAccessibleName(tr("Repeats"));
  connect(repeats_, &QSpinBox::valueChanged, this, tell);
  form->addRow(tr("&Repeats"), repeats_);
  layout_ = add_choice(tr("KV &layout"), {tr("contiguous"), QStringLiteral("paged:16"), QStringLiteral("paged:32")});
  every_step_ = new QCheckBox(tr("&Timeline of every step"));
  every_step_->setAccessibleName(tr("Timeline of every step"));
  every_step_->setToolTip(tr("Otherwise the spans of the first three steps of each point are kept."));
  connect(every_step_, &QCheckBox::toggled, this, tell);
  form->addRow(every_step_);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(measure_);
  buttons->addWidget(cancel_);
  form->addRow(buttons);
  measure_->setDefault(true);
  return widget;
}

QWidget* MeasureView::makeJob() {
  auto* widget = new QWidget;
  auto* layout = new QVBoxLayout(widget);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(doing_);
  layout->addWidget(progress_);
  progress_->setAccessibleName(tr("Progress"));
  auto* tabs = new QTabWidget;
  tabs->setAccessibleName(tr("Before measuring"));
  tabs->addTab(points_, tr("Points to measure"));
  tabs->addTab(memory_, tr("Memory needed"));
  tabs->addTab(checks_, tr("This computer"));
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(tabs);
  rows->addWidget(results_);
  rows->setChildrenCollapsible(false);
  results_->hide();  // until there are any
  layout->addWidget(rows, 1);
  return widget;
}

MeasureFields MeasureView::fields() const {
  return {.model = model_->currentText(),
          .contexts = contexts_->text(),
          .batches = batches_->text(),
          .weights = chosen(weights_),
          .cache = chosen(cache_),
          .repeats = repeats_->value(),
          .layout = chosen(layout_),
          .spans = every_step_->isChecked() ? MeasureFields::Spans::kEveryStep : MeasureFields::Spans::kFirstSteps};
}

void MeasureView::setFields(const MeasureFields& fields) {
  silent_ = true;
  set_choice(model_, fields.model);
  contexts_->setText(fields.contexts);
  batches_->setText(fields.batches);
  set_choice(weights_, fields.weights);
  set_choice(cache_, fields.cache);
  repeats_->setValue(fields.repeats);
  set_choice(layout_, fields.layout);
  every_step_->setChecked(fields.spans == MeasureFields::Spans::kEveryStep);
  silent_ = false;
}

void MeasureView::showPreflight(const QString& answer, const viewmodel::Table& points, const viewmodel::Table& memory) {
  setAnswer(answer);
  points_->setTable(points);
  memory_->setTable(memory);
  measure_->setEnabled(true);
}

void MeasureView::showProblem(const QString& text) {
  setAnswer(text);
  measure_->setEnabled(false);
}

void MeasureView::setChecks(const viewmodel::Table& checks) {
  checks_->setTable(checks);
}

void MeasureView::setState(State state) {
  const bool running = state == State::kRunning;
  for (QWidget* control :
       std::initializer_list<QWidget*>{model_, contexts_, batches_, weights_, cache_, repeats_, layout_, every_step_})
    control->setEnabled(!running);
  measure_->setVisible(!running);
  cancel_->setVisible(running);
  progress_->setVisible(running);
  doing_->setVisible(running);
}

void MeasureView::showProgress(const QString& what, int index, int count) {
  doing_->setText(what);
  progress_->setRange(0, count);
  progress_->setValue(index);
}

void MeasureView::showResults(const viewmodel::Table& phases) {
  results_->setTable(phases);
  results_->show();
}

}  // namespace dachlast::ui

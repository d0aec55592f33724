#include "ui/widgets/scenario_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QCompleter>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QVBoxLayout>
#include <cmath>

namespace dachlast::ui {
namespace {

constexpr int kStepsPerOctave = 16;  // of a slider: fine enough to feel smooth
constexpr int kMostContext = 16 * 1024 * 1024;
constexpr int kMostBatch = 1024;
constexpr int kMostDevices = 1024;

int slider_of(int value) {
  return static_cast<int>(std::lround(kStepsPerOctave * std::log2(value)));
}

/// Near a power of two the slider takes it.
int value_of(int position) {
  const int nearest = static_cast<int>(std::lround(static_cast<double>(position) / kStepsPerOctave)) * kStepsPerOctave;
  if (std::abs(nearest - position) <= 1) position = nearest;
  return static_cast<int>(std::lround(std::exp2(static_cast<double>(position) / kStepsPerOctave)));
}

void set_text(QComboBox* box, const QString& text) {
  const int index = text.isEmpty() ? 0 : box->findText(text);
  if (index >= 0) box->setCurrentIndex(index);
  if (index < 0 && box->isEditable()) box->setEditText(text);
}

}  // namespace

ScenarioForm::ScenarioForm(const ScenarioChoices& choices, QWidget* parent) : QWidget(parent), experts_(new QCheckBox) {
  auto* form = new QFormLayout(this);
  form->setRowWrapPolicy(QFormLayout::WrapLongRows);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  model_ = addChoice(tr("&Model"), choices.models, {});
  device_ = addChoice(tr("&GPU"), choices.devices, tr("none"));
  context_ = addSize(tr("Con&text, tokens"), kMostContext);
  batch_ = addSize(tr("&Batch size"), kMostBatch);
  weights_ = addChoice(tr("&Weights"), choices.weights, tr("as published"));
  cache_ = addChoice(tr("&KV cache"), choices.caches, tr("as activations"), Entry::kListed);
  engine_ = addChoice(tr("&Engine"), choices.engines, {});
  tensor_parallel_ = addCount(tr("T&P"), kMostDevices);
  pipeline_parallel_ = addCount(tr("PP"), kMostDevices);
  attention_data_parallel_ = addCount(tr("Attention &DP"), kMostDevices);
  experts_->setAccessibleName(tr("Expert parallelism"));
  experts_->setToolTip(tr("Expert parallelism, of models with experts: each GPU holds a share of them whole."));
  connect(experts_, &QCheckBox::toggled, this, &ScenarioForm::tell);
  form->addRow(tr("E&P"), experts_);
  memory_ = addCount(tr("Memory bu&dget, %"), 100, tr("engine default"));
}

QComboBox* ScenarioForm::addChoice(const QString& label, const QStringList& names, const QString& default_text,
                                   Entry entry) {
  auto* box = new QComboBox;
  box->setEditable(entry == Entry::kFree);
  box->setInsertPolicy(QComboBox::NoInsert);
  box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box->setMinimumContentsLength(14);
  if (!default_text.isEmpty()) box->addItem(default_text);
  box->addItems(names);
  box->setAccessibleName(QString(label).remove(u'&'));
  if (box->isEditable()) {
    box->completer()->setFilterMode(Qt::MatchContains);
    box->completer()->setCompletionMode(QCompleter::PopupCompletion);
    connect(box->lineEdit(), &QLineEdit::editingFinished, this, &ScenarioForm::tell);
  }
  connect(box, &QComboBox::activated, this, &ScenarioForm::tell);
  static_cast<QFormLayout*>(layout())->addRow(label, box);
  return box;
}

ScenarioForm::SizeControl ScenarioForm::addSize(const QString& label, int most) {
  SizeControl control{new QSlider(Qt::Horizontal), new QSpinBox};
  control.slider->setRange(0, slider_of(most));
  control.slider->setSingleStep(1);
  control.slider->setPageStep(kStepsPerOctave);
  control.slider->setAccessibleName(QString(label).remove(u'&'));
  control.field->setRange(1, most);
  control.field->setGroupSeparatorShown(true);
  control.field->setKeyboardTracking(false);
  control.field->setAccessibleName(QString(label).remove(u'&'));
  connect(control.slider, &QSlider::valueChanged, this, [this, control](int position) {
    const QSignalBlocker blocker(control.field);
    control.field->setValue(value_of(position));
    tell();
  });
  connect(control.field, &QSpinBox::valueChanged, this, [this, control](int value) {
    const QSignalBlocker blocker(control.slider);
    control.slider->setValue(slider_of(value));
    tell();
  });
  // The slider below its field: a narrow dock leaves it no room beside one.
  auto* name = new QLabel(label);
  name->setBuddy(control.field);
  auto* row = new QHBoxLayout;
  row->addWidget(name, 1);
  row->addWidget(control.field);
  auto* rows = new QVBoxLayout;
  rows->addLayout(row);
  rows->addWidget(control.slider);
  static_cast<QFormLayout*>(layout())->addRow(rows);
  return control;
}

QSpinBox* ScenarioForm::addCount(const QString& label, int most, const QString& special) {
  auto* box = new QSpinBox;
  box->setRange(special.isEmpty() ? 1 : 0, most);
  box->setSpecialValueText(special);
  box->setKeyboardTracking(false);
  box->setAccessibleName(QString(label).remove(u'&'));
  connect(box, &QSpinBox::valueChanged, this, &ScenarioForm::tell);
  static_cast<QFormLayout*>(layout())->addRow(label, box);
  return box;
}

ScenarioFields ScenarioForm::fields() const {
  // The first entry of a list with a default stands for "not chosen".
  const auto chosen = [](const QComboBox* box) {
    return box->currentText() == box->itemText(0) ? QString() : box->currentText();
  };
  return {.model = model_->currentText(),
          .device = chosen(device_),
          .engine = engine_->currentText(),
          .weights = chosen(weights_),
          .cache = chosen(cache_),
          .context_tokens = context_.field->value(),
          .batch_size = batch_.field->value(),
          .tensor_parallel = tensor_parallel_->value(),
          .pipeline_parallel = pipeline_parallel_->value(),
          .attention_data_parallel = attention_data_parallel_->value(),
          .experts = experts_->isChecked() ? ScenarioFields::Experts::kWhole : ScenarioFields::Experts::kSliced,
          .memory_percent = memory_->value()};
}

void ScenarioForm::setFields(const ScenarioFields& fields) {
  silent_ = true;
  set_text(model_, fields.model);
  set_text(device_, fields.device);
  set_text(engine_, fields.engine);
  set_text(weights_, fields.weights);
  set_text(cache_, fields.cache);
  context_.field->setValue(fields.context_tokens);
  batch_.field->setValue(fields.batch_size);
  tensor_parallel_->setValue(fields.tensor_parallel);
  pipeline_parallel_->setValue(fields.pipeline_parallel);
  attention_data_parallel_->setValue(fields.attention_data_parallel);
  experts_->setChecked(fields.experts == ScenarioFields::Experts::kWhole);
  memory_->setValue(fields.memory_percent);
  silent_ = false;
}

void ScenarioForm::setContextLimit(int tokens) {
  silent_ = true;
  context_.slider->setMaximum(slider_of(tokens));
  context_.field->setMaximum(tokens);
  silent_ = false;
}

void ScenarioForm::tell() {
  if (!silent_) Q_EMIT changed(fields());
}

}  // namespace dachlast::ui

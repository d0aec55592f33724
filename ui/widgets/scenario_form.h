#pragma once

#include <QStringList>
#include <QWidget>
#include <cstdint>

class QCheckBox;
class QComboBox;
class QSlider;
class QSpinBox;
class QTimer;

namespace dachlast::ui {

/// What the user chose, as texts and sizes; the workbench finds out what they mean.
struct ScenarioFields {
  QString model;
  QString device;
  QString engine;
  QString weights;  // empty: as published
  QString cache;    // empty: as the activations
  int context_tokens = 8192;
  int batch_size = 1;
  int tensor_parallel = 1;
  int pipeline_parallel = 1;
  int attention_data_parallel = 1;
  enum class Experts : std::uint8_t { kSliced, kWhole } experts = Experts::kSliced;
  int memory_percent = 0;  // of capacity; 0: the engine's own default

  bool operator==(const ScenarioFields&) const = default;
};

/// Names a form offers.
struct ScenarioChoices {
  QStringList models;
  QStringList devices;
  QStringList engines;
  QStringList weights;
  QStringList caches;
};

/// The controls of a scenario: sliders on a log₂ scale with a field beside each; every change is told at once.
class ScenarioForm : public QWidget {
  Q_OBJECT

 public:
  explicit ScenarioForm(const ScenarioChoices& choices, QWidget* parent = nullptr);

  ScenarioFields fields() const;
  /// Shows these without telling of a change.
  void setFields(const ScenarioFields& fields);
  /// The largest context the sliders reach: what the model was trained for.
  void setContextLimit(int tokens);

 Q_SIGNALS:
  void changed(const dachlast::ui::ScenarioFields& fields);

 private:
  struct SizeControl {
    QSlider* slider;
    QSpinBox* field;
  };
  enum class Entry { kListed, kFree };  // whether names outside the list are taken
  QComboBox* addChoice(const QString& label, const QStringList& names, const QString& default_text,
                       Entry entry = Entry::kFree);
  SizeControl addSize(const QString& label, int most);
  QSpinBox* addCount(const QString& label, int most, const QString& special = {});
  void tell();

  QComboBox* model_;
  QComboBox* device_;
  QComboBox* engine_;
  SizeControl context_;
  SizeControl batch_;
  QComboBox* weights_;
  QComboBox* cache_;
  QSpinBox* tensor_parallel_;
  QSpinBox* pipeline_parallel_;
  QSpinBox* attention_data_parallel_;
  QCheckBox* experts_;
  QSpinBox* memory_;
  bool silent_ = false;
};

}  // namespace dachlast::ui

#pragma once

#include <QObject>
#include <QThreadPool>
#include <optional>

#include "core/workbench/scenario.h"
#include "ui/views/plan_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {

/// Names the scenario form offers: presets, devices, engines, formats.
ui::ScenarioChoices scenario_choices();

/// What the fields of the form ask for.
ScenarioRequest scenario_request(const ui::ScenarioFields& fields);

/// Shows what a scenario needs on the memory page: answer, bar and charts at once, the heatmap in the background, where the last
/// change wins. What is picked in a chart becomes a change of the form. Models in files are read in the background too: a disk may
/// be slow, or gone.
/// Threads  lives on the GUI thread; its pools compute sweeps and read headers of models.
class PlanController : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(PlanController)

 public:
  PlanController(ui::ScenarioForm& form, ui::PlanView& view, QObject* parent = nullptr);
  ~PlanController() override;

  /// Plans what the form says.
  void plan(const ui::ScenarioFields& fields);
  /// The same once more, in the words and units of now.
  void planAgain();

 Q_SIGNALS:
  /// A plan is shown; the title is model and device.
  void planned(const QString& title);

 private:
  void adoptScenario(const ui::ScenarioFields& fields, Scenario scenario);
  void findInBackground(const ui::ScenarioFields& fields);
  void showProblem(const QString& text);
  void show(const ScenarioPlan& plan);
  void startHeatmap(const Scenario& scenario);
  void adopt(int context_tokens, int batch_size);

  ui::ScenarioForm& form_;
  ui::PlanView& view_;
  ui::ScenarioFields found_fields_;  // of `scenario_`
  std::optional<Scenario> scenario_;
  ui::ScenarioFields wanted_;  // what the form said last
  QThreadPool pool_;
  QThreadPool finder_;        // of models in files
  int generation_ = 0;        // of the newest heatmap asked for
  int found_generation_ = 0;  // of the newest model asked for
};

}  // namespace dachlast::gui

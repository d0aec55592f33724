#include "app/gui/scenario_pins.h"

#include <QUndoStack>
#include <algorithm>
#include <vector>

#include "app/gui/edit.h"
#include "app/gui/plan_controller.h"
#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/workbench/scenario_view.h"
#include "ui/views/scenarios_view.h"

namespace dachlast::gui {
namespace {

ScenarioPlan plan_of(const ui::ScenarioFields& fields) {
  const Scenario scenario = find_scenario(scenario_request(fields));
  return plan_scenario(scenario, std::min(fields.context_tokens, scenario.model().max_context), fields.batch_size);
}

}  // namespace

ScenarioPins::ScenarioPins(ui::ScenarioForm& form, ui::ScenariosView& view, QUndoStack& edits, QObject* parent)
    : QObject(parent), form_(form), view_(view), edits_(edits) {
  connect(&view_, &ui::ScenariosView::pinRequested, this, &ScenarioPins::pin);
  connect(&view_, &ui::ScenariosView::removeRequested, this, &ScenarioPins::remove);
  connect(&view_, &ui::ScenariosView::adoptRequested, this, &ScenarioPins::adopt);
}

/// A scenario that cannot be planned is not pinned: its row would have no figures.
void ScenarioPins::pin() {
  const ui::ScenarioFields fields = form_.fields();
  if (pins_.contains(fields)) return;
  try {
    plan_of(fields);
  } catch (const Error& error) {
    Q_EMIT failed(said_error(error));
    return;
  }
  QList<ui::ScenarioFields> pins = pins_;
  pins << fields;
  edit(tr("Pin scenario"), pins);
}

void ScenarioPins::remove(int index) {
  if (index < 0 || index >= pins_.size()) return;
  QList<ui::ScenarioFields> pins = pins_;
  pins.removeAt(index);
  edit(tr("Remove scenario"), pins);
}

void ScenarioPins::adopt(int index) {
  if (index < 0 || index >= pins_.size()) return;
  form_.setFields(pins_[index]);
  Q_EMIT form_.changed(pins_[index]);
}

void ScenarioPins::restore(const QList<ui::ScenarioFields>& pins) {
  QList<ui::ScenarioFields> planned;
  unplanned_.clear();
  for (const ui::ScenarioFields& fields : pins) {
    try {
      plan_of(fields);
      planned << fields;
    } catch (const Error& error) {
      unplanned_ << fields;
      Q_EMIT failed(said_error(error));
    }
  }
  setPins(planned);
}

void ScenarioPins::edit(const QString& what, const QList<ui::ScenarioFields>& pins) {
  edits_.push(new Edit(
      what, [this, pins] { setPins(pins); }, [this, before = pins_] { setPins(before); }));
}

void ScenarioPins::setPins(const QList<ui::ScenarioFields>& pins) {
  pins_ = pins;
  std::vector<ScenarioPlan> plans;
  plans.reserve(static_cast<std::size_t>(pins_.size()));
  for (const ui::ScenarioFields& fields : pins_) plans.push_back(plan_of(fields));
  view_.setScenarios(scenarios_table(plans));
}

}  // namespace dachlast::gui

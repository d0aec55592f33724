#include "app/gui/plan_controller.h"

#include <memory>

#include "app/gui/said_error.h"
#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/model/storage_format.h"
#include "core/planner/engine_profile.h"
#include "core/workbench/plan_page.h"
#include "core/workbench/scenario_speed.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::ScenarioFields;
using ui::to_qt;

constexpr int kHeatmapColumns = 64;
constexpr int kHeatmapRows = 64;
// Each timed cell plays a load through, about a millisecond.
constexpr int kTimedColumns = 24;
constexpr int kTimedRows = 16;

/// A sweep with the speeds of its cells, where those are asked for.
struct TimedSweep {
  ScenarioSweep sweep;
  SweepSpeeds speeds;
};

std::shared_ptr<const TimedSweep> sweep_for(const Scenario& scenario, HeatmapValue value) {
  if (value == HeatmapValue::kMemory)
    return std::make_shared<const TimedSweep>(
        TimedSweep{heatmap_sweep(scenario, kHeatmapColumns, kHeatmapRows), SweepSpeeds{}});
  ScenarioSweep sweep = heatmap_sweep(scenario, kTimedColumns, kTimedRows);
  SweepSpeeds speeds = sweep_speeds(sweep, {});
  return std::make_shared<const TimedSweep>(TimedSweep{std::move(sweep), std::move(speeds)});
}

/// All but context and batch: what a scenario is found by.
ScenarioFields without_sizes(ScenarioFields fields) {
  fields.context_tokens = 1;
  fields.batch_size = 1;
  return fields;
}

/// Names of the program's own are looked up in memory; anything with a folder in it is read.
bool names_files(const ScenarioFields& fields) {
  return fields.model.contains(u'/') || fields.device.contains(u'/');
}

QString sentence_of(const Error& error) {
  return said_error(error);
}

QStringList remarks_of(const Scenario& scenario) {
  QStringList lines;
  for (const Remark& remark : scenario.warnings) lines << PlanController::tr("Warning: %1").arg(ui::said(remark.text));
  QStringList assumed;
  for (const Remark& remark : scenario.assumptions) assumed << ui::said(remark.text);
  if (!assumed.isEmpty()) lines << PlanController::tr("Assumed: %1").arg(assumed.join(u' '));
  return lines;
}

}  // namespace

ScenarioRequest scenario_request(const ScenarioFields& fields) {
  ScenarioRequest request;
  request.model = fields.model.toStdString();
  request.device = fields.device.toStdString();
  request.engine = fields.engine.toStdString();
  request.weights = fields.weights.toStdString();
  request.cache = fields.cache.toStdString();
  request.layout.tensor_parallel = fields.tensor_parallel;
  request.layout.pipeline_parallel = fields.pipeline_parallel;
  request.layout.attention_data_parallel = fields.attention_data_parallel;
  if (fields.experts == ScenarioFields::Experts::kWhole) request.layout.experts = ExpertPlacement::kWhole;
  if (fields.memory_percent > 0) request.limits.memory_fraction = fields.memory_percent / 100.0;
  return request;
}

ui::ScenarioChoices scenario_choices() {
  ui::ScenarioChoices choices;
  for (const PresetInfo& preset : list_presets()) choices.models << to_qt(preset.name);
  for (const DeviceSpec& device : list_devices()) choices.devices << to_qt(device.id);
  for (const std::string& engine : list_engines()) choices.engines << to_qt(engine);
  for (const char* name : {"bf16", "f16", "fp8", "int8", "awq", "gptq", "mxfp4", "nvfp4"})
    choices.weights << QString::fromLatin1(name);
  for (const std::string& name : cache_format_names()) choices.caches << to_qt(name);
  return choices;
}

PlanController::PlanController(ui::ScenarioForm& form, ui::PlanView& view, QObject* parent)
    : QObject(parent), form_(form), view_(view) {
  pool_.setMaxThreadCount(1);
  finder_.setMaxThreadCount(1);
  connect(&view_, &ui::PlanView::picked, this, &PlanController::adopt);
  connect(&view_, &ui::PlanView::heatmapValueChanged, this, [this] {
    if (scenario_) startHeatmap(*scenario_);
  });
}

PlanController::~PlanController() {
  for (QThreadPool* pool : {&pool_, &finder_}) {
    pool->clear();
    pool->waitForDone();
  }
}

void PlanController::adoptScenario(const ScenarioFields& fields, Scenario scenario) {
  scenario_ = std::move(scenario);
  found_fields_ = without_sizes(fields);
}

void PlanController::findInBackground(const ScenarioFields& fields) {
  const int generation = ++found_generation_;
  finder_.clear();
  finder_.start([this, fields, generation] {
    std::shared_ptr<Scenario> found;
    QString problem;
    try {
      found = std::make_shared<Scenario>(find_scenario(scenario_request(fields)));
    } catch (const Error& error) {
      problem = sentence_of(error);
    }
    QMetaObject::invokeMethod(
        this,
        [this, fields, generation, found, problem] {
          if (generation != found_generation_) return;  // a newer one is on its way
          if (!found) return showProblem(problem);
          adoptScenario(fields, *found);
          startHeatmap(*scenario_);
          plan(wanted_);
        },
        Qt::QueuedConnection);
  });
}

void PlanController::showProblem(const QString& text) {
  scenario_.reset();
  view_.showError(text);
}

void PlanController::plan(const ScenarioFields& fields) {
  wanted_ = fields;
  if (fields.model.trimmed().isEmpty()) return view_.showEmpty();
  const bool same = scenario_ && without_sizes(fields) == found_fields_;
  if (!same && names_files(fields)) return findInBackground(fields);
  try {
    if (!same) {
      ++found_generation_;  // what is still being read has come too late
      adoptScenario(fields, find_scenario(scenario_request(fields)));
    }
    const Scenario& scenario = *scenario_;
    form_.setContextLimit(scenario.model().max_context);
    show(plan_scenario(scenario, std::min(fields.context_tokens, scenario.model().max_context), fields.batch_size));
    if (!same) startHeatmap(scenario);
  } catch (const Error& error) {
    showProblem(sentence_of(error));
  }
}

void PlanController::planAgain() {
  scenario_.reset();
  plan(form_.fields());
}

void PlanController::show(const ScenarioPlan& plan) {
  const ScenarioView words = scenario_view(plan);
  ui::PlanContent content;
  content.answer = ui::said(words.answer);
  content.subject = ui::said(words.subject);
  for (const std::string& line : words.lines) content.lines << ui::said(line);
  content.remarks = remarks_of(plan.scenario);
  content.bar = memory_bar_of(plan);
  content.contexts = context_chart_of(plan);
  content.memory = words.memory;
  view_.setContent(content);
  Q_EMIT planned(ui::said(content.bar.title));
}

void PlanController::startHeatmap(const Scenario& scenario) {
  const int generation = ++generation_;
  view_.setHeatmapStale();
  pool_.clear();
  const auto value = static_cast<HeatmapValue>(view_.heatmapValue());
  pool_.start([this, scenario, generation, value] {
    const auto sweep = sweep_for(scenario, value);
    QMetaObject::invokeMethod(
        this,
        [this, sweep, generation, value] {
          if (generation != generation_) return;  // a newer one is on its way
          view_.setHeatmap(
              [sweep, value](figure::Size size) { return sweep_figure(sweep->sweep, sweep->speeds, value, size); });
        },
        Qt::QueuedConnection);
  });
}

void PlanController::adopt(int context_tokens, int batch_size) {
  ScenarioFields fields = form_.fields();
  if (context_tokens > 0) fields.context_tokens = context_tokens;
  if (batch_size > 0) fields.batch_size = batch_size;
  form_.setFields(fields);
  Q_EMIT form_.changed(fields);
}

}  // namespace dachlast::gui

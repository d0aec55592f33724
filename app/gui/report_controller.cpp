#include "app/gui/report_controller.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QPointer>
#include <QUndoStack>
#include <algorithm>
#include <utility>

#include "app/documents/pdf.h"
#include "app/documents/scenario_json.h"
#include "app/gui/edit.h"
#include "app/gui/plan_controller.h"
#include "app/gui/said_error.h"
#include "app/gui/saving.h"
#include "core/base/error.h"
#include "core/roofline/compare.h"
#include "core/viewmodel/privacy.h"
#include "core/workbench/scenario_report.h"
#include "core/workbench/workbench.h"
#include "reports/html.h"
#include "reports/json.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::ReportFields;
using ui::to_qt;

constexpr double kSharp = 2.0;  // pixels a unit

/// Everything a report is written from.
struct Material {
  viewmodel::ReportView view;
  std::vector<std::pair<std::string, std::string>> data;  // id of the element, JSON
};

Material run_material(const ReportSubject& subject, const viewmodel::Words& words) {
  const Run& run = *subject.run;
  const auto memory = memory_of(run);
  const auto json = [](const Run& of) {
    return reports::json_run(viewmodel::without_paths(of), reports::JsonLayout::kCompact);
  };
  if (!subject.base) return {viewmodel::report_view(run, memory, &words), {{"dachlast-data", json(run)}}};
  const Comparison comparison = compare_runs(*subject.base, run);
  return {viewmodel::report_view(*subject.base, run, comparison, memory, &words),
          {{"dachlast-data", json(run)},
           {"dachlast-base", json(*subject.base)},
           {"dachlast-comparison", reports::json_compare(*subject.base, run, comparison)}}};
}

ScenarioPlan plan_of(const ReportSubject& subject) {
  const Scenario scenario = find_scenario(scenario_request(subject.scenario));
  return plan_scenario(scenario, std::min(subject.scenario.context_tokens, scenario.model().max_context),
                       subject.scenario.batch_size);
}

/// Its charts have room for labels in the language of the report, which need not be the window's.
Material material_of(const ReportSubject& subject, const ReportFields& fields) {
  const viewmodel::Words& words = viewmodel::Words::of(fields.language, ui::capacity_units());
  Material material;
  if (subject.run) {
    material = run_material(subject, words);
  } else {
    const ScenarioPlan plan = plan_of(subject);
    material = {full_report_view(plan, ui::capacity_units(), &words), {{"dachlast-data", json_scenario(plan)}}};
  }
  material.view.appendix = subject.added;
  return material;
}

reports::HtmlOptions options_of(const ReportSubject& subject, const ReportFields& fields,
                                const std::string& timestamp) {
  reports::HtmlOptions options;
  options.timestamp = timestamp;
  options.title = fields.title.toStdString();
  options.author = fields.author.toStdString();
  options.note = (fields.note.isEmpty() ? subject.note : fields.note).toStdString();
  options.language = fields.language;
  options.units = ui::capacity_units();
  options.level =
      fields.level == ReportFields::Level::kFull ? reports::ReportLevel::kFull : reports::ReportLevel::kSummary;
  return options;
}

std::vector<reports::EmbeddedData> embedded(const Material& material) {
  std::vector<reports::EmbeddedData> data;
  for (const auto& [id, json] : material.data) data.push_back({id, json});
  return data;
}

std::string now() {
  return QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
}

}  // namespace

std::string report_html_of(const ReportSubject& subject, const ReportFields& fields, const std::string& timestamp) {
  Material material = material_of(subject, fields);
  return reports::report_html(material.view, embedded(material), options_of(subject, fields, timestamp));
}

std::string report_pdf_of(const ReportSubject& subject, const ReportFields& fields, const std::string& timestamp,
                          const Paper& paper) {
  Material material = material_of(subject, fields);
  reports::HtmlOptions options = options_of(subject, fields, timestamp);
  options.medium = reports::Medium::kPaper;
  return pdf_of(reports::report_html(material.view, embedded(material), options), paper);
}

ui::ReportPreview report_preview_of(const ReportSubject& subject, const ReportFields& fields, ui::Theme theme) {
  Material material = material_of(subject, fields);
  const reports::RichReport rich =
      reports::report_rich_text(material.view, embedded(material), options_of(subject, fields, now()));
  ui::ReportPreview preview{to_qt(rich.html), {}};
  for (const figure::Figure& chart : rich.pictures) {
    QImage image = ui::image_of(chart, theme, kSharp);
    image.setDevicePixelRatio(kSharp);
    preview.pictures[QStringLiteral("figure:") + to_qt(chart.id)] = image;
  }
  return preview;
}

viewmodel::SheetHead sheet_head_of(const ReportSubject& subject) {
  if (!subject.run) return viewmodel::sheet_head(report_view(plan_of(subject), ui::capacity_units()), ui::words());
  const viewmodel::RunView view = viewmodel::run_view(*subject.run);
  std::vector<std::string> sentences = view.answer;
  sentences.push_back(view.configuration_line);
  return viewmodel::sheet_head(view.title, sentences, subject.run->created_at, ui::words());
}

ReportController::ReportController(OpenRuns& runs, ui::ScenarioForm& form, ui::ReportView& view, QUndoStack& edits,
                                   QObject* parent)
    : QObject(parent), runs_(runs), form_(form), view_(view), edits_(edits) {
  pool_.setMaxThreadCount(1);
  connect(&view_, &ui::ReportView::changed, this, &ReportController::refresh);
  connect(&view_, &ui::ReportView::clearAddedRequested, this, &ReportController::clearAdded);
  connect(&runs_, &OpenRuns::changed, this, &ReportController::refresh);
  connect(&runs_, &OpenRuns::currentChanged, this, &ReportController::refresh);
}

ReportController::~ReportController() {
  pool_.clear();
  pool_.waitForDone();
}

ReportSubject ReportController::subject() const {
  ReportSubject subject{nullptr, nullptr, form_.fields(), {}, added_};
  const OpenRun* shown = runs_.shown();
  if (shown == nullptr) return subject;
  subject.run = shown->run;
  subject.note = shown->note;
  if (const OpenRun* base = runs_.base(); base != nullptr && base != shown) subject.base = base->run;
  return subject;
}

void ReportController::refresh() {
  if (!view_.isVisible()) return;
  const ReportSubject of = subject();
  if (!of.run && of.scenario.model.trimmed().isEmpty()) return view_.showEmpty();
  if (!view_.hasContent()) view_.showError(tr("Writing the preview…"));
  const int generation = ++generation_;
  pool_.clear();
  pool_.start([this, generation, of, fields = view_.fields(), theme = ui::theme_of(view_.palette())] {
    ui::ReportPreview preview;
    QString problem;
    try {
      preview = report_preview_of(of, fields, theme);
    } catch (const Error& error) {
      problem = said_error(error);
    }
    QMetaObject::invokeMethod(
        this,
        [this, generation, preview, problem] {
          if (generation != generation_) return;  // a newer one is on its way
          problem.isEmpty() ? view_.setPreview(preview) : view_.showError(problem);
        },
        Qt::QueuedConnection);
  });
}

/// Not in the pool that previews clear: what was asked for is written. Tells what came of it, if anybody is left to hear.
void ReportController::inBackground(std::function<QString()> work) {
  QThreadPool::globalInstance()->start([work = std::move(work), receiver = QPointer(this)] {
    QString text;
    try {
      text = work();
    } catch (const Error& error) {
      text = said_error(error);
    }
    // Only the window's thread may ask whether the receiver still lives.
    QMetaObject::invokeMethod(
        qApp,
        [receiver, text] {
          if (receiver) Q_EMIT receiver->told(text);
        },
        Qt::QueuedConnection);
  });
}

void ReportController::exportTo(const QString& path, const ReportFields& fields) {
  const bool pdf = path.endsWith(QStringLiteral(".pdf"), Qt::CaseInsensitive);
  inBackground([of = subject(), path, fields, pdf] {
    const std::string bytes = pdf ? report_pdf_of(of, fields, now(), {}) : report_html_of(of, fields, now());
    return write_file(path, QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size())));
  });
}

void ReportController::print(const PrintChoice& choice, const ReportFields& fields) {
  inBackground([of = subject(), choice, fields] {
    return print_pdf(report_pdf_of(of, fields, now(), choice.paper), choice,
                     fields.title.isEmpty() ? tr("Dachlast report") : fields.title);
  });
}

// -------- added charts

void ReportController::add(const figure::Figure& chart) {
  std::vector<figure::Figure> charts = added_;
  charts.push_back(chart);
  edit(tr("Add to report"), std::move(charts));
  Q_EMIT told(tr("Added to the report: %1").arg(ui::said(chart.title)));
}

void ReportController::clearAdded() {
  if (!added_.empty()) edit(tr("Remove added charts"), {});
}

void ReportController::edit(const QString& what, std::vector<figure::Figure> charts) {
  edits_.push(new Edit(
      what, [this, charts = std::move(charts)] { setAdded(charts); }, [this, before = added_] { setAdded(before); }));
}

void ReportController::setAdded(std::vector<figure::Figure> charts) {
  added_ = std::move(charts);
  view_.setAdded(static_cast<int>(added_.size()));
  refresh();
}

}  // namespace dachlast::gui

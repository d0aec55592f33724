#pragma once

#include <QObject>
#include <QThreadPool>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/gui/open_runs.h"
#include "app/gui/printing.h"
#include "core/figure/figure.h"
#include "core/viewmodel/chart_sheet.h"
#include "ui/paint/theme.h"
#include "ui/views/report_view.h"
#include "ui/widgets/scenario_form.h"

class QUndoStack;

namespace dachlast::gui {

/// What a report is of, by value, so that another thread can write it.
struct ReportSubject {
  std::shared_ptr<const Run> run;   // nullptr: the scenario
  std::shared_ptr<const Run> base;  // nullptr: no baseline
  ui::ScenarioFields scenario;
  QString note;  // of the run, where the fields hold none
  std::vector<figure::Figure> added;
};

/// The report as it is exported.
/// Errors   throws `Error` as planning and comparing do.
std::string report_html_of(const ReportSubject& subject, const ui::ReportFields& fields, const std::string& timestamp);

/// The same report as PDF, as `dachlast report --format pdf` makes it.
/// Errors   as above and as `pdf_of`.
std::string report_pdf_of(const ReportSubject& subject, const ui::ReportFields& fields, const std::string& timestamp,
                          const Paper& paper);

/// The same report as the window previews it.
ui::ReportPreview report_preview_of(const ReportSubject& subject, const ui::ReportFields& fields, ui::Theme theme);

/// What a chart says it is of, where it leaves the program alone, in the language of the window.
/// Errors   throws `Error` as planning does.
viewmodel::SheetHead sheet_head_of(const ReportSubject& subject);

/// Keeps the preview in step with what is open, and writes the file: both in the background, because a report reads headers of
/// models, weighs hardware and draws a dozen charts. The last question wins.
/// Threads  lives on the GUI thread; its pool only computes and writes the file it was told to.
class ReportController : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(ReportController)

 public:
  ReportController(OpenRuns& runs, ui::ScenarioForm& form, ui::ReportView& view, QUndoStack& edits,
                   QObject* parent = nullptr);
  ~ReportController() override;

  /// Makes the preview anew, where someone looks.
  void refresh();
  /// Writes PDF where the file is named so, else HTML.
  void exportTo(const QString& path, const ui::ReportFields& fields);
  /// Prints the PDF that an export would write, on the sheet that was chosen.
  void print(const PrintChoice& choice, const ui::ReportFields& fields);
  /// Adds a chart to the report; can be undone.
  void add(const figure::Figure& chart);
  void clearAdded();
  const std::vector<figure::Figure>& added() const { return added_; }
  /// What is open: the run that is shown, else the scenario.
  ReportSubject subject() const;
  /// The scenario, whatever run is shown.
  ReportSubject scenario() const { return {nullptr, nullptr, form_.fields(), {}, {}}; }
  void waitForDone() { pool_.waitForDone(); }

 Q_SIGNALS:
  /// What to tell: where a file went, why there is none.
  void told(const QString& text);

 private:
  void inBackground(std::function<QString()> work);
  void edit(const QString& what, std::vector<figure::Figure> charts);
  void setAdded(std::vector<figure::Figure> charts);

  OpenRuns& runs_;
  ui::ScenarioForm& form_;
  ui::ReportView& view_;
  QUndoStack& edits_;
  std::vector<figure::Figure> added_;
  QThreadPool pool_;
  int generation_ = 0;  // of the newest preview
};

}  // namespace dachlast::gui

#pragma once

#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <memory>
#include <stop_token>

#include "core/workbench/recommend_page.h"
#include "ui/views/recommend_view.h"
#include "ui/widgets/scenario_form.h"

class QTimer;

namespace dachlast::gui {

/// Searches hardware for the scenario's model and context in the background, and draws the scenario's speed over batch and context.
/// The last question wins: an older search is stopped. An option that is chosen becomes a change of the form.
/// Threads  lives on the GUI thread; its pool only computes.
class RecommendController : public QObject {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(RecommendController)

 public:
  RecommendController(ui::ScenarioForm& form, ui::RecommendView& view, QObject* parent = nullptr);
  ~RecommendController() override;

  /// Asks anew as soon as the fields rest, where someone looks.
  void schedule();
  /// Ends the search that goes on.
  void cancel();
  bool searching() const { return searching_; }

 Q_SIGNALS:
  /// A recommendation, or why there is none, is shown.
  void settled();

 private:
  using PagePtr = std::shared_ptr<const RecommendPage>;

  void ask();
  void search(const RecommendRequest& request);
  void settle(const PagePtr& page, const QString& problem);
  void showCurves(const ui::ScenarioFields& fields);
  void adopt(int candidate);

  ui::ScenarioForm& form_;
  ui::RecommendView& view_;
  QTimer* rest_;
  QThreadPool pool_;
  std::stop_source stop_;
  RecommendRequest asked_;
  PagePtr page_;                  // shown
  ui::ScenarioFields curves_of_;  // shown
  int generation_ = 0;            // of the newest search
  std::atomic<int> curve_generation_ = 0;
  bool searching_ = false;
};

}  // namespace dachlast::gui

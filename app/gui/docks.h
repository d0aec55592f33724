#pragma once

#include <QByteArray>
#include <QDockWidget>
#include <QList>

class QListWidget;
class QMainWindow;
class QPlainTextEdit;

namespace dachlast::ui {
class DataTable;
class InspectorPanel;
class JobsPanel;
class RunsPanel;
class ScenarioForm;
}  // namespace dachlast::ui

namespace dachlast::gui {

/// The docks of a window and what is in them. First layout: scenario and inspector; everything else is opened from the menu.
/// Layouts carry a version, so that an old one can never hide a dock it does not know.
class Docks {
 public:
  Docks(QMainWindow& window, QListWidget* pages, ui::ScenarioForm* form);

  ui::InspectorPanel& inspector() { return *inspector_; }
  ui::RunsPanel& runs() { return *runs_; }
  ui::JobsPanel& jobs() { return *jobs_; }
  ui::DataTable& operations() { return *operations_; }
  /// Adds a line with the time of day.
  void log(const QString& line);

  /// Docks the reader may close.
  const QList<QDockWidget*>& closable() const { return closable_; }
  void raise(QWidget& content);

  QByteArray save() const;
  /// A layout of another version is left alone.
  void restore(const QByteArray& layout);
  void restoreDefault();

 private:
  QDockWidget* add(const QString& title, const QString& id, QWidget* content, Qt::DockWidgetArea area);

  QMainWindow& window_;
  ui::InspectorPanel* inspector_;
  ui::RunsPanel* runs_;
  ui::JobsPanel* jobs_;
  ui::DataTable* operations_;
  QPlainTextEdit* log_;
  QList<QDockWidget*> closable_;
  QByteArray default_layout_;
};

}  // namespace dachlast::gui

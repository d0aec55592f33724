#include "app/gui/help_dialog.h"

#include <QLabel>
#include <QVBoxLayout>

#include "core/viewmodel/table.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/page.h"

namespace dachlast::gui {
namespace {

constexpr QSize kHelpSize{760, 680};

/// Two columns of words that are translated already.
viewmodel::Table table_of(const QString& title, const QString& left, const QString& right,
                          const QList<QPair<QString, QString>>& rows) {
  viewmodel::Table table{.id = "help", .title = title.toStdString(), .columns = {}, .rows = {}, .notes = {}};
  table.columns = {{"left", left.toStdString(), "", "", viewmodel::Align::kLeft},
                   {"right", right.toStdString(), "", "", viewmodel::Align::kLeft}};
  for (const auto& [first, second] : rows)
    table.rows.push_back({viewmodel::text_cell(first.toStdString()), viewmodel::text_cell(second.toStdString())});
  return table;
}

}  // namespace

HelpDialog::HelpDialog(const QList<Command>& commands, QWidget* parent) : QDialog(parent) {
  setWindowTitle(tr("Keys and Gestures"));
  setAttribute(Qt::WA_DeleteOnClose);
  QList<QPair<QString, QString>> keys;
  for (const Command& command : commands)
    if (!command.key.isEmpty()) keys << QPair{command.key.toString(QKeySequence::NativeText), command.title};
  const QList<QPair<QString, QString>> gestures{{tr("Rest the pointer, arrow keys"), tr("Facts of a datum")},
                                                {tr("Click, Enter"), tr("Select and inspect")},
                                                {tr("Drag"), tr("Brush a box or a range; it filters all pages")},
                                                {tr("Wheel, + and −"), tr("Zoom at the pointer")},
                                                {tr("Middle drag, Space and drag, Shift and arrows"), tr("Pan")},
                                                {tr("Double-click"), tr("Show everything again")},
                                                {tr("Esc"), tr("Clear brush, selection, zoom, in this order")},
                                                {tr("Right click"), tr("Copy, save, show as table")}};
  auto* layout = new QVBoxLayout(this);
  const auto add = [&](const viewmodel::Table& table, int stretch) {
    auto* shown = new ui::DataTable;
    shown->setTable(table);
    layout->addWidget(shown, stretch);
  };
  add(table_of(tr("Keys"), tr("Key"), tr("Command"), keys), 3);
  add(table_of(tr("Gestures in every chart"), tr("Gesture"), tr("Does"), gestures), 2);
  resize(kHelpSize);
}

}  // namespace dachlast::gui

#pragma once

#include <QDialog>

#include "app/gui/commands.h"
#include "app/gui/preferences.h"

class QComboBox;
class QDialogButtonBox;
class QKeySequenceEdit;
class QLabel;
class QSpinBox;
class QTableWidget;

namespace dachlast::gui {

/// Theme, language, units, verdict threshold, roofs and keys. Keys that two commands share are named, and cannot be accepted.
class SettingsDialog : public QDialog {
  Q_OBJECT

 public:
  SettingsDialog(const Preferences& preferences, const QList<Command>& commands, QWidget* parent = nullptr);

  Preferences preferences() const;

 private:
  QWidget* makeGeneral(const Preferences& preferences);
  QWidget* makeKeys();
  void restoreStandard();
  void check();
  QList<Command> edited() const;

  QList<Command> commands_;
  QComboBox* theme_;
  QComboBox* language_;
  QComboBox* units_;
  QSpinBox* threshold_;
  QComboBox* roofs_;
  QTableWidget* table_;
  QList<QKeySequenceEdit*> keys_;  // in the order of `commands_`
  QLabel* conflicts_;
  QDialogButtonBox* buttons_;
};

}  // namespace dachlast::gui

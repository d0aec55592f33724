#pragma once

#include <QDialog>
#include <QList>

#include "app/gui/commands.h"

namespace dachlast::gui {

/// Keys and gestures as they are now, beside the window they belong to.
class HelpDialog : public QDialog {
  Q_OBJECT

 public:
  explicit HelpDialog(const QList<Command>& commands, QWidget* parent = nullptr);
};

}  // namespace dachlast::gui

#pragma once

#include <QStringList>
#include <QWidget>

class QHBoxLayout;

namespace dachlast::ui {

/// What is filtered, above the page: a chip each, removed by a click.
class ChipBar : public QWidget {
  Q_OBJECT

 public:
  struct Chip {
    QString id;
    QString text;
  };

  explicit ChipBar(QWidget* parent = nullptr);

  /// Without chips the bar takes no room.
  void setChips(const QList<Chip>& chips);
  QStringList texts() const;

 Q_SIGNALS:
  void removed(const QString& id);

 private:
  QHBoxLayout* row_;
};

}  // namespace dachlast::ui

#pragma once

#include <QWidget>
#include <functional>
#include <optional>
#include <vector>

#include "core/figure/figure.h"

class QTimer;

namespace dachlast::ui {

/// Shows a figure as large as the widget is; the same in every chart of the program: hover and keyboard focus show a datum's facts,
/// a click selects it, the context menu copies and saves.
class FigureView : public QWidget {
  Q_OBJECT

 public:
  /// Draws the chart for a size. Called on the GUI thread, once a size and content.
  using Source = std::function<figure::Figure(figure::Size)>;

  explicit FigureView(QWidget* parent = nullptr);

  /// Replaces the content; an empty source shows nothing.
  void setSource(Source source);
  /// Marks the datum of this id; an unknown one marks nothing.
  void setSelected(const QString& datum);
  const QString& selected() const { return selected_; }
  /// The figure at the widget's size.
  const figure::Figure& figure() const;

  QSize sizeHint() const override { return {720, 420}; }
  QSize minimumSizeHint() const override { return {220, 150}; }

 Q_SIGNALS:
  /// A datum was chosen by click, Enter or arrow keys; empty: none any more.
  void datumSelected(const QString& datum);
  /// Someone wants this figure in a file of this kind: "png", "svg".
  void saveRequested(const figure::Figure& figure, const QString& kind);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;

 private:
  const figure::HitBox* hitAt(QPointF position) const;
  const figure::HitBox* hitOf(const QString& datum) const;
  void choose(const figure::HitBox* hit);
  void step(int by);
  void showTooltip();
  void copyImage();

  Source source_;
  mutable std::optional<figure::Figure> figure_;
  mutable std::vector<const figure::HitBox*> hits_;
  QString selected_;
  const figure::HitBox* hovered_ = nullptr;
  QTimer* tooltip_;
};

}  // namespace dachlast::ui

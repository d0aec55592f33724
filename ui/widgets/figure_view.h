#pragma once

#include <QPixmap>
#include <QStringList>
#include <QWidget>
#include <functional>
#include <optional>
#include <vector>

#include "core/figure/figure.h"
#include "core/viewmodel/table.h"

class QMenu;
class QTimer;

namespace dachlast::ui {

/// Shows a figure as large as the widget is; the same in every chart of the program: hover and keyboard focus show a datum's facts,
/// a click selects it, dragging brushes, the wheel zooms, the context menu copies and saves. Zooming and brushing are told, not
/// done: whoever owns the content draws another window of it.
class FigureView : public QWidget {
  Q_OBJECT

 public:
  /// Draws the chart for a size. Called on the GUI thread, once a size and content.
  using Source = std::function<figure::Figure(figure::Size)>;
  /// The figures behind the chart, made when someone asks for them.
  using Data = std::function<viewmodel::Table()>;

  /// What dragging chooses: nothing, a range of x over the whole height, a box.
  enum class Brush : std::uint8_t { kNone, kRange, kBox };
  /// Which axes the wheel moves.
  enum class Zoom : std::uint8_t { kNone, kX, kBoth };

  /// Part of the plane, in data units.
  struct Window {
    figure::Interval x;
    figure::Interval y;
  };

  explicit FigureView(QWidget* parent = nullptr);

  /// What is told of a datum whose hit box carries no facts of its own: charts of thousands make them when someone asks.
  using Facts = std::function<std::string(const std::string& datum)>;

  /// Replaces the content; an empty source shows nothing.
  void setSource(Source source);
  /// The table that belongs beside the chart: of "Show as table", and below saved pictures. Without one, "Show as table" lists `setData`'s.
  void setTable(Data table) { table_ = std::move(table); }
  /// What "Copy data" and files of data hold where that is more than the table; without either, the facts of the data are listed.
  void setData(Data data) { data_ = std::move(data); }
  void setFacts(Facts facts) { facts_ = std::move(facts); }
  void setGestures(Brush brush, Zoom zoom);
  /// Marks the datum of this id; an unknown one marks nothing.
  void setSelected(const QString& datum);
  const QString& selected() const { return selected_; }
  /// All that is selected: the datum chosen last, then those that Ctrl and a click kept beside it.
  QStringList selection() const;
  /// Shows a brush, or none; tells nobody.
  void setBrushed(const std::optional<Window>& brush);
  const std::optional<Window>& brushed() const { return brushed_; }
  /// The figure at the widget's size.
  const figure::Figure& figure() const;
  /// What lies behind the figure.
  viewmodel::Table data() const;

  QSize sizeHint() const override { return {720, 420}; }
  QSize minimumSizeHint() const override { return {220, 150}; }

 Q_SIGNALS:
  /// A datum was chosen by click or arrow keys; empty: none any more.
  void datumSelected(const QString& datum);
  /// Several data are selected; the statistics of what they amount to, no rows where they cannot be summed up.
  void manySelected(int count, const dachlast::viewmodel::Table& statistics);
  /// Enter on a datum: someone wants to know all about it.
  void inspectRequested(const QString& datum);
  /// Part of the plane was dragged over.
  void windowBrushed(const dachlast::ui::FigureView::Window& window);
  void brushCleared();
  /// Another part of the plane is to be shown.
  void windowRequested(const dachlast::ui::FigureView::Window& window);
  /// Everything is to be shown again.
  void resetRequested();
  /// Someone wants this figure in the report.
  void addToReportRequested(const dachlast::figure::Figure& figure);
  /// Someone wants this figure, in English, above this table in a file of this kind: "png" at `scale` pixels a unit, "svg".
  void saveRequested(const dachlast::figure::Figure& figure, const dachlast::viewmodel::Table& table,
                     const QString& kind, double scale);
  /// Someone wants the figures behind it in a file of this kind: "csv", "json".
  void saveDataRequested(const viewmodel::Table& table, const QString& kind);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void keyReleaseEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;

 private:
  enum class Drag : std::uint8_t { kNone, kBrush, kPan };

  const figure::HitBox* hitAt(QPointF position) const;
  const figure::HitBox* hitOf(const QString& datum) const;
  std::string factsOf(const figure::HitBox& hit) const;
  void addToSelection(const figure::HitBox* hit);
  void tellSelection();
  const QPixmap& picture();
  viewmodel::Table factsTable() const;
  figure::Figure figureWithFacts() const;
  void choose(const figure::HitBox* hit);
  void step(int by);
  bool clearOne();
  void showTooltip();
  void save(const QString& kind, double scale = 1.0);
  void copyImage();
  void showAsTable();
  void fillMenu(QMenu& menu);
  void drawMarks(QPainter& painter);
  QRectF boxOf(const Window& window) const;
  Window windowOf(const QRectF& box) const;
  void zoomAt(QPointF position, double factor);
  void panBy(QPointF distance);
  void endBrush(QPointF position);

  Source source_;
  Data table_;
  Data data_;
  Facts facts_;
  Brush brush_ = Brush::kNone;
  Zoom zoom_ = Zoom::kNone;
  mutable std::optional<figure::Figure> figure_;
  mutable std::vector<const figure::HitBox*> hits_;
  QString selected_;
  QStringList also_;  // selected beside it
  QPixmap picture_;   // of the figure, so that hovering and brushing draw it once only
  bool picture_dark_ = false;
  const figure::HitBox* hovered_ = nullptr;
  std::optional<Window> brushed_;
  bool zoomed_ = false;
  bool space_held_ = false;
  Drag drag_ = Drag::kNone;
  QPointF drag_from_;
  QPointF drag_at_;
  QTimer* tooltip_;
};

}  // namespace dachlast::ui
